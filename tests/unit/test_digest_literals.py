"""Whatever statement is made of whatever literals, no literal is told of it."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgmcp.digest import tidy
from pgmcp.errors import QueryFailed
from pgmcp.statement import Parser
from tests.auditing import recorded

FORMS = [
    "'@'",
    "E'a\\n@'",
    "U&'@'",
    "N'@'",
    "$$@$$",
    "$tag$@$tag$",
    "'a'\n'@'",
    "@",
    "-@",
    "@.5e1",
    ".@",
    "0x@",
    "B'@'",
    "X'@'",
    "date '@'",
    "interval '@' day",
    "pg_catalog.float8 '@'",
    "geometry('a', @) 'x'",
    "'x'::numeric(@)",
    "CAST('@' AS varchar(@))",
    "'@'::a.b('@')",
    "ARRAY['@', $$@$$]",
    "ROW('@', @)",
    "(a -> '@')",
    "jsonb_path_query(a, '$.@')",
    "f(b => '@')",
    "CASE a WHEN '@' THEN @ ELSE '@' END",
    "a AT TIME ZONE '@'",
    "(a LIKE '%@%' ESCAPE '\\')",
    "substring(a FROM '@' FOR @)",
    "a[@]",
    "(SELECT '@' /* @ */ -- @\n)",
    "JSON_VALUE(a, '$.@' DEFAULT '@' ON ERROR)",
    "JSON_OBJECT('@': @)",
    "xmlelement(name x, '@')",
    "a /* '@' */",
    'a /* "@" */',
    "a -- '@\n",
    "(a IN ('@', '@'))",
    "(a BETWEEN @ AND @)",
]
SHAPES = [
    "SELECT {0}",
    "SELECT {0} AS b, {1} FROM t WHERE a = {2}",
    "SELECT a FROM t GROUP BY {0} HAVING b = {1} ORDER BY {2} LIMIT {3} OFFSET {4}",
    "SELECT DISTINCT ON ({0}) a FROM f({1}) AS g (a int) WINDOW w AS (PARTITION BY {2})",
    "SELECT count(*) FILTER (WHERE a = {0}) OVER (ORDER BY b ROWS {1} PRECEDING) FROM t",
    "SELECT * FROM t TABLESAMPLE system ({0}) REPEATABLE ({1}) JOIN u ON {2} = t.a",
    "WITH w AS (SELECT {0}), v AS (INSERT INTO t VALUES ({1}) RETURNING {2}) SELECT {3} FROM w",
    "(SELECT {0} UNION SELECT {1}) ORDER BY {2} LIMIT {3}",
    "VALUES ({0}, {1}), ({2}, DEFAULT)",
    "INSERT INTO t (a, b) VALUES ({0}, {1}), ({2}, DEFAULT) RETURNING {3}",
    "INSERT INTO t SELECT {0} ON CONFLICT (a) DO UPDATE SET b = {1} WHERE t.c = {2}",
    "UPDATE t SET a = {0}, (b, c) = ({1}, {2}) FROM u WHERE t.d = {3} RETURNING {4}",
    "DELETE FROM t USING u WHERE t.a = {0} AND u.b = {1} RETURNING {2}",
    "MERGE INTO t USING u ON t.a = {0} WHEN MATCHED AND u.b = {1} THEN DELETE",
    "MERGE INTO t USING u ON b WHEN NOT MATCHED THEN INSERT VALUES ({0}, {1})",
    "SELECT * FROM JSON_TABLE({0}, {1} COLUMNS (a text PATH {2}))",
    "SELECT * FROM xmltable({0} PASSING {1} COLUMNS a text PATH {2} DEFAULT {3})",
    "CREATE TABLE t (a text DEFAULT {0}, CHECK (b = {1}))",
    "CREATE VIEW v AS SELECT {0}",
    "COMMENT ON COLUMN t.a IS {0}",
    "ALTER SYSTEM SET a = {0}",
    "CREATE ROLE r PASSWORD {0} VALID UNTIL {1}",
    "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS {0}",
    "CREATE POLICY p ON t USING (a = {0}) WITH CHECK (b = {1})",
    "ALTER TYPE e ADD VALUE {0} BEFORE {1}",
    "EXPLAIN SELECT {0}",
    "CALL p({0}, {1})",
    "SELECT {0}; CREATE TABLE t (a text DEFAULT {1})",
]
# Digits make it fit wherever a number stands, and no word of ours or of SQL's is like it.
MARKERS = st.integers(min_value=10**9, max_value=10**10).map(str)
SPACES = [" ", "\n", "\t ", " /* '@' */ ", " -- '@\n", ' /* /* @ */ " */ ']
SIMPLE = ["1", "'a'", "a", "2", "b"]


@pytest.mark.parametrize("shape", [pytest.param(shape, id=shape[:30]) for shape in SHAPES])
def test_the_shapes_are_statements(parser: Parser, shape: str) -> None:
    """Else the property below would hold of nothing."""
    plain = [SIMPLE, ["'a'"] * 5]

    assert any(is_statement(parser, shape.format(*literals)) for literals in plain)


def is_statement(parser: Parser, sql: str) -> bool:
    """Tell whether PostgreSQL's grammar takes *sql*."""
    try:
        return bool(asyncio.run(parser.parse(sql)))
    except QueryFailed:
        return False


@settings(max_examples=1500, deadline=None)
@given(
    shape=st.sampled_from(SHAPES),
    forms=st.lists(st.sampled_from(FORMS), min_size=5, max_size=5),
    marker=MARKERS,
    space=st.sampled_from(SPACES),
)
def test_no_literal_of_any_kind_is_ever_recorded(
    parser: Parser, shape: str, forms: list[str], marker: str, space: str
) -> None:
    sql = space.join(shape.split(" ")).format(*forms).replace("@", marker)

    line = recorded(parser, sql)

    assert marker not in line
    assert "\n" not in line


NUMBER = re.compile(r"(?<![\w$])\d")


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="ab1 '\"$-/*\\\nEU&;.(é", max_size=40))
def test_a_text_that_is_shown_holds_no_quote_but_of_names(text: str) -> None:
    """Of whatever libpg_query may give; *tidy* believes nothing."""
    shown = tidy(text)

    outside = " ".join(shown.split('"')[::2])
    assert "'" not in shown
    assert "--" not in outside
    assert "/*" not in outside
    assert NUMBER.search(outside) is None
