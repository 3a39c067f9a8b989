"""Every limit on calls over real HTTP: a clear error, the process lives, another is served."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.callers import Callers, callers
from tests.cluster import ThrowawayCluster
from tests.integration.limiting import SECTIONS, call, serves
from tests.wire import ACCEPT, Wire

RULE = "running = 2"
CALL = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}'


@pytest.fixture(scope="module")
def limited(newest_cluster: ThrowawayCluster) -> Iterator[Callers]:
    """Run a gateway with narrow limits for everybody, and narrower ones for one caller."""
    with callers(newest_cluster.environment(), SECTIONS, rule=RULE) as found:
        yield found


@pytest.fixture(scope="module")
def narrow(newest_cluster: ThrowawayCluster) -> Iterator[Callers]:
    """Run a gateway with narrow limits for everybody."""
    with callers(newest_cluster.environment(), SECTIONS) as found:
        yield found


async def until_refused(wire: Wire, most: int) -> list[str]:
    """Make cheap calls, one after the other, until one is refused; return all texts."""
    texts: list[str] = []
    while len(texts) < most and not (texts and texts[-1].startswith("error: ")):
        texts.append((await call(wire, "pg_query", sql="SELECT 1")).text)
    return texts


async def test_more_calls_than_a_minute_allows(newest_cluster: ThrowawayCluster) -> None:
    with callers(newest_cluster.environment(), rule="calls_per_minute = 6") as found:
        texts = await until_refused(found.greedy, 20)
        invalid = await call(found.greedy, "pg_query", nothing="at all")

        log = found.process.log.read_text()
        assert len(texts) == 7
        assert texts[-1].startswith("error: your calls come faster than 6, the most allowed in a ")
        assert texts[-1] in invalid.text
        assert "outcome=Retryable" in log
        assert await serves(found)


async def test_more_statements_than_may_run(limited: Callers) -> None:
    sleeping = [await limited.greedy.modern("pg_query", sql="SELECT pg_sleep(1.5)") for _ in "ab"]
    await asyncio.sleep(0.2)

    began = time.monotonic()
    third = await call(limited.greedy, "pg_query", sql="SELECT 1")
    waited = time.monotonic() - began

    assert third.text == (
        "error: 2 calls of yours are running, the most allowed at once. Waited 0.5 s for one to "
        "end; try again. Nothing was done."
    )
    assert 0.4 < waited < 1.4
    assert await serves(limited)
    for pending in sleeping:
        assert "-- 1 row" in (await pending.answer()).text


async def test_waiting_for_a_turn_is_served_when_one_ends(limited: Callers) -> None:
    sleeping = [await limited.greedy.modern("pg_query", sql="SELECT pg_sleep(0.4)") for _ in "ab"]
    await asyncio.sleep(0.1)

    answer = await call(limited.greedy, "pg_query", sql="SELECT 1")

    assert "-- 1 row" in answer.text
    for pending in sleeping:
        await pending.answer()


async def test_dropped_failed_and_timed_out_calls_give_their_turn_back(limited: Callers) -> None:
    greedy = limited.greedy
    for _ in range(3):
        dropped = [await greedy.modern("pg_query", sql="SELECT pg_sleep(30)") for _ in "ab"]
        await asyncio.sleep(0.1)
        for pending in dropped:
            pending.drop()
        await call(greedy, "pg_query", sql="SELECT 1/0")
        await call(greedy, "pg_query", sql="SELECT pg_sleep(5)", timeout_seconds=0.05)

    answers = await asyncio.gather(*(call(greedy, "pg_query", sql="SELECT 1") for _ in "ab"))

    assert ["-- 1 row" in answer.text for answer in answers] == [True, True]


async def test_transactions_of_all_sessions_together(narrow: Callers) -> None:
    sessions = [await narrow.greedy.initialize() for _ in range(4)]
    texts = [(await call(session, "pg_tx", action="begin")).text for session in sessions]

    assert [text.startswith("session_id: tx_") for text in texts] == [True, True, True, False]
    assert texts[-1] == (
        "error: 3 transactions of yours are open in all your MCP sessions, the most allowed. "
        "Finish one there, or end that session; unused ones end by themselves."
    )
    assert (await call(narrow.polite, "pg_tx", action="begin")).text.startswith("session_id: tx_")
    for session in sessions:
        await session.delete()


async def test_more_sessions_than_allowed(narrow: Callers) -> None:
    sessions = [await narrow.greedy.initialize() for _ in range(4)]
    refused = await narrow.greedy.request("POST", headers=ACCEPT, body=CALL)

    assert refused.status == 429
    assert refused.body == (
        "4 MCP sessions of yours are open, the most allowed. End those that you do not need with "
        "DELETE; an unused one ends after 30 minutes.\n"
    )
    other = await narrow.polite.initialize()
    assert "-- 1 row" in (await call(sessions[0], "pg_query", sql="SELECT 1")).text
    for session in [*sessions, other]:
        await session.delete()
    again = await narrow.greedy.initialize()
    await again.delete()


async def test_more_requests_at_once_than_allowed(narrow: Callers) -> None:
    greedy = narrow.greedy
    pending = [await greedy.modern("pg_query", sql="SELECT pg_sleep(0.8)") for _ in range(20)]
    await asyncio.sleep(0.2)

    refused = await greedy.request("POST", headers=ACCEPT, body=CALL)

    assert refused.status == 429
    assert refused.headers["retry-after"] == "1"
    assert refused.body.startswith("20 requests of yours are under way, the most allowed at once")
    assert await serves(narrow)
    await asyncio.gather(*(each.answer() for each in pending))
    assert "-- 1 row" in (await call(greedy, "pg_query", sql="SELECT 1")).text
