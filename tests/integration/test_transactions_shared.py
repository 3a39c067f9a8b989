"""One handle, several users: who may use it, and two calls on it at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pgmcp.errors import HandleUnknown, Retryable
from pgmcp.http import Gateway
from pgmcp.settings import Settings
from tests.cluster import ThrowawayCluster
from tests.people import Person, adjusted, gateway_with
from tests.witness import Witness, eventually, witnessing


@pytest.fixture(scope="module")
def cluster(newest_cluster: ThrowawayCluster) -> ThrowawayCluster:
    """Nothing here depends on PostgreSQL's version."""
    return newest_cluster


@pytest.fixture
async def witness(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Witness]:
    async with witnessing(cluster, database) as looking:
        yield looking


@pytest.fixture
async def gateway(settings: Settings) -> AsyncIterator[Gateway]:
    async with gateway_with(adjusted(settings, limits={"timeout": 0.3})) as made:
        yield made


OTHERS = [
    pytest.param("bob", "one", id="another person"),
    pytest.param("ana", "two", id="another session"),
    pytest.param("ana", None, id="the same person on 2026-07-28"),
]


@pytest.mark.parametrize(("principal", "session"), OTHERS)
@pytest.mark.parametrize("action", ["commit", "rollback", "savepoint", "rollback_to", "release"])
async def test_a_handle_of_somebody_else_is_unknown(
    gateway: Gateway, witness: Witness, principal: str, session: str | None, action: str
) -> None:
    """A handle names a transaction; it does not grant access to it."""
    handle = await Person(gateway, "ana", "one").begin()
    other = Person(gateway, principal, session)
    name = {} if action in ("commit", "rollback") else {"name": "s"}
    invented = "tx_" + "A" * 22

    with pytest.raises(HandleUnknown) as caught:
        await other.tx(action, session_id=handle, **name)
    with pytest.raises(HandleUnknown) as unknown:
        await other.tx(action, session_id=invented, **name)

    assert caught.value.message.replace(handle[:8], "") == unknown.value.message.replace(
        invented[:8], ""
    )
    assert len(await witness.in_transaction()) == 1


@pytest.mark.parametrize(("principal", "session"), OTHERS)
async def test_a_statement_in_somebody_elses_transaction_does_not_run(
    gateway: Gateway, principal: str, session: str | None
) -> None:
    handle = await Person(gateway, "ana", "one").begin()
    other = Person(gateway, principal, session)

    with pytest.raises(HandleUnknown, match="no open transaction of yours"):
        await other.query("SELECT 1", session_id=handle)

    assert handle[:8] not in (await other.tx("list")).text


async def test_the_tombstone_of_somebody_else_tells_nothing(gateway: Gateway) -> None:
    ana = Person(gateway, "ana", "one")
    handle = await ana.begin()
    await ana.tx("rollback", session_id=handle)

    with pytest.raises(HandleUnknown, match="no open transaction of yours"):
        await Person(gateway, "ana", "two").query("SELECT 1", session_id=handle)


async def test_without_a_session_the_list_shows_beginnings_that_only_rollback_accepts(
    gateway: Gateway, witness: Witness
) -> None:
    modern = Person(gateway, "ana", None)
    handle = await modern.begin()
    beginning = handle[:8]
    listed = (await modern.tx("list")).text

    with pytest.raises(HandleUnknown):
        await modern.query("SELECT 1", session_id=beginning)
    with pytest.raises(HandleUnknown):
        await modern.tx("commit", session_id=beginning)
    with pytest.raises(HandleUnknown):
        await modern.tx("rollback", session_id=beginning[:7])
    await modern.tx("rollback", session_id=beginning)

    assert f"\n{beginning}\t" in listed
    assert handle not in listed
    await witness.no_transaction()


async def test_two_statements_on_one_handle_run_one_after_the_other(
    gateway: Gateway, witness: Witness
) -> None:
    ana = Person(gateway)
    handle = await ana.begin()
    first = asyncio.create_task(ana.cell("SELECT 1 FROM pg_sleep(0.2)", session_id=handle))
    await witness.starts("pg_sleep")
    second = asyncio.create_task(ana.cell("SELECT 2", session_id=handle))
    meanwhile = await witness.running("")

    assert [await first, await second] == ["1", "2"]
    assert len(meanwhile) == 1


@pytest.mark.parametrize("action", ["commit", "rollback", "savepoint"])
async def test_what_waits_too_long_for_a_running_statement_says_so(
    gateway: Gateway, witness: Witness, action: str
) -> None:
    ana = Person(gateway)
    handle = await ana.begin()
    sleeping = ana.query("SELECT pg_sleep(0.6)", session_id=handle, timeout_seconds=5)
    first = asyncio.create_task(sleeping)
    await witness.starts("pg_sleep")

    with pytest.raises(Retryable, match=f"transaction {handle[:8]}… still runs another statement"):
        await ana.tx(action, session_id=handle, **({"name": "s"} if action == "savepoint" else {}))

    listed = await ana.tx("list")
    await first
    assert "\trunning\t" in listed.text
    assert await ana.cell("SELECT 1", session_id=handle) == "1"


async def test_a_statement_that_waited_for_a_commit_does_not_run_afterwards(
    gateway: Gateway, witness: Witness
) -> None:
    ana = Person(gateway)
    handle = await ana.begin(mode="write")
    first = asyncio.create_task(ana.query("SELECT pg_sleep(0.2)", session_id=handle))
    await witness.starts("pg_sleep")
    commit = asyncio.create_task(ana.tx("commit", session_id=handle))
    await asyncio.sleep(0)
    late = asyncio.create_task(ana.query("SELECT 1", session_id=handle))

    await first
    assert "committed" in (await commit).text
    with pytest.raises(HandleUnknown, match="was committed at"):
        await late


async def test_a_session_that_ends_takes_its_transactions_along_and_no_others(
    gateway: Gateway, witness: Witness
) -> None:
    ana, other = Person(gateway, session="one"), Person(gateway, session="two")
    handle = await ana.begin(mode="write")
    await ana.begin()
    kept = await other.begin()

    await gateway.transactions.end_session("one")

    await eventually(witness.in_transaction, lambda seen: len(seen) == 1)
    with pytest.raises(HandleUnknown, match="was rolled back when its MCP session ended at"):
        await ana.query("SELECT 1", session_id=handle)
    assert await other.cell("SELECT 1", session_id=kept) == "1"
