"""What is told of a statement afterwards: a fingerprint and a text, neither with a literal."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from pgmcp.digest import SHOWN, Digest
from pgmcp.statement import Parser, Statement
from tests.auditing import recorded


def parsed(parser: Parser, sql: str) -> Statement:
    (statement,) = asyncio.run(parser.parse(sql))
    return statement


TEXTS = [
    pytest.param("SELECT 1", "SELECT $1", id="number"),
    pytest.param("SELECT a FROM t WHERE b = 'x'", "SELECT a FROM t WHERE b = $1", id="string"),
    pytest.param(" SELECT  a ;", "SELECT  a", id="semicolon"),
    pytest.param("SELECT a,\n\tb\r\nFROM t", "SELECT a, b FROM t", id="lines"),
    pytest.param("SELECT a -- 'x'\nFROM t", "SELECT a FROM t", id="comment to the line's end"),
    pytest.param("SELECT a /* x /* y */ z */ FROM t", "SELECT a FROM t", id="nested comment"),
    pytest.param("SELECT a/**/+/**/b", "SELECT a + b", id="comment for a space"),
    pytest.param('SELECT "Order Id" FROM "Orders"', 'SELECT "Order Id" FROM "Orders"', id="names"),
    pytest.param('SELECT 1 AS "ana@x.org"', 'SELECT $1 AS "?"', id="a value for a name"),
    pytest.param('SELECT 1 AS "a""b"', 'SELECT $1 AS "?"', id="a quote in a name"),
    pytest.param(r'SELECT U&"\0061"', 'SELECT U&"?"', id="a name in codes"),
    pytest.param("SELECT a::varchar(10)", "SELECT a::varchar(?)", id="a type's length"),
    pytest.param("SELECT a FROM t ORDER BY 1", "SELECT a FROM t ORDER BY ?", id="ordinal"),
    pytest.param("SELECT a$b, c1 FROM t2", "SELECT a$b, c1 FROM t2", id="dollar in a name"),
    pytest.param("SELECT a > $1 AND $2", "SELECT a > $1 AND $2", id="parameters"),
    pytest.param("SELECT true, NULL, a", "SELECT $1, $2, a", id="true and NULL"),
    pytest.param("SELECT größe FROM straße", "SELECT größe FROM straße", id="not ASCII"),
    pytest.param("UPDATE t SET a = 'x'", "UPDATE t SET a = $1", id="UPDATE"),
    pytest.param("DELETE FROM t WHERE a = -5", "DELETE FROM t WHERE a = $1", id="DELETE"),
    pytest.param("VALUES ('x', 1)", "VALUES ($1, $2)", id="VALUES"),
]


@pytest.mark.parametrize(("sql", "text"), TEXTS)
def test_text_has_a_placeholder_for_every_literal(parser: Parser, sql: str, text: str) -> None:
    assert parsed(parser, sql).digest.text == text


LEFT = [
    pytest.param("SELECT a::geometry('secret', 4326)", id="a type's modifier"),
    pytest.param("SELECT * FROM JSON_TABLE(a, '$' COLUMNS (b text PATH '$.secret'))", id="path"),
    pytest.param("SELECT U&'!0061' UESCAPE '!'", id="UESCAPE"),
    pytest.param(
        "WITH RECURSIVE w AS (SELECT 1 UNION SELECT 2 FROM w) "
        "CYCLE a SET b TO 'secret' DEFAULT 'x' USING c SELECT 1 FROM w",
        id="CYCLE",
    ),
]


@pytest.mark.parametrize("sql", LEFT)
def test_no_text_where_libpg_query_leaves_a_literal(parser: Parser, sql: str) -> None:
    """What is checked here does not depend on what it takes out."""
    found = parsed(parser, sql).digest

    assert found.text == ""
    assert len(found.fingerprint) == 16


def test_a_text_is_cut_where_it_is_long(parser: Parser) -> None:
    found = parsed(parser, "SELECT " + ", ".join(f"column_{n}" for n in range(300))).digest

    assert len(found.text) == SHOWN
    assert found.text.endswith("…")


def test_a_text_with_comments_is_cut_where_it_is_long(parser: Parser) -> None:
    found = parsed(parser, "SELECT " + ", ".join(f"c{n} -- x\n" for n in range(400))).digest

    assert len(found.text) == SHOWN
    assert "x" not in found.text


def test_nothing_is_told_where_a_comment_does_not_end_in_what_is_looked_at(parser: Parser) -> None:
    found = parsed(parser, "SELECT 1 /*" + " secret" * 1000 + "*/").digest

    assert found.text == ""


UTILITIES = [
    pytest.param("CREATE ROLE r PASSWORD 'hunter2'", id="CREATE ROLE"),
    pytest.param("ALTER ROLE r VALID UNTIL 'hunter2'", id="ALTER ROLE"),
    pytest.param("COMMENT ON TABLE t IS 'hunter2'", id="COMMENT"),
    pytest.param("ALTER SYSTEM SET a = 'hunter2'", id="ALTER SYSTEM"),
    pytest.param(
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT $$hunter2$$'", id="body"
    ),
    pytest.param("CREATE FUNCTION f() RETURNS text RETURN 'hunter2'", id="SQL body"),
    pytest.param("CREATE TABLE t (a text DEFAULT 'hunter2')", id="DEFAULT"),
    pytest.param("CREATE TABLE t AS SELECT 'hunter2'", id="CREATE TABLE AS"),
    pytest.param("CREATE VIEW v AS SELECT 'hunter2'", id="CREATE VIEW"),
    pytest.param("CREATE POLICY p ON t USING (a = 'hunter2')", id="CREATE POLICY"),
    pytest.param("ALTER TABLE t ADD CHECK (a <> 'hunter2')", id="CHECK"),
    pytest.param("CREATE INDEX ON t (a) WHERE b = 'hunter2'", id="CREATE INDEX"),
    pytest.param("ALTER TYPE e ADD VALUE 'hunter2'", id="ALTER TYPE"),
    pytest.param("CREATE USER MAPPING FOR u SERVER s OPTIONS (password 'hunter2')", id="mapping"),
    pytest.param("CREATE SUBSCRIPTION s CONNECTION 'hunter2' PUBLICATION p", id="subscription"),
    pytest.param("EXPLAIN SELECT 'hunter2'", id="EXPLAIN"),
    pytest.param("CALL p('hunter2')", id="CALL"),
    pytest.param("SET a = 'hunter2'", id="SET"),
    pytest.param("NOTIFY a, 'hunter2'", id="NOTIFY"),
    pytest.param("DO 'BEGIN hunter2; END'", id="DO"),
    pytest.param("COPY t FROM PROGRAM 'hunter2'", id="COPY"),
    pytest.param("SECURITY LABEL ON TABLE t IS 'hunter2'", id="SECURITY LABEL"),
    pytest.param("PREPARE p AS SELECT 'hunter2'", id="PREPARE"),
]


@pytest.mark.parametrize("sql", UTILITIES)
def test_a_utility_statement_shows_neither_text_nor_fingerprint(parser: Parser, sql: str) -> None:
    """Its fingerprint is a quick hash of the password: whoever has it could try passwords."""
    assert parsed(parser, sql).digest == Digest()
    assert "hunter2" not in recorded(parser, sql)


def test_text_is_not_told_of_what_the_gate_refuses(parser: Parser) -> None:
    found = parsed(parser, "SELECT pg_read_file('a')").digest

    assert found.text == ""
    assert found.fingerprint != ""


SAME = [
    pytest.param("SELECT a FROM t WHERE b = 1", "select a from t where b = 22", id="number"),
    pytest.param("SELECT a FROM t WHERE b = 'x'", "SELECT a FROM t\nWHERE b='y'", id="string"),
    pytest.param("SELECT 1 FROM t WHERE a IN (1)", "SELECT 1 FROM t WHERE a IN (2, 3)", id="IN"),
    pytest.param("SELECT a::geometry('x')", "SELECT a::geometry('y')", id="modifier"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_a_fingerprint_does_not_depend_on_literals(parser: Parser, one: str, other: str) -> None:
    assert parsed(parser, one).digest.fingerprint == parsed(parser, other).digest.fingerprint


DEEP = [
    pytest.param("SELECT ARRAY" + "[" * 500 + "1" + "]" * 500, id="arrays"),
    pytest.param("SELECT " + "NOT " * 480 + "true", id="NOT"),
    pytest.param("SELECT 1" + "+1" * 500, id="chain"),
    pytest.param("SELECT " + "ROW(" * 330 + "1" + ")" * 330, id="rows"),
]
LITTLE = """
import sys, threading
from pgmcp.statement import _judge_all
from pgmcp.errors import CallerError
def work():
    sql = sys.stdin.read()
    try:
        _judge_all(sql, sql.encode(), 1)
    except CallerError:
        pass
threading.stack_size(1 << 20)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


@pytest.mark.parametrize("sql", DEEP)
def test_what_is_digested_beside_the_loop_needs_little_stack(sql: str) -> None:
    """An eighth of what a main thread has; too deep a tree is refused before it gets here."""
    done = subprocess.run(
        [sys.executable, "-c", LITTLE], input=sql, text=True, capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
