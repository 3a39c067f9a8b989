"""What a rule allows one caller holds in every tool, and no parameter widens it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.callers import Callers, callers
from tests.cluster import ThrowawayCluster
from tests.wire import LegacySession, Received, Wire

RULE = "transactions = 2\nmax_rows = 7\ntimeout = 1"
SETUP = """
CREATE TABLE IF NOT EXISTS limits_many (n int);
CREATE OR REPLACE FUNCTION limits_slow() RETURNS int IMMUTABLE LANGUAGE sql
    AS 'SELECT 1 FROM pg_sleep(20)';
CREATE TABLE IF NOT EXISTS limits_filled AS SELECT generate_series(1, 3) AS n;
"""


@pytest.fixture(scope="module")
async def ruled(newest_cluster: ThrowawayCluster) -> AsyncIterator[Callers]:
    """Run a gateway with a rule that has limits."""
    await newest_cluster.execute(SETUP)
    with callers(newest_cluster.environment(), rule=RULE) as found:
        yield found
    await newest_cluster.execute(
        "DROP TABLE limits_many, limits_filled; DROP FUNCTION limits_slow()"
    )


async def call(wire: Wire | LegacySession, tool: str, **arguments: object) -> Received:
    """Call a tool and return the answer."""
    pending = await (wire.modern if isinstance(wire, Wire) else wire.call)(tool, **arguments)
    return await pending.answer()


def rows_of(answer: Received) -> int:
    """Return how many rows an answer shows, its header and its receipt left out."""
    assert not answer.text.startswith("error: "), answer.text
    return sum(not line.startswith("-- ") for line in answer.text.strip().split("\n")) - 1


SERIES = "SELECT generate_series(1, 100) AS n"
RETURNING = f"INSERT INTO limits_many {SERIES} RETURNING n"
ROWS = [
    pytest.param("pg_query", {"sql": SERIES}, id="read"),
    pytest.param("pg_query", {"sql": RETURNING, "mode": "write"}, id="returning"),
    pytest.param("pg_schema", {"action": "search", "pattern": "pg_"}, id="schema"),
    pytest.param("pg_monitor", {"action": "settings"}, id="monitor"),
    pytest.param("pg_admin", {"action": "databases"}, id="admin"),
]


@pytest.mark.parametrize(("tool", "arguments"), ROWS)
async def test_rows_without_being_asked(
    ruled: Callers, tool: str, arguments: dict[str, object]
) -> None:
    assert rows_of(await call(ruled.greedy, tool, **arguments)) <= 7


@pytest.mark.parametrize(("tool", "arguments"), ROWS)
async def test_more_rows_are_refused_however_one_asks(
    ruled: Callers, tool: str, arguments: dict[str, object]
) -> None:
    answer = await call(ruled.greedy, tool, max_rows=8, **arguments)

    assert "max_rows: 8 is outside 1 to 7" in answer.text


async def test_rows_inside_a_transaction(ruled: Callers) -> None:
    begun = await call(ruled.greedy, "pg_tx", action="begin")
    handle = begun.message["result"]["structuredContent"]["session_id"]

    plain = await call(ruled.greedy, "pg_query", sql=SERIES, session_id=handle)
    more = await call(ruled.greedy, "pg_query", sql=SERIES, session_id=handle, max_rows=100)

    assert rows_of(plain) == 7
    assert "max_rows: 100 is outside 1 to 7" in more.text
    await call(ruled.greedy, "pg_tx", action="rollback", session_id=handle)


SLEEP = "SELECT pg_sleep(20)"
TIMES = [
    pytest.param("pg_query", {"sql": SLEEP}, id="read"),
    pytest.param("pg_query", {"sql": SLEEP, "mode": "write"}, id="write"),
    pytest.param("pg_query", {"sql": SLEEP, "explain": "analyze"}, id="analyze"),
    pytest.param(
        "pg_schema",
        {"action": "create", "sql": "CREATE INDEX ON limits_filled ((limits_slow()))"},
        id="definition",
    ),
    pytest.param(
        "pg_schema",
        {"action": "create", "sql": "CREATE TABLE limits_x AS SELECT 1 AS n FROM pg_sleep(20)"},
        id="table",
    ),
    pytest.param(
        "pg_schema",
        {
            "action": "create",
            "sql": "CREATE INDEX CONCURRENTLY limits_i ON limits_filled ((limits_slow()))",
        },
        id="concurrently",
    ),
]


@pytest.mark.parametrize(("tool", "arguments"), TIMES)
async def test_a_statement_ends_at_the_rules_time(
    ruled: Callers, tool: str, arguments: dict[str, object]
) -> None:
    began = time.monotonic()

    answer = await call(ruled.greedy, tool, **arguments)

    assert "57014" in answer.text
    assert time.monotonic() - began < 4


async def test_more_time_is_refused(ruled: Callers) -> None:
    answer = await call(ruled.greedy, "pg_query", sql=SLEEP, timeout_seconds=2)

    assert "timeout_seconds: 2 is above 1" in answer.text


async def test_time_inside_a_transaction(ruled: Callers) -> None:
    begun = await call(ruled.greedy, "pg_tx", action="begin")
    handle = begun.message["result"]["structuredContent"]["session_id"]
    began = time.monotonic()

    slow = await call(ruled.greedy, "pg_query", sql=SLEEP, session_id=handle)
    more = await call(ruled.greedy, "pg_query", sql=SLEEP, session_id=handle, timeout_seconds=100)

    assert "57014" in slow.text
    assert "timeout_seconds: 100 is above 1" in more.text
    assert time.monotonic() - began < 4
    await call(ruled.greedy, "pg_tx", action="rollback", session_id=handle)


async def test_transactions_however_many_sessions_one_opens(ruled: Callers) -> None:
    sessions = [await ruled.greedy.initialize() for _ in range(3)]
    ways: list[Wire | LegacySession] = [*sessions, ruled.greedy]

    answers = [await call(way, "pg_tx", action="begin") for way in ways]

    begun = [answer.text.startswith("session_id: tx_") for answer in answers]
    assert begun == [True, True, False, False]
    assert "2 transactions of yours are open in all your MCP sessions" in answers[2].text
    assert (await call(ruled.polite, "pg_query", sql="SELECT 1")).text.endswith(" ms")
    await asyncio.gather(*(session.delete() for session in sessions))


async def test_transactions_begun_at_once(ruled: Callers) -> None:
    answers = await asyncio.gather(*(call(ruled.greedy, "pg_tx", action="begin") for _ in range(8)))

    handles = [
        answer.message["result"]["structuredContent"]["session_id"]
        for answer in answers
        if answer.text.startswith("session_id: ")
    ]
    assert len(handles) == 2
    for handle in handles:
        await call(ruled.greedy, "pg_tx", action="rollback", session_id=handle)
