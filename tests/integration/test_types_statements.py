"""Rows of statements that are no plain SELECT, of types that are new, and as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pgmcp.settings import load
from tests import tsv
from tests.asking import Asker, asking
from tests.cluster import ThrowawayCluster

SETUP = """
CREATE SCHEMA s;
CREATE TYPE s.pair AS (a integer, b numeric);
CREATE TABLE s.item (id serial, name text, span int4range, pair s.pair, at date);
INSERT INTO s.item (name, span, pair, at)
VALUES ('a "b", c', '[1,5)', '(1,2.50)', 'infinity'), (NULL, NULL, NULL, NULL);
CREATE TABLE s.sink (id integer);
CREATE PROCEDURE s.swap(INOUT a numeric, INOUT b s.pair)
    LANGUAGE plpgsql AS $$ BEGIN a := (b).b; RAISE NOTICE 'now %', a; END $$;
"""


@pytest.fixture(scope="module")
async def asker(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Asker]:
    await cluster.execute(SETUP, database=database)
    async with asking(load(environ=cluster.environment(database))) as made:
        yield made


STATEMENTS = [
    pytest.param(
        "SELECT i FROM s.item AS i ORDER BY id",
        (('(1,"a ""b"", c","[1,5)","(1,2.50)",infinity)',), ("(2,,,,)",)),
        id="whole row",
    ),
    pytest.param("VALUES (1, 'a'), (2, NULL)", (("1", "a"), ("2", None)), id="VALUES"),
    pytest.param("TABLE s.sink", (), id="TABLE"),
    pytest.param("SHOW server_encoding", (("UTF8",),), id="SHOW"),
    pytest.param(
        "EXPLAIN (COSTS off) SELECT 1 WHERE false",
        (("Result",), ("  One-Time Filter: false",)),
        id="EXPLAIN",
    ),
    pytest.param(
        "SELECT * FROM json_to_record('{\"a\": 1}') AS r(a numeric, b date)",
        (("1", None),),
        id="record given columns",
    ),
    pytest.param(
        "SELECT a FROM (VALUES (2), (1), (3)) AS v(a) ORDER BY a DESC",
        (("3",), ("2",), ("1",)),
        id="ORDER BY is kept",
    ),
    pytest.param('SELECT 1 AS a, 2 AS a, 3 AS "a\tb"', (("1", "2", "3"),), id="one name twice"),
    pytest.param("SELECT 1 AS _pgmcp, 2 AS c1, 3 AS c0", (("1", "2", "3"),), id="names of ours"),
    pytest.param("SELECT 1 -- the end", (("1",),), id="comment at the end"),
    pytest.param("SELECT 1 /* ; */ ;  ", (("1",),), id="semicolon at the end"),
    pytest.param("(SELECT 1)", (("1",),), id="in parentheses"),
    pytest.param("SELECT 1 LIMIT 5 OFFSET 0", (("1",),), id="with a limit of its own"),
]


@pytest.mark.parametrize(("sql", "rows"), STATEMENTS)
async def test_each_kind_of_reading_statement_gives_its_rows(
    asker: Asker, sql: str, rows: tuple[tuple[str | None, ...], ...]
) -> None:
    assert tsv.read(await asker.text(sql=sql)).rows == rows


async def test_returning_gives_every_type_exactly(asker: Asker) -> None:
    sql = (
        "INSERT INTO s.item (name, span, pair, at) VALUES ('x', '[2,3)', '(7,1.10)', '-infinity')"
        " RETURNING span, pair, at, ROW(name, 1.5), s.item.*::s.item IS NULL, ARRAY[pair]"
    )

    table = tsv.read(await asker.text(sql=sql, mode="write"))

    assert table.rows == (("[2,3)", "(7,1.10)", "-infinity", "(x,1.5)", "f", '{"(7,1.10)"}'),)


async def test_call_returns_its_inout_parameters_and_notices(asker: Asker) -> None:
    text = await asker.text(sql="CALL s.swap(1, '(2,3.50)')", mode="write")

    assert text.split("\n")[:3] == ["a\tb", "3.50\t(2,3.50)", "-- NOTICE: now 3.50"]


async def test_a_select_without_columns_says_how_many_rows(asker: Asker) -> None:
    table = tsv.read(await asker.text(sql="SELECT FROM generate_series(1, 3)"))

    assert (table.header, table.rows) == (("rows",), (("3",),))


async def test_a_type_made_after_the_connection_was_opened_is_known(
    asker: Asker, cluster: ThrowawayCluster, database: str
) -> None:
    await asker.text(sql="SELECT 1")
    made = "CREATE TYPE s.late AS (a integer, b daterange); CREATE TYPE s.soon AS ENUM ('x')"
    await cluster.execute(made, database=database)

    table = tsv.read(await asker.text(sql="SELECT '(1,empty)'::s.late, ARRAY['x']::s.soon[]"))

    assert table.rows == (("(1,empty)", "{x}"),)


async def test_a_type_that_one_connection_learned_is_text_on_all(
    asker: Asker, cluster: ThrowawayCluster, database: str
) -> None:
    """Left alone, asyncpg reads an array of enum as a list wherever nobody told it otherwise."""
    slow = [asker.text(sql="SELECT pg_sleep(0.2)") for _ in range(3)]
    await asyncio.gather(*slow)
    await cluster.execute("CREATE TYPE s.hue AS ENUM ('red')", database=database)
    sql = (
        "WITH x AS (INSERT INTO s.sink VALUES (1) RETURNING 1)"
        " SELECT ARRAY['red', NULL]::s.hue[] FROM x, pg_sleep(0.1)"
    )
    await asker.text(sql=sql, mode="write")

    answers = await asyncio.gather(*(asker.text(sql=sql, mode="write") for _ in range(3)))

    assert [tsv.read(text).rows for text in answers] == [(("{red,NULL}",),)] * 3


async def test_a_table_changed_since_it_was_prepared_is_read_as_it_is_now(
    asker: Asker, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute("CREATE TABLE s.grows AS SELECT 1 AS a", database=database)
    await asker.text(sql="SELECT * FROM s.grows")
    await cluster.execute("ALTER TABLE s.grows ADD b date DEFAULT 'infinity'", database=database)

    table = tsv.read(await asker.text(sql="SELECT * FROM s.grows"))

    assert (table.header, table.rows) == (("a", "b"), (("1", "infinity"),))


EXTENSIONS = [
    pytest.param("hstore", "'a=>1, b=>NULL'::{}", '"a"=>"1", "b"=>NULL', id="hstore"),
    pytest.param("citext", "'MiXed'::{}", "MiXed", id="citext"),
    pytest.param("ltree", "'Top.Science'::{}", "Top.Science", id="ltree"),
    pytest.param("cube", "'(1, 2),(3, 4)'::{}", "(1, 2),(3, 4)", id="cube"),
    pytest.param("isn", "'978-0-393-04002-9'::isbn13", "978-0-393-04002-9", id="isn"),
    pytest.param("vector", "'[1,2.5]'::{}", "[1,2.5]", id="vector"),
]


@pytest.mark.parametrize(("extension", "expression", "expected"), EXTENSIONS)
async def test_types_of_extensions_come_through(
    asker: Asker, cluster: ThrowawayCluster, extension: str, expression: str, expected: str
) -> None:
    await create_extension(asker, cluster, extension)
    value = expression.format(extension)

    table = tsv.read(await asker.text(sql=f"SELECT {value}, ARRAY[{value}] IS NULL"))

    assert table.rows == ((expected, "f"),)


async def create_extension(asker: Asker, cluster: ThrowawayCluster, name: str) -> None:
    """Create an extension; skip where the server's packages lack it."""
    found = await asker.text(
        sql="SELECT name FROM pg_available_extensions WHERE name = $1", params=[name]
    )
    if not tsv.read(found).rows:
        pytest.skip(f"the extension {name} is not installed on this server")
    database = asker.gateway.databases.default
    await cluster.execute(f"CREATE EXTENSION IF NOT EXISTS {name}", database=database)


JSON_CELLS = [
    pytest.param("true", True, id="bool"),
    pytest.param("NULL::bool", None, id="null"),
    pytest.param("42::int2", 42, id="int2"),
    pytest.param("9007199254740992", 9007199254740992, id="int8 of 53 bits"),
    pytest.param("9007199254740993", "9007199254740993", id="int8 beyond"),
    pytest.param("4294967295::oid", 4294967295, id="oid"),
    pytest.param("0.1::float8", 0.1, id="float8"),
    pytest.param("0.1::float4", 0.1, id="float4"),
    pytest.param("5e-324::float8", 5e-324, id="float8 denormal"),
    pytest.param("'NaN'::float8", "NaN", id="float8 NaN"),
    pytest.param("'Infinity'::float4", "Infinity", id="float4 infinity"),
    pytest.param("1.10", "1.10", id="numeric is text"),
    pytest.param("'{\"a\": 1.10}'::jsonb", '{"a": 1.10}', id="jsonb is text"),
    pytest.param("ARRAY[1, NULL]", "{1,NULL}", id="array is text"),
    pytest.param("ARRAY[true]", "{t}", id="array of bool is text"),
    pytest.param("'t'::text", "t", id="text t is no bool"),
    pytest.param("'7'::xid8", "7", id="xid8 is text"),
    pytest.param("E'a\\tb\\n'", "a\tb\n", id="text has no COPY escapes"),
]


@pytest.mark.parametrize(("expression", "expected"), JSON_CELLS)
async def test_json_has_numbers_only_where_they_are_exact(
    asker: Asker, expression: str, expected: object
) -> None:
    answer = await asker.ask(sql=f"SELECT {expression}", format="json")

    assert answer.structured_content is not None
    (cell,) = answer.structured_content["rows"][0]
    assert (cell, type(cell)) == (expected, type(expected))


async def test_json_names_columns_with_their_types(asker: Asker) -> None:
    sql = "SELECT 1 AS a, 'x'::text AS a, '(1,2)'::s.pair AS b, ARRAY[now()] AS c, NULL AS d"

    answer = await asker.ask(sql=sql, format="json")

    assert answer.structured_content is not None
    assert [tuple(column.values()) for column in answer.structured_content["columns"]] == [
        ("a", "int4"),
        ("a", "text"),
        ("b", "s.pair"),
        ("c", "timestamptz[]"),
        ("d", "text"),
    ]
    assert answer.structured_content["row_count"] == 1
    assert answer.structured_content["more"] is False


async def test_json_of_a_change_says_how_many_rows(asker: Asker) -> None:
    answer = await asker.ask(sql="INSERT INTO s.sink VALUES (1), (2)", mode="write", format="json")

    assert answer.structured_content is not None
    assert answer.structured_content["row_count"] == 2
    assert answer.structured_content["rows"] == []


async def begin(asker: Asker, mode: str) -> str:
    """Begin a transaction and return its handle."""
    begun = await asker.ask("pg_tx", action="begin", mode=mode)
    assert begun.structured_content is not None
    return str(begun.structured_content["session_id"])


async def test_a_transaction_reads_on_after_its_own_definition(
    asker: Asker, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute("CREATE TABLE s.own AS SELECT 1 AS a", database=database)
    handle = await begin(asker, "ddl")
    await asker.text(sql="SELECT a FROM s.own", session_id=handle)
    change = "ALTER TABLE s.own ALTER a TYPE text USING 'one ' || a"
    await asker.text("pg_schema", action="alter", sql=change, session_id=handle)

    table = tsv.read(await asker.text(sql="SELECT a FROM s.own", session_id=handle))
    await asker.text("pg_tx", action="rollback", session_id=handle)

    assert table.rows == (("one 1",),)


async def test_a_transaction_reads_on_after_going_back_behind_its_own_definition(
    asker: Asker, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute("CREATE TABLE s.back AS SELECT 1 AS a", database=database)
    handle = await begin(asker, "ddl")
    await asker.text("pg_tx", action="savepoint", name="before", session_id=handle)
    change = "ALTER TABLE s.back ALTER a TYPE text USING 'one ' || a"
    await asker.text("pg_schema", action="alter", sql=change, session_id=handle)
    await asker.text(sql="SELECT a FROM s.back", session_id=handle)
    await asker.text("pg_tx", action="rollback_to", name="before", session_id=handle)

    table = tsv.read(await asker.text(sql="SELECT a FROM s.back", session_id=handle))
    await asker.text("pg_tx", action="rollback", session_id=handle)

    assert table.rows == (("1",),)
