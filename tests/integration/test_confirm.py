"""What destroys data waits for its names: nothing is done before, and only the names open it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pgmcp.settings import load
from tests import tsv
from tests.asking import Asker, asking
from tests.cluster import ThrowawayCluster

CLEAR = """
DROP SCHEMA IF EXISTS shop CASCADE;
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
"""
SETUP = """
CREATE SCHEMA shop;
CREATE TABLE shop.orders AS SELECT generate_series(1, 500) AS id;
CREATE TABLE shop."Odd, name" AS SELECT 1 AS id;
CREATE TABLE shop."quo""ted" AS SELECT 1 AS id;
CREATE TABLE public.orders AS SELECT generate_series(1, 3) AS id;
CREATE TABLE public.other AS SELECT 1 AS id;
CREATE TABLE public.part (id integer) PARTITION BY RANGE (id);
CREATE TABLE public.part_1 PARTITION OF public.part FOR VALUES FROM (0) TO (9);
INSERT INTO public.part VALUES (1);
CREATE VIEW public.seen AS SELECT id FROM public.orders;
ANALYZE shop.orders;
"""


@pytest.fixture
async def asker(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Asker]:
    await cluster.execute(f"{CLEAR}{SETUP}", database=database)
    async with asking(load(environ=cluster.environment(database))) as made:
        yield made


async def count(asker: Asker, table: str) -> str | None:
    """Return how many rows a table has."""
    return tsv.read(await asker.text(sql=f"SELECT count(*) FROM {table}")).rows[0][0]


DESTRUCTIVE = [
    pytest.param("DELETE FROM shop.orders", "shop.orders", "shop.orders", id="DELETE"),
    pytest.param("DELETE FROM orders", "public.orders", "public.orders", id="search_path"),
    pytest.param(
        "DELETE FROM only shop.orders AS o RETURNING id", "shop.orders", "shop.orders", id="ONLY"
    ),
    pytest.param(
        "DELETE FROM shop.orders USING other", "shop.orders", "shop.orders", id="DELETE USING"
    ),
    pytest.param("DELETE FROM other WHERE 1 = 1", "public.other", "other", id="WHERE 1 = 1"),
    pytest.param("DELETE FROM other WHERE true", "public.other", "other", id="WHERE true"),
    pytest.param("UPDATE other SET id = 2", "public.other", None, id="UPDATE"),
    pytest.param("UPDATE seen SET id = 2", "public.seen", None, id="UPDATE of a view"),
    pytest.param("TRUNCATE shop.orders", "shop.orders", "shop.orders", id="TRUNCATE"),
    pytest.param(
        "TRUNCATE other, shop.orders", "public.other,shop.orders", "shop.orders", id="TRUNCATE two"
    ),
    pytest.param("TRUNCATE part", "public.part", "part", id="TRUNCATE of a partitioned table"),
    pytest.param(
        'DELETE FROM shop."Odd, name"', 'shop."Odd, name"', 'shop."Odd, name"', id="comma"
    ),
    pytest.param('DELETE FROM shop."quo""ted"', 'shop."quo""ted"', 'shop."quo""ted"', id="quote"),
    pytest.param(
        "WITH d AS (DELETE FROM shop.orders RETURNING id) SELECT count(*) FROM d",
        "shop.orders",
        "shop.orders",
        id="in a CTE",
    ),
    pytest.param(
        "WITH d AS (DELETE FROM other RETURNING 1) UPDATE orders SET id = 1",
        "public.other,public.orders",
        "other",
        id="two in one",
    ),
    pytest.param(
        "WITH o AS (DELETE FROM orders RETURNING *), p AS (DELETE FROM orders) TABLE o",
        "public.orders",
        None,
        id="one name once",
    ),
]


@pytest.mark.parametrize(("sql", "wanted", "emptied"), DESTRUCTIVE)
async def test_the_refusal_prints_what_opens_it(
    asker: Asker, sql: str, wanted: str, emptied: str | None
) -> None:
    table = emptied or "other"
    before = await count(asker, table)

    refusal = await asker.refusal(sql=sql, mode="write")
    between = await count(asker, table)
    await asker.text(sql=sql, mode="write", confirm=wanted)

    assert "not confirmed, nothing was done." in refusal
    assert f'confirm="{wanted}"' in refusal
    assert between == before != "0"
    assert emptied is None or await count(asker, emptied) == "0"


WRONG = [
    pytest.param("orders", id="without the schema"),
    pytest.param("public.orders", id="another schema's"),
    pytest.param("SHOP.ORDERS", id="upper case"),
    pytest.param("yes", id="yes"),
    pytest.param("true", id="true"),
    pytest.param("shop.orders,public.orders", id="one too many"),
    pytest.param("shop.orders;", id="semicolon"),
    pytest.param("", id="empty"),
    pytest.param("*", id="star"),
]


@pytest.mark.parametrize("confirm", WRONG)
async def test_anything_else_opens_nothing(asker: Asker, confirm: str) -> None:
    refusal = await asker.refusal(sql="DELETE FROM shop.orders", mode="write", confirm=confirm)

    assert 'repeat the call with confirm="shop.orders"' in refusal
    assert ("does not match" in refusal) == bool(confirm)
    assert await count(asker, "shop.orders") == "500"


async def test_spaces_around_commas_do_not_count(asker: Asker) -> None:
    sql = "TRUNCATE other, shop.orders"

    await asker.text(sql=sql, mode="write", confirm=" public.other ,  shop.orders ")

    assert await count(asker, "shop.orders") == "0"


async def test_the_refusal_says_how_much_it_is(asker: Asker) -> None:
    refusal = await asker.refusal(sql="DELETE FROM shop.orders", mode="write")

    assert "It would DELETE without WHERE: shop.orders, 500 rows." in refusal


UNASKED = [
    pytest.param("DELETE FROM shop.orders WHERE id = 1", "DELETE 1", id="DELETE WHERE"),
    pytest.param("UPDATE shop.orders SET id = 0 WHERE id = 1", "UPDATE 1", id="UPDATE WHERE"),
    pytest.param("INSERT INTO shop.orders VALUES (1)", "INSERT 0 1", id="INSERT"),
    pytest.param("DELETE FROM shop.orders WHERE id > 0", "DELETE 500", id="a column is a choice"),
    pytest.param(
        "INSERT INTO shop.orders AS o VALUES (1) ON CONFLICT DO NOTHING", "INSERT 0 1", id="upsert"
    ),
]


@pytest.mark.parametrize(("sql", "tag"), UNASKED)
async def test_what_is_aimed_needs_no_confirmation(asker: Asker, sql: str, tag: str) -> None:
    assert f"-- {tag}, " in await asker.text(sql=sql, mode="write")


async def test_what_does_not_exist_is_postgresqls_to_say(asker: Asker) -> None:
    assert "error 42P01" in await asker.refusal(sql="TRUNCATE nowhere", mode="write")


async def test_an_explained_delete_needs_no_confirmation_and_does_nothing(asker: Asker) -> None:
    sql = "DELETE FROM shop.orders"

    text = await asker.text(sql=sql, mode="write", explain="analyze")

    assert "Delete on shop.orders" in text
    assert "actual" in text
    assert await count(asker, "shop.orders") == "500"


async def test_a_temporary_table_that_hides_another_is_the_one_named(asker: Asker) -> None:
    """Names are resolved on the transaction's own connection, so the confirmation is exact."""
    begun = await asker.ask("pg_tx", action="begin", mode="ddl")
    assert begun.structured_content is not None
    handle = begun.structured_content["session_id"]
    await asker.text(
        "pg_schema", action="create", sql="CREATE TEMP TABLE orders (id int)", session_id=handle
    )

    refusal = await asker.refusal(sql="DELETE FROM orders", session_id=handle)
    stale = await asker.refusal(
        sql="DELETE FROM orders", session_id=handle, confirm="public.orders"
    )

    assert 'confirm="pg_temp_' in refusal
    assert "does not match" in stale
    assert f"transaction: {handle[:8]}… is open and unchanged by this." in refusal
    assert await count(asker, "public.orders") == "3"


async def test_a_confirmation_holds_inside_a_transaction(asker: Asker) -> None:
    begun = await asker.ask("pg_tx", action="begin", mode="write")
    assert begun.structured_content is not None
    handle = begun.structured_content["session_id"]

    await asker.text(sql="DELETE FROM shop.orders", session_id=handle, confirm="shop.orders")
    await asker.text("pg_tx", action="rollback", session_id=handle)

    assert await count(asker, "shop.orders") == "500"
