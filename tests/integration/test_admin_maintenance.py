"""pg_admin's upkeep: VACUUM, ANALYZE and REINDEX, of one table, a schema or the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.administering import calling, one, refusal, report, role, rows, session

MADE = """
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, note text) WITH (autovacuum_enabled = off);
INSERT INTO shop.orders SELECT i, repeat('x', 100) FROM generate_series(1, 5000) AS i;
CREATE TABLE shop."Odd ""T"" Table" (id int);
CREATE MATERIALIZED VIEW shop.totals AS SELECT count(*) FROM shop.orders;
CREATE TABLE shop.parts (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX parts_id ON shop.parts (id);
"""
SINCE_MAINTAIN = 17


@pytest.fixture(scope="module")
async def shop(cluster: ThrowawayCluster, database: str) -> str:
    """Make a schema with tables of several kinds."""
    await cluster.execute(MADE, database=database)
    return database


@pytest.fixture
async def unique(cluster: ThrowawayCluster, shop: str) -> AsyncIterator[None]:
    """Make a table whose unique index cannot be built again: it holds the same value twice."""
    await cluster.execute(
        "CREATE TABLE shop.twice (id int); CREATE UNIQUE INDEX twice_id ON shop.twice (id);"
        "INSERT INTO shop.twice VALUES (1);"
        "UPDATE pg_index SET indisready = false WHERE indexrelid = 'shop.twice_id'::regclass;",
        database=shop,
    )
    await cluster.execute("INSERT INTO shop.twice VALUES (1)", database=shop)
    yield
    await cluster.execute("DROP TABLE shop.twice", database=shop)


@pytest.mark.usefixtures("shop")
async def test_full_vacuum_gives_the_space_back(
    cluster: ThrowawayCluster, database: str, call: Call
) -> None:
    await cluster.execute("DELETE FROM shop.orders WHERE id > 100", database=database)

    answer = await one(
        call, "vacuum", schema="shop", table="orders", full=True, attributes=["ANALYZE"]
    )

    assert answer["command"] == "VACUUM (FULL, ANALYZE)"
    assert answer["table"] == "shop.orders"
    assert answer["rows"] == "100"
    assert (answer["size_before"], answer["size_after"]) != (answer["size_after"],) * 2


@pytest.mark.parametrize("table", ['Odd "T" Table', "totals", "parts"])
@pytest.mark.usefixtures("shop")
async def test_any_kind_of_table_is_maintained(call: Call, table: str) -> None:
    vacuumed = await one(call, "vacuum", schema="shop", table=table)
    analyzed = await one(call, "analyze", schema="shop", table=table)

    assert vacuumed["table"] == analyzed["table"]


@pytest.mark.usefixtures("shop")
async def test_a_name_with_its_schema_is_understood(call: Call) -> None:
    plain = await one(call, "analyze", table="shop.orders")
    odd = await one(call, "analyze", table='shop."Odd ""T"" Table"')

    assert plain["table"] == "shop.orders"
    assert odd["table"] == 'shop."Odd ""T"" Table"'


@pytest.mark.usefixtures("shop")
async def test_a_schema_is_maintained_table_by_table(call: Call) -> None:
    found = await rows(call, "analyze", schema="shop")

    assert [row["table"] for row in found] == [
        'shop."Odd ""T"" Table"',
        "shop.orders",
        "shop.parts_1",
        "shop.totals",
    ]


@pytest.mark.parametrize("action", ["vacuum", "analyze", "reindex"])
async def test_the_whole_database_is_maintained(call: Call, shop: str, action: str) -> None:
    answer = await one(call, action)

    assert answer["database"] == shop
    assert answer["command"].startswith(action.upper())


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        pytest.param(
            {"schema": "shop", "table": "orders"},
            "REINDEX TABLE CONCURRENTLY shop.orders",
            id="table",
        ),
        pytest.param(
            {"schema": "shop", "name": "orders_pkey"},
            "REINDEX INDEX CONCURRENTLY shop.orders_pkey",
            id="index",
        ),
        pytest.param(
            {"name": "shop.parts_id"}, "REINDEX INDEX CONCURRENTLY shop.parts_id", id="partitioned"
        ),
        pytest.param({"schema": "shop"}, 'REINDEX SCHEMA CONCURRENTLY "shop"', id="schema"),
        pytest.param(
            {"table": "shop.orders", "full": True}, "REINDEX TABLE shop.orders", id="plain"
        ),
    ],
)
@pytest.mark.usefixtures("shop")
async def test_indexes_are_rebuilt(call: Call, arguments: dict[str, object], command: str) -> None:
    assert (await one(call, "reindex", **arguments))["command"] == command


@pytest.mark.usefixtures("unique")
async def test_a_failed_rebuild_names_the_invalid_index_it_left(call: Call) -> None:
    text = await refusal(call, "reindex", schema="shop", name="twice_id")

    assert "error 23505: could not create unique index" in text
    assert "It left behind invalid indexes" in text
    assert "DROP INDEX CONCURRENTLY shop.twice_id_ccnew;" in text


@pytest.mark.parametrize(
    ("action", "arguments", "words"),
    [
        pytest.param(
            "vacuum",
            {"table": "shop.ordrs"},
            'table "shop.ordrs" does not exist in database',
            id="table",
        ),
        pytest.param(
            "analyze",
            {"schema": "shop", "table": "orders_pkey"},
            "shop.orders_pkey is not a table",
            id="kind",
        ),
        pytest.param("vacuum", {"schema": "nope"}, 'schema "nope" holds no tables', id="schema"),
        pytest.param(
            "reindex", {"name": "a", "table": "b"}, "Give one of them", id="index and table"
        ),
        pytest.param(
            "reindex", {"schema": "nope"}, 'error 3F000: schema "nope" does not exist', id="none"
        ),
        pytest.param(
            "vacuum",
            {"table": "shop.orders", "attributes": ["VERBOSE"]},
            "Known are: ANALYZE; FREEZE; SKIP_LOCKED",
            id="option",
        ),
        pytest.param("analyze", {"full": True}, "does not take full", id="parameter"),
    ],
)
@pytest.mark.usefixtures("shop")
async def test_what_cannot_be_maintained_is_refused(
    call: Call, action: str, arguments: dict[str, object], words: str
) -> None:
    assert words in await refusal(call, action, **arguments)


async def test_the_nearest_tables_are_named(call: Call, shop: str) -> None:
    assert "The nearest names are: shop.orders" in await refusal(
        call, "vacuum", database=shop, table="shop.ordrs"
    )


async def test_a_table_of_somebody_else_is_an_error_although_postgresql_only_warns(
    cluster: ThrowawayCluster, shop: str
) -> None:
    since_17 = cluster.major >= SINCE_MAINTAIN
    async with role(cluster, "admin_plain"):
        await cluster.execute("GRANT USAGE ON SCHEMA shop TO admin_plain", database=shop)
        async with calling(cluster, shop, "admin_plain") as plain:
            vacuumed = await refusal(plain, "vacuum", table="shop.orders")
            reindexed = await refusal(plain, "reindex", table="shop.orders")
            whole = await report(plain, "analyze")
        await cluster.execute("DROP OWNED BY admin_plain", database=shop)

    grant = "GRANT MAINTAIN ON shop.orders TO admin_plain" if since_17 else "only the owners of"
    assert "VACUUM would skip shop.orders" in vacuumed
    assert grant in vacuumed
    assert grant in reindexed
    assert "skipped: not owned by the gateway's role" in whole["remarks"][0]


async def test_the_privilege_to_maintain_is_enough_from_17_on(
    cluster: ThrowawayCluster, shop: str
) -> None:
    if cluster.major < SINCE_MAINTAIN:
        pytest.skip(f"MAINTAIN is from PostgreSQL 17 on, this is {cluster.major}")
    async with role(cluster, "admin_plain"):
        await cluster.execute(
            "GRANT USAGE ON SCHEMA shop TO admin_plain;"
            "GRANT MAINTAIN ON shop.orders TO admin_plain",
            database=shop,
        )
        async with calling(cluster, shop, "admin_plain") as plain:
            vacuumed = await one(plain, "vacuum", table="shop.orders")
            reindexed = await one(plain, "reindex", table="shop.orders")
        await cluster.execute("DROP OWNED BY admin_plain", database=shop)

    assert vacuumed["table"] == "shop.orders"
    assert reindexed["command"] == "REINDEX TABLE CONCURRENTLY shop.orders"


async def test_progress_is_told_while_it_lasts(
    cluster: ThrowawayCluster, shop: str, call: Call
) -> None:
    """An old transaction holds REINDEX CONCURRENTLY up until progress was told once."""
    told: asyncio.Queue[str] = asyncio.Queue()

    async def progress(_done: float, _total: float | None, message: str) -> None:
        await told.put(message)

    async with session(cluster, shop) as other:
        await other.execute(
            "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM shop.orders"
        )
        running = asyncio.create_task(
            one(replace(call, progress=progress), "reindex", table="shop.orders")
        )
        message = await asyncio.wait_for(told.get(), 10)
        await other.execute("ROLLBACK")
        await asyncio.wait_for(running, 20)

    assert message.startswith("REINDEX TABLE CONCURRENTLY shop.orders: ")


async def test_a_cancelled_call_cancels_the_command_on_the_server(
    cluster: ThrowawayCluster, shop: str, call: Call
) -> None:
    async with session(cluster, shop) as other, session(cluster, shop) as looker:
        await other.execute("BEGIN; LOCK TABLE shop.orders IN SHARE UPDATE EXCLUSIVE MODE")
        running = asyncio.create_task(one(call, "vacuum", table="shop.orders"))
        await _until(looker, running=1)

        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

        await _until(looker, running=0)
        await other.execute("ROLLBACK")
    assert running.cancelled()


async def _until(looker: asyncpg.Connection[asyncpg.Record], *, running: int) -> None:
    """Wait until so many VACUUMs of a table are running."""
    async with asyncio.timeout(5):
        while True:
            found = await looker.fetchval(
                "SELECT count(*) FROM pg_stat_activity, pg_sleep(0.02) "
                "WHERE query ~ '^VACUUM shop' AND state = 'active'"
            )
            if found == running:
                return
