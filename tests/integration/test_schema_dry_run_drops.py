"""pg_schema dry_run of a drop: what goes along, who is in the way, and that all is still there."""

from __future__ import annotations

import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.schema_shop import SHOP, ask, tried


@pytest.fixture(scope="module", autouse=True)
async def shop(cluster: ThrowawayCluster, database: str) -> str:
    """Fill the module's database."""
    await cluster.execute(SHOP, database=database)
    return database


async def test_cascade_lists_what_goes_along(call: Call) -> None:
    """From PostgreSQL's notices, all of them."""
    report = await tried(call, "drop", "DROP TABLE shop.orders CASCADE")
    single = await tried(call, "drop", "DROP TABLE shop.customers CASCADE")

    assert report["cascade_takes"] == [
        "constraint order_items_order_id_fkey on table shop.order_items",
        "view shop.recent",
        "materialized view shop.sums",
    ]
    assert {entry["relation"] for entry in report["dropped"]} == {
        "shop.orders",
        "shop.recent",
        "shop.sums",
    }
    assert single["cascade_takes"] == ["constraint orders_customer_id_fkey on table shop.orders"]


async def test_what_is_no_relation_is_told_as_dropped(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute(
        'CREATE TYPE shop.gone AS ENUM (); CREATE DOMAIN shop."Gone too" AS text;'
        "CREATE FUNCTION shop.going(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        database=database,
    )
    sql = (
        'DROP TYPE shop.gone; DROP DOMAIN shop."Gone too"; DROP FUNCTION shop.going(int);'
        "DROP TYPE IF EXISTS shop.never"
    )

    report = await tried(call, "drop", sql)

    assert report["dropped"] == [
        {"object": "shop.gone", "kind": "type"},
        {"object": 'shop."Gone too"', "kind": "domain"},
        {"object": "shop.going(int4)", "kind": "function"},
    ]


async def test_drop_without_cascade_names_who_needs_it(call: Call) -> None:
    """It would fail; the dependants are PostgreSQL's own list."""
    report = await tried(call, "drop", "DROP TABLE shop.orders")

    assert report["outcome"] == "would fail"
    assert report["error"]["sqlstate"] == "2BP01"
    assert report["dependants"] == [
        "constraint order_items_order_id_fkey on table shop.order_items",
        "view shop.recent",
        "materialized view shop.sums",
    ]


async def test_dependants_beyond_a_hundred_are_counted(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    """PostgreSQL lists a hundred; the rest is not lost silently."""
    views = "".join(f"CREATE VIEW many.v{number} AS SELECT 1 AS a;" for number in range(130))
    await cluster.execute(f"CREATE SCHEMA many; {views}", database=database)

    taken = await tried(call, "drop", "DROP SCHEMA many CASCADE")
    needed = await tried(call, "drop", "DROP SCHEMA many")
    await cluster.execute("DROP SCHEMA many CASCADE", database=database)

    assert len(taken["dropped"]) == 131
    assert taken["dropped"][-1] == {"object": "many", "kind": "schema"}
    assert len(taken["cascade_takes"]) == 101
    assert taken["cascade_takes"][-1] == "and 30 other objects (see server log for list)"
    assert needed["dependants"][-1] == "and 30 other objects (see server log for list)"


async def test_dry_run_needs_no_confirm_and_drops_nothing(call: Call) -> None:
    """It is how one finds out what to confirm."""
    report = await tried(call, "drop", "DROP VIEW shop.recent")

    assert report["outcome"] == "would succeed"
    assert "recent" in await ask(call, "list", pattern="recent")
