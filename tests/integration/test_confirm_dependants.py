"""A question names what goes along with what is destroyed, and tells namesakes apart."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pgmcp.settings import load
from tests.asking import Asker, asking
from tests.cluster import ThrowawayCluster

RELATED = """
CREATE SCHEMA rel;
CREATE TABLE rel.a (id integer PRIMARY KEY, up integer REFERENCES rel.a);
CREATE TABLE rel.b (id integer PRIMARY KEY REFERENCES rel.a ON DELETE CASCADE);
CREATE TABLE rel.c (id integer REFERENCES rel.b ON DELETE CASCADE) PARTITION BY RANGE (id);
CREATE TABLE rel.c_1 PARTITION OF rel.c FOR VALUES FROM (0) TO (9);
CREATE TABLE rel.d (id integer REFERENCES rel.a);
CREATE VIEW rel.seen AS SELECT id FROM rel.a;
CREATE VIEW rel.seen_twice AS SELECT id FROM rel.seen;
CREATE TYPE rel.mood AS ENUM ('good');
CREATE TABLE rel.felt (mood rel.mood);
CREATE FUNCTION rel.f(a integer, b text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION rel.f(a rel.mood[]) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE VIEW rel.called AS SELECT rel.f(1, 'x') AS f;
CREATE SCHEMA full_of;
"""
VIEWS = "".join(f"CREATE VIEW full_of.v{number:02} AS SELECT 1 AS a;" for number in range(13))
FIRST = ", ".join(f"view full_of.v{number:02}" for number in range(10))


@pytest.fixture
async def related(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Asker]:
    """Call tools where relations depend on each other; they are made for each test."""
    await cluster.execute(RELATED + VIEWS, database=database)
    async with asking(load(environ=cluster.environment(database))) as asker:
        yield asker
    await cluster.execute("DROP SCHEMA rel CASCADE; DROP SCHEMA full_of CASCADE", database=database)


EMPTIED = [
    pytest.param(
        "TRUNCATE rel.a CASCADE", "rel.a, 0 rows, also empties rel.b, rel.c, rel.d", id="TRUNCATE"
    ),
    pytest.param("TRUNCATE rel.b CASCADE", "rel.b, 0 rows, also empties rel.c", id="nearer"),
    pytest.param("TRUNCATE rel.d CASCADE", "rel.d, 0 rows", id="TRUNCATE of a leaf"),
    pytest.param("DELETE FROM rel.a", "rel.a, 0 rows, rows go in rel.b, rel.c", id="DELETE"),
    pytest.param("UPDATE rel.a SET id = 1", "rel.a, 0 rows", id="UPDATE"),
]


@pytest.mark.parametrize(("sql", "told"), EMPTIED)
async def test_the_tables_that_go_along_are_named_but_not_confirmed(
    related: Asker, sql: str, told: str
) -> None:
    refusal = await related.refusal(sql=sql, mode="write")
    name = told.partition(",")[0]

    assert f": {told}.\n" in refusal
    assert f'confirm="{name}"' in refusal
    assert "dry_run" not in refusal
    await related.text(sql=sql, mode="write", confirm=name)


DROPPED = [
    pytest.param(
        "DROP TABLE rel.a CASCADE",
        "rel.a",
        ", 0 rows, also drops foreign key b_id_fkey on rel.b, foreign key d_id_fkey on rel.d, "
        "view rel.seen, view rel.seen_twice.",
        id="table",
    ),
    pytest.param("DROP VIEW rel.seen CASCADE", "rel.seen", "view rel.seen_twice.", id="view"),
    pytest.param("DROP TYPE rel.mood CASCADE", "rel.mood", "column rel.felt.mood", id="type"),
    pytest.param(
        "DROP FUNCTION rel.f(int, text) CASCADE",
        "rel.f(integer,text)",
        ", also drops view rel.called.",
        id="function",
    ),
    pytest.param("DROP SCHEMA full_of CASCADE", "full_of", f"{FIRST} and 3 more.", id="schema"),
]


@pytest.mark.parametrize(("sql", "name", "told"), DROPPED)
async def test_what_a_cascading_drop_takes_is_named(
    related: Asker, sql: str, name: str, told: str
) -> None:
    refusal = await related.refusal("pg_schema", action="drop", sql=sql)

    assert told in refusal
    assert f'confirm="{name}"; pg_schema dry_run=true shows all' in refusal


async def test_what_a_column_takes_along_is_named(related: Asker) -> None:
    sql = "ALTER TABLE rel.a DROP COLUMN id CASCADE"

    refusal = await related.refusal("pg_schema", action="alter", sql=sql)

    told = "DROP COLUMN CASCADE: rel.a.id, 0 rows, also drops foreign key a_up_fkey on rel.a, "
    assert told in refusal


async def test_functions_of_one_name_are_told_apart(related: Asker) -> None:
    one, two = "DROP FUNCTION rel.f(int, text)", "DROP FUNCTION rel.f(rel.mood[])"

    first = await related.refusal("pg_schema", action="drop", sql=one)
    second = await related.refusal("pg_schema", action="drop", sql=two)
    swapped = await related.refusal(
        "pg_schema", action="drop", sql=two, confirm="rel.f(integer, text)"
    )
    await related.text("pg_schema", action="drop", sql=two, confirm="rel.f(rel.mood[])")

    assert 'confirm="rel.f(integer,text)"' in first
    assert 'confirm="rel.f(rel.mood[])"' in second
    assert "does not match" in swapped
