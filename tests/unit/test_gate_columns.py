"""The form of a column, (x).f, which PostgreSQL takes for the call f(x)."""

from __future__ import annotations

import pytest

from pgmcp.denied import CORE, EXTENSIONS, WRITING
from pgmcp.statement import Parser
from pgmcp.tools.reach import WHOLE_SERVER

NAMES = sorted({*CORE, *EXTENSIONS, "dblink_connect", "dblink_exec", "pg_ls_dir", "pg_read_file"})
FORMS = [
    pytest.param("SELECT ('x').{}", id="of a constant"),
    pytest.param("SELECT ($1::text).{}", id="of a parameter"),
    pytest.param("SELECT (v).{} FROM shop.t", id="of a column"),
    pytest.param("SELECT (ARRAY['q'])[1].{}", id="of an element"),
    pytest.param("SELECT a.{} FROM unnest(ARRAY['q']) AS a", id="of an alias"),
    pytest.param("SELECT (a).{}.length FROM shop.t AS a", id="in between"),
    pytest.param("WITH c AS (SELECT (1).{}) SELECT * FROM c", id="in a WITH"),
    pytest.param("INSERT INTO shop.t SELECT ('x').{}", id="in a change"),
    pytest.param("CREATE VIEW shop.w AS SELECT ('x').{}", id="in a definition"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
async def test_a_denied_function_is_denied_as_a_column(
    parser: Parser, name: str, form: str
) -> None:
    statement = await parser.parse_one(form.format(name))

    assert statement.tool is None
    assert f"{name}(), written as a column" in statement.refusal


@pytest.mark.parametrize("name", sorted(WRITING))
async def test_what_writes_writes_as_a_column(parser: Parser, name: str) -> None:
    statement = await parser.parse_one(f"SELECT ('x').{name}")

    assert statement.level == "write"


@pytest.mark.parametrize("name", sorted(WHOLE_SERVER))
async def test_what_shows_the_whole_server_is_named_as_a_column(parser: Parser, name: str) -> None:
    statement = await parser.parse_one(f"SELECT (1).{name}")

    assert name in statement.attributes


HONEST = [
    pytest.param("SELECT o.lo_quantity, o.http FROM shop.lineorder AS o", "read", id="columns"),
    pytest.param("SELECT (address).city FROM shop.customers", "read", id="a field"),
    pytest.param("SELECT g.day FROM generate_series(1, 2) AS g (day)", "read", id="an alias"),
]


@pytest.mark.parametrize(("sql", "level"), HONEST)
async def test_columns_stay_columns(parser: Parser, sql: str, level: str) -> None:
    statement = await parser.parse_one(sql)

    assert (statement.tool, statement.level) == ("pg_query", level)
