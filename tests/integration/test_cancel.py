"""Who has lost interest stops what runs on the server: over real HTTP, on bare sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.cluster import ThrowawayCluster
from tests.wire import LegacySession, Wire
from tests.witness import Witness, witnessing

SLEEP = "SELECT pg_sleep(20)"


@pytest.fixture(scope="module")
def cluster(newest_cluster: ThrowawayCluster) -> ThrowawayCluster:
    """Nothing here depends on PostgreSQL's version."""
    return newest_cluster


@pytest.fixture
async def witness(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Witness]:
    async with witnessing(cluster, database) as looking:
        yield looking
        await looking.no_transaction()  # whatever a test did, nothing stays open


@pytest.fixture
def wire(gateway_url: str) -> Iterator[Wire]:
    made = Wire(gateway_url)
    yield made
    made.close()


@pytest.fixture
async def session(wire: Wire, witness: Witness) -> AsyncIterator[LegacySession]:
    """Open an MCP session that ends before the witness takes its last look."""
    assert witness.database
    opened = await wire.initialize()
    yield opened
    await opened.delete()


async def begin(session: LegacySession, database: str) -> str:
    """Begin a transaction and return its handle."""
    answer = await (
        await session.call("pg_tx", action="begin", mode="write", database=database)
    ).answer()
    return str(answer.message["result"]["structuredContent"]["session_id"])


async def test_a_dropped_request_of_2026_07_28_stops_its_statement(
    wire: Wire, witness: Witness
) -> None:
    pending = await wire.modern("pg_query", sql=SLEEP, database=witness.database)
    await witness.starts("pg_sleep")

    pending.drop()

    assert await witness.ends("pg_sleep") < 1.0


async def test_a_dropped_request_of_2026_07_28_inside_a_transaction_aborts_it(
    wire: Wire, witness: Witness
) -> None:
    begun = await wire.modern("pg_tx", action="begin", database=witness.database)
    handle = (await begun.answer()).message["result"]["structuredContent"]["session_id"]
    pending = await wire.modern("pg_query", sql=SLEEP, session_id=handle)
    await witness.starts("pg_sleep")

    pending.drop()
    seconds = await witness.ends("pg_sleep")

    after = await (await wire.modern("pg_query", sql="SELECT 1", session_id=handle)).answer()
    assert seconds < 1.0
    assert "is aborted since: its statement was cancelled" in after.text
    assert "only rollback or rollback_to is possible" in after.text
    await (await wire.modern("pg_tx", action="rollback", session_id=handle)).answer()


async def test_a_cancelled_notification_stops_the_statement(
    session: LegacySession, witness: Witness
) -> None:
    pending = await session.call("pg_query", sql=SLEEP, database=witness.database)
    await witness.starts("pg_sleep")

    await session.cancel(pending)

    assert await witness.ends("pg_sleep") < 1.0
    assert (await pending.answer()).message["error"]["code"] == -32800


async def test_a_statement_cancelled_inside_a_transaction_aborts_it_and_rollback_to_heals(
    session: LegacySession, witness: Witness
) -> None:
    handle = await begin(session, str(witness.database))
    await (await session.call("pg_tx", action="savepoint", name="s", session_id=handle)).answer()
    pending = await session.call("pg_query", sql=SLEEP, session_id=handle)
    await witness.starts("pg_sleep")
    await session.cancel(pending)
    seconds = await witness.ends("pg_sleep")

    aborted = await (await session.call("pg_tx", action="commit", session_id=handle)).answer()
    await (await session.call("pg_tx", action="rollback_to", name="s", session_id=handle)).answer()
    healed = await (await session.call("pg_query", sql="SELECT 1", session_id=handle)).answer()

    assert seconds < 1.0
    assert "is aborted since: its statement was cancelled" in aborted.text
    assert "-- 1 row" in healed.text


async def test_a_client_of_2025_11_25_that_vanishes_does_not_cancel_but_the_timeout_ends_it(
    session: LegacySession, witness: Witness
) -> None:
    pending = await session.call(
        "pg_query", sql=SLEEP, database=witness.database, timeout_seconds=1.5
    )
    await witness.starts("pg_sleep")

    pending.drop()
    seconds = await witness.ends("pg_sleep", within=4)

    assert seconds > 1.0


async def test_delete_stops_the_statement_and_rolls_back_every_transaction(
    wire: Wire, witness: Witness
) -> None:
    session = await wire.initialize()
    first = await begin(session, str(witness.database))
    await begin(session, str(witness.database))
    inside = await session.call("pg_query", sql=SLEEP, session_id=first)
    alone = await session.call("pg_query", sql=SLEEP, database=witness.database)
    await witness.starts("pg_sleep")
    held = [seen.pid for seen in await witness.in_transaction()]

    answer = await session.delete()

    assert answer.status == 200
    assert await witness.ends("pg_sleep") < 1.0
    await witness.no_transaction(within=1.0)
    assert len(held) >= 3
    inside.drop()
    alone.drop()
    after = await (await session.call("pg_query", sql="SELECT 1")).answer()
    assert after.status == 404


async def test_an_mcp_session_that_nobody_opened_is_404(wire: Wire) -> None:
    stranger = LegacySession(wire, "0" * 32)

    posted = await (await stranger.call("pg_query", sql="SELECT 1")).answer()
    deleted = await stranger.delete()

    assert posted.status == 404
    assert deleted.status == 404


async def test_deleting_one_session_leaves_the_others_transactions(
    wire: Wire, session: LegacySession, witness: Witness
) -> None:
    handle = await begin(session, str(witness.database))
    other = await wire.initialize()
    await begin(other, str(witness.database))

    await other.delete()

    shown = await (await session.call("pg_query", sql="SELECT 1", session_id=handle)).answer()
    assert "-- 1 row" in shown.text
    assert len(await witness.in_transaction()) == 1


async def test_a_cancelled_statement_that_waits_for_a_lock_waits_no_more(
    session: LegacySession, cluster: ThrowawayCluster, witness: Witness
) -> None:
    await witness.connection.execute("CREATE TABLE IF NOT EXISTS locked (id int)")
    async with witnessing(cluster, witness.database) as holder, holder.connection.transaction():
        await holder.connection.execute("LOCK TABLE locked")
        pending = await session.call(
            "pg_query", sql="SELECT * FROM locked", database=witness.database
        )
        await witness.waits_for_lock()

        await session.cancel(pending)

        assert await witness.ends("FROM locked") < 1.0


async def test_another_principal_can_neither_use_nor_end_the_session(
    wire: Wire, session: LegacySession, witness: Witness
) -> None:
    """Who comes through a proxy is not who opened the session directly."""
    handle = await begin(session, str(witness.database))
    stranger = LegacySession(wire, session.id)
    stranger.headers["X-Forwarded-For"] = "100.64.0.9"

    posted = await (await stranger.call("pg_query", sql="SELECT 1", session_id=handle)).answer()
    deleted = await stranger.delete()

    assert (posted.status, deleted.status) == (404, 404)
    assert len(await witness.in_transaction()) == 1
    shown = await (await session.call("pg_query", sql="SELECT 1", session_id=handle)).answer()
    assert "-- 1 row" in shown.text


async def test_a_session_that_ends_while_it_begins_leaves_no_transaction(
    wire: Wire, witness: Witness
) -> None:
    """Wherever the DELETE meets the begin: connecting, in BEGIN, or just answered."""
    database = str(witness.database)
    sessions = [await wire.initialize() for _ in range(6)]

    for number, session in enumerate(sessions):
        await session.call("pg_tx", action="begin", database=database)
        await asyncio.sleep(0.004 * number)
        await session.delete()

    await witness.no_transaction()
