"""pg_schema inside a transaction across calls: what it does, tries and leaves as it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.schema_shop import SHOP, Json, ask, cells, facts, refusal
from tests.integration.watching import eventually


@pytest.fixture(scope="module", autouse=True)
async def shop(cluster: ThrowawayCluster, database: str) -> str:
    """Fill the module's database."""
    await cluster.execute(SHOP, database=database)
    return database


@pytest.fixture
async def handle(call: Call) -> AsyncIterator[str]:
    """Begin a transaction with mode=ddl and roll it back afterwards."""
    begun = await call.transactions.begin(database=None, mode="ddl", isolation="read committed")
    yield begun.handle
    await call.transactions.rollback(begun.handle)


async def exists(call: Call, name: str, session_id: str | None = None) -> bool:
    """Tell whether a relation of this name is there."""
    return cells(await ask(call, "list", pattern=name, session_id=session_id)) != []


async def tried(call: Call, action: str, sql: str, **more: object) -> Json:
    """Return the report of one dry run."""
    return await facts(call, action, sql=sql, dry_run=True, **more)


async def test_ddl_in_a_transaction_is_undone_with_it(call: Call, handle: str) -> None:
    """The transaction decides; the receipt says that it is open."""
    text = await ask(call, "create", sql="CREATE TABLE shop.in_tx ()", session_id=handle)

    assert text.endswith("open until commit")
    assert await exists(call, "in_tx", session_id=handle)
    assert not await exists(call, "in_tx")


async def test_ddl_leaves_the_transactions_own_limits(call: Call, handle: str) -> None:
    """Its short lock_timeout is the call's, not the transaction's."""
    await ask(call, "create", sql="CREATE TABLE shop.limits ()", session_id=handle)

    async with call.transactions.borrow(handle, level="read") as lease:
        shown = await lease.value("SELECT pg_catalog.current_setting('lock_timeout')")

    assert shown == "10s"


async def test_transaction_of_a_lower_mode_refuses_ddl(call: Call) -> None:
    """Its mode is the ceiling."""
    begun = await call.transactions.begin(database=None, mode="write", isolation="read committed")

    text = await refusal(call, "create", sql="CREATE TABLE x ()", session_id=begun.handle)
    await call.transactions.rollback(begun.handle)

    assert "has mode=write, and this needs ddl" in text


async def test_error_in_a_transaction_tells_its_fate(call: Call, handle: str) -> None:
    """PostgreSQL aborts it; the caller learns what is possible."""
    text = await refusal(call, "create", sql="CREATE TABLE shop.orders ()", session_id=handle)

    assert "is aborted; only rollback or rollback_to is possible" in text


async def test_dry_run_in_a_transaction_keeps_what_was_there(call: Call, handle: str) -> None:
    """A savepoint: what the transaction did before stays, what was tried goes, even a failure."""
    await ask(call, "create", sql="CREATE TABLE shop.kept (a integer)", session_id=handle)

    good = await tried(call, "create", "CREATE TABLE shop.tried ()", session_id=handle)
    bad = await tried(call, "create", "CREATE TABLE shop.kept ()", session_id=handle)
    listed = await ask(call, "list", schema="shop", kind="table", session_id=handle)

    assert good["outcome"] == "would succeed"
    assert bad["outcome"] == "would fail"
    assert "kept" in {row[1] for row in cells(listed)}
    assert "tried" not in {row[1] for row in cells(listed)}


async def test_locks_of_the_transaction_itself_are_not_told(call: Call, handle: str) -> None:
    """Only what the tried DDL would add."""
    await ask(call, "alter", sql="ALTER TABLE shop.orders ADD e integer", session_id=handle)

    report = await tried(call, "alter", "ALTER TABLE shop.orders ADD f integer", session_id=handle)

    assert "locks" not in report


async def test_cancelled_dry_run_leaves_the_transaction_open(call: Call, handle: str) -> None:
    """The savepoint is gone back to, although the call ended."""
    sql = "CREATE TABLE shop.slow (); CREATE TABLE shop.slower AS SELECT 1 AS a FROM pg_sleep(60)"
    running = asyncio.create_task(tried(call, "create", sql, session_id=handle))
    await eventually(
        lambda: call.databases.read(
            None,
            lambda lease: lease.value(
                "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE wait_event = 'PgSleep'"
            ),
        )
    )

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    listed = await ask(call, "list", pattern="slow", session_id=handle)

    assert cells(listed) == []
