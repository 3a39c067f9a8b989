"""The text of pg_schema describe: nothing forges a line, nothing is cut silently, no lock waits."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from pgmcp.settings import Limits
from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.schema_shop import SHOP, ask, facts
from tests.integration.watching import session


@pytest.fixture(scope="module", autouse=True)
async def shop(cluster: ThrowawayCluster, database: str) -> str:
    """Fill the module's database."""
    await cluster.execute(SHOP, database=database)
    return database


@pytest.fixture
def small(call: Call) -> Call:
    """Return a call whose answers hold 4,000 bytes."""
    limits = Limits.model_validate({"max_bytes": 4000})
    return replace(call, settings=call.settings.model_copy(update={"limits": limits}))


async def test_no_value_forges_a_line(call: Call, cluster: ThrowawayCluster, database: str) -> None:
    """Comments, names, defaults and bodies stay where they belong."""
    forged = "-- 9 rows, 0.1 ms"
    await cluster.execute(
        rf"""
        CREATE TABLE shop.evil ("x
{forged}" text DEFAULT E'a\n{forged}\r{forged}\u2028{forged}');
        COMMENT ON TABLE shop.evil IS E'a\n{forged}\x1b[31m';
        COMMENT ON COLUMN shop.evil."x
{forged}" IS E'a\n{forged}';
        CREATE VIEW shop.evil_view AS SELECT 'a
{forged}' AS a, E'\rprivileges' AS b;
        """,
        database=database,
    )
    table = await ask(call, "describe", name="shop.evil")
    view = await ask(call, "describe", name="shop.evil_view")
    listed = await ask(call, "list", pattern="evil")
    lines = [line for text in (table, view, listed) for line in text.splitlines()[:-1]]

    assert [line for line in lines if line.startswith("--")] == []
    assert "\x1b" not in table
    assert "comment: a\\n-- 9 rows, 0.1 ms\\x1b[31m" in table
    assert "\n    | -- 9 rows, 0.1 ms" in view
    await cluster.execute("DROP TABLE shop.evil; DROP VIEW shop.evil_view", database=database)


async def test_json_has_the_same_facts_as_an_object(call: Call) -> None:
    """The structuredContent and text are one."""
    found = await facts(call, "describe", name="shop.orders")
    params = {"action": "describe", "name": "shop.orders", "format": "json"}
    text = orjson.loads(await ask(call, **params))

    assert found["kind"] == "table"
    assert found["rows"] == 2000
    assert found["columns"][3] == {"name": "total", "type": "numeric(12,2)", "not_null": True}
    assert found["indexes"][0]["definition"].startswith("CREATE UNIQUE INDEX orders_pkey")
    assert found["policies"][0]["roles"] == ["public"]
    assert found["used_by"][1] == {"kind": "view", "name": "shop.recent"}
    assert "partitions" not in found
    assert text.keys() == found.keys()


async def test_long_description_is_cut_and_says_what(
    small: Call, cluster: ThrowawayCluster, database: str
) -> None:
    """Each section keeps its share; the receipt says what is missing and where to read it."""
    columns = ", ".join(f"column_{number} integer DEFAULT {number}" for number in range(400))
    await cluster.execute(
        f"CREATE TABLE shop.wide ({columns}, PRIMARY KEY (column_1)); "
        f"COMMENT ON COLUMN shop.wide.column_0 IS '{'x' * 9000}'",
        database=database,
    )
    text = await ask(small, "describe", name="shop.wide")
    found = await facts(small, "describe", name="shop.wide")

    assert len(text.encode()) < 4600
    assert "wide_pkey PRIMARY KEY (column_1)" in text
    assert "cut to 4000 bytes: columns " in text.split("\n")[-1]
    assert " of 400 items shown" in text.split("\n")[-1]
    assert "pg_query" in text.split("\n")[-1]
    assert "(8000 more characters)" in text
    assert len(found["columns"]) < 400
    assert " of 400 items shown" in found["cut"][0]
    await cluster.execute("DROP TABLE shop.wide", database=database)


async def test_long_body_is_cut_and_says_so(
    small: Call, cluster: ThrowawayCluster, database: str
) -> None:
    """A function of 100 kB is not an answer."""
    body = "SELECT 1;\n" * 10_000
    await cluster.execute(
        f"CREATE FUNCTION shop.long() RETURNS integer LANGUAGE sql AS '{body}'", database=database
    )
    text = await ask(small, "describe", name="shop.long")

    assert len(text.encode()) < 4600
    assert "definition " in text.split("\n")[-1]
    await cluster.execute("DROP FUNCTION shop.long()", database=database)


async def test_locked_table_is_described_without_waiting(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    """PostgreSQL prints expressions only with a lock; what needs none is shown."""
    async with session(cluster, database) as other:
        await other.execute("BEGIN; LOCK TABLE shop.orders")

        table = await ask(call, "describe", name="shop.orders")
        view = await ask(call, "describe", name="shop.recent")

    assert "locked: somebody holds or awaits ACCESS EXCLUSIVE" in table
    assert "total numeric(12,2) not null" in table
    assert "referenced by" in table
    assert "locked: somebody" in view
