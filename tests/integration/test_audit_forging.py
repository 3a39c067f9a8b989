"""No text of a caller makes a line of the journal, or a field of another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.auditing import LINE, Journal
from tests.cluster import ThrowawayCluster
from tests.entrances import Entrances
from tests.integration.audited import ANA, BOB, ERAS, SECRET, Send, answered, audited, calls_in
from tests.wire import Received, Wire


@pytest.fixture(scope="module")
async def started(newest_cluster: ThrowawayCluster) -> AsyncIterator[Entrances]:
    """Nothing here depends on PostgreSQL's version."""
    async with audited(newest_cluster) as found:
        yield found


@pytest.fixture
def journal(started: Entrances) -> Journal:
    return Journal.of(started.process)


@pytest.fixture(params=ERAS)
async def calling(request: pytest.FixtureRequest, started: Entrances) -> AsyncIterator[Send]:
    async with calls_in(request.param, started) as call:
        yield call


UNKNOWN = [
    pytest.param("pg_secrets\nERROR forged caller=root", {}, id="tool"),
    pytest.param("pg_query", {"sql": 5}, id="wrong type"),
    pytest.param("pg_query", {"sql": "SELECT 1", "secret": SECRET}, id="unknown parameter"),
    pytest.param("pg_query", {"sql": "SELECT 1", "mode": SECRET}, id="no such mode"),
    pytest.param("pg_tx", {"action": f"x\nERROR {'y' * 200}"}, id="action"),
    pytest.param("pg_tx", {"action": ["begin"]}, id="a list for an action"),
    pytest.param("pg_query", {"sql": "SELECT 1", "database": "\x7f\n\x1b[2J"}, id="controls"),
    pytest.param("pg_query", {"sql": "SELECT 1", "session_id": SECRET}, id="no handle"),
]


@pytest.mark.parametrize(("tool", "arguments"), UNKNOWN)
async def test_malformed_arguments(
    started: Entrances, journal: Journal, tool: str, arguments: dict[str, object]
) -> None:
    session = await Wire(started.tailscale, ANA).initialize()

    await (await session.call(tool, **arguments)).answer()
    await session.delete()

    record = await journal.one()
    assert record["caller"] == "tailscale:ana@example.com"
    assert record["outcome"] in ("CallerError", "HandleUnknown")
    assert record["tool"] == tool
    assert len(record["action"]) <= 100
    assert SECRET not in journal.text
    assert all(LINE.fullmatch(line) for line in journal.text.splitlines())


INJECTED = "x' -- \n2026-01-01 00:00:00,000 INFO pgmcp.call caller=root outcome=ok\r\x1b[2J\u2028"


async def test_sql_forges_no_line(calling: Send, journal: Journal) -> None:
    sql = f'SELECT 1 AS "a\nb outcome=ok caller=root", 2 /* {INJECTED} */ AS "c=d"'

    await answered(calling, ANA, "pg_query", sql=sql)

    record = await journal.one()
    assert record["text"] == 'SELECT $1 AS "?", $2 AS "?"'
    assert record["caller"] == "tailscale:ana@example.com"
    assert all(LINE.fullmatch(line) for line in journal.text.splitlines())
    assert journal.text.isascii()


@pytest.mark.parametrize("parameter", ["database", "name", "schema"])
async def test_a_name_forges_no_line(calling: Send, journal: Journal, parameter: str) -> None:
    given = {"name": "person", parameter: INJECTED}

    await answered(calling, BOB, "pg_schema", action="describe", **given)

    record = await journal.one()
    assert record["caller"] == "tailscale:bob@example.com"
    assert record["outcome"] != "ok"
    assert all(LINE.fullmatch(line) for line in journal.text.splitlines())
    assert journal.text.isascii()


async def test_many_at_once_are_one_line_each(started: Entrances, journal: Journal) -> None:
    wire = Wire(started.tailscale, ANA)

    async def one(number: int) -> Received:
        return await (await wire.modern("pg_query", sql=f"SELECT {number}")).answer()

    await asyncio.gather(*map(one, range(20)))

    assert [record["text"] for record in journal.records] == ["SELECT $1"] * 20
