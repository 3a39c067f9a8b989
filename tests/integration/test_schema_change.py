"""pg_schema create, alter and drop: pieces in one transaction, confirmed, bounded, never queued."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from pgmcp.settings import Limits
from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.schema_shop import SHOP, ask, cells, facts, refusal
from tests.integration.watching import session


@pytest.fixture(scope="module", autouse=True)
async def shop(cluster: ThrowawayCluster, database: str) -> str:
    """Fill the module's database."""
    await cluster.execute(SHOP, database=database)
    return database


@pytest.fixture
def hasty(call: Call) -> Call:
    """Return a call that waits 200 ms for a lock."""
    limits = Limits.model_validate({"lock_timeout": timedelta(milliseconds=200)})
    return replace(call, settings=call.settings.model_copy(update={"limits": limits}))


async def exists(call: Call, name: str, session_id: str | None = None) -> bool:
    """Tell whether a relation of this name is there."""
    return cells(await ask(call, "list", pattern=name, session_id=session_id)) != []


async def test_pieces_run_one_by_one_and_are_listed(call: Call) -> None:
    """Each has its command tag; what PostgreSQL noted says which piece it belongs to."""
    text = await ask(
        call,
        "create",
        sql="""
        -- a table and what belongs to it
        CREATE TABLE shop.made (id bigint PRIMARY KEY, a text);
        COMMENT ON TABLE shop.made IS 'x';
        COMMENT ON COLUMN shop.made.a IS 'y';
        ALTER TABLE shop.made ADD b integer;
        CREATE INDEX ON shop.made (a);
        CREATE TABLE IF NOT EXISTS shop.made (id bigint);
        """,
    )

    assert [row[:2] for row in cells(text)] == [
        ["1", "CREATE TABLE"],
        ["2", "COMMENT"],
        ["3", "COMMENT"],
        ["4", "ALTER TABLE"],
        ["5", "CREATE INDEX"],
        ["6", "CREATE TABLE"],
    ]
    assert '-- statement 6: NOTICE: relation "made" already exists, skipping' in text
    assert text.split("\n")[-1].endswith("committed")
    await ask(call, "drop", sql="DROP TABLE shop.made", confirm="shop.made")


async def test_failed_piece_leaves_nothing_of_the_call(call: Call) -> None:
    """The error says which piece it was, and that nothing was kept."""
    text = await refusal(
        call, "create", sql="CREATE TABLE shop.half (a integer); CREATE TABLE shop.orders (a int)"
    )

    assert "42P07" in text
    assert "in statement 2 of 2, CREATE TABLE" in text
    assert "transaction: rolled back; nothing of this call was kept." in text
    assert not await exists(call, "half")


@pytest.mark.parametrize(
    ("action", "sql", "words"),
    [
        pytest.param("create", "SELECT 1", "Use pg_query", id="a query"),
        pytest.param("alter", "VACUUM shop.orders", "pg_admin action=vacuum", id="vacuum"),
        pytest.param("alter", "COMMIT", "pg_tx", id="commit"),
        pytest.param("create", "CREATE DATABASE x", "pg_admin", id="database"),
        pytest.param("create", "CREATE EXTENSION hstore", "pg_admin", id="extension"),
        pytest.param("alter", "DO 'BEGIN END'", "pg_schema and call it", id="do"),
        pytest.param("alter", "CREATE TABLE a (b int)", "action=create", id="create as alter"),
        pytest.param("create", "DROP TABLE a", "action=drop", id="drop as create"),
        pytest.param("drop", "ALTER TABLE a DROP b", "action=alter", id="alter as drop"),
        pytest.param("create", "ALTER TABLE shop.orders ADD x int", "action=alter", id="alter"),
        pytest.param(
            "create", "CREATE TABLE a (); DROP TABLE a", "(statement 2 of 2)", id="second piece"
        ),
        pytest.param("create", " ", "sql holds no statement", id="nothing"),
        pytest.param("create", "-- nothing", "sql holds no statement", id="a comment"),
        pytest.param("create", "CREATE TABEL x", "42601", id="syntax"),
    ],
)
async def test_what_belongs_elsewhere_names_the_place(
    call: Call, action: str, sql: str, words: str
) -> None:
    """Every refusal names the right tool or action; nothing runs."""
    assert words in await refusal(call, action, sql=sql)


async def test_unknown_relation_names_the_nearest(call: Call) -> None:
    """As a query does."""
    text = await refusal(call, "alter", sql="ALTER TABLE shop.ordrs ADD x integer")

    assert "the nearest names are shop.orders" in text


async def test_drop_needs_confirm_for_all_its_pieces(call: Call) -> None:
    """The refusal prints the value: resolved names, in statement order."""
    await ask(call, "create", sql="CREATE TABLE public.a1 (); CREATE TABLE shop.a2 ()")
    sql = "DROP TABLE a1; DROP TABLE shop.a2"

    refused = await refusal(call, "drop", sql=sql)
    wrong = await refusal(call, "drop", sql=sql, confirm="public.a1")
    kept = await exists(call, "a1")
    dropped = await ask(call, "drop", sql=sql, confirm="public.a1, shop.a2")

    assert 'confirm="public.a1,shop.a2"' in refused
    assert "rolled back" not in refused
    assert "does not match" in wrong
    assert kept
    assert [row[1] for row in cells(dropped)] == ["DROP TABLE", "DROP TABLE"]


async def test_drop_column_needs_confirm(call: Call) -> None:
    """ALTER destroys as well."""
    await ask(call, "create", sql="CREATE TABLE shop.c (a integer, b integer)")

    refused = await refusal(call, "alter", sql="ALTER TABLE shop.c DROP COLUMN a")
    await ask(call, "alter", sql="ALTER TABLE shop.c DROP COLUMN a", confirm="shop.c.a")

    assert 'confirm="shop.c.a"' in refused
    assert "a integer" not in await ask(call, "describe", name="shop.c")
    await ask(call, "drop", sql="DROP TABLE shop.c", confirm="shop.c")


async def test_function_that_deletes_when_called_needs_no_confirm(call: Call) -> None:
    """Creating it deletes nothing."""
    sql = """
    CREATE FUNCTION shop.clear() RETURNS void LANGUAGE sql
    BEGIN ATOMIC DELETE FROM shop.order_items; END
    """

    text = await ask(call, "create", sql=sql)

    assert cells(text)[0][1] == "CREATE FUNCTION"
    await ask(call, "drop", sql="DROP FUNCTION shop.clear()", confirm="shop.clear()")


async def test_tables_from_queries_and_refresh(call: Call) -> None:
    """CREATE TABLE AS and REFRESH are DDL, too."""
    made = await ask(call, "create", sql="CREATE TABLE shop.copy AS SELECT 1 AS a")
    refreshed = await ask(call, "alter", sql="REFRESH MATERIALIZED VIEW shop.sums")

    assert cells(made)[0][1] == "SELECT 1"
    assert cells(refreshed)[0][1] == "REFRESH MATERIALIZED VIEW"
    await ask(call, "drop", sql="DROP TABLE shop.copy", confirm="shop.copy")


async def test_select_into_makes_a_table(call: Call) -> None:
    """An old spelling of CREATE TABLE AS."""
    made = await ask(call, "create", sql="SELECT 1 AS a INTO shop.old_spelling")

    assert cells(made)[0][1] == "SELECT 1"
    assert await exists(call, "old_spelling")
    await ask(call, "drop", sql="DROP TABLE shop.old_spelling", confirm="shop.old_spelling")


async def test_json_lists_the_pieces_and_notices(call: Call) -> None:
    """The same as an object."""
    found = await facts(call, "create", sql="CREATE SCHEMA IF NOT EXISTS shop")

    assert found["rows"] == [["1", "CREATE SCHEMA", "CREATE SCHEMA IF NOT EXISTS shop"]]
    assert found["notices"] == ['NOTICE: schema "shop" already exists, skipping']


async def test_ddl_waits_shortly_for_a_lock(
    hasty: Call, cluster: ThrowawayCluster, database: str
) -> None:
    """Everybody would queue behind it; the error says so."""
    async with session(cluster, database) as other:
        await other.execute("BEGIN; SELECT FROM shop.orders LIMIT 1")
        started = time.monotonic()

        text = await refusal(hasty, "alter", sql="ALTER TABLE shop.orders ADD late integer")

    assert time.monotonic() - started < 2
    assert "55P03" in text
    assert "all others would queue behind it" in text
    assert "nothing of this call was kept" in text


async def test_parameters_of_other_actions_are_refused(call: Call) -> None:
    """Each action lists what it takes, in the names of the wire."""
    missing = await refusal(call, "create")
    unknown = await refusal(call, "drop", sql="DROP TABLE x", schema="shop")

    assert "action=create needs sql." in missing
    assert "action=drop does not take schema. It takes: sql, database, dry_run" in unknown
