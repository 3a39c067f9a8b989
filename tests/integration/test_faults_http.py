"""A PostgreSQL that is down or refuses, seen by clients and by the operator over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.cluster import ThrowawayCluster, throwaway_cluster
from tests.process import GatewayProcess, start_gateway
from tests.wire import Received, Wire
from tests.witness import eventually


@pytest.fixture(scope="module")
def cluster() -> Iterator[ThrowawayCluster]:
    """Start a cluster that may be hurt; nothing here depends on PostgreSQL's version."""
    with throwaway_cluster() as started:
        yield started


@pytest.fixture(scope="module")
def process(cluster: ThrowawayCluster) -> Iterator[GatewayProcess]:
    with start_gateway(cluster.environment()) as started:
        yield started


@pytest.fixture
def wire(process: GatewayProcess) -> Iterator[Wire]:
    made = Wire(process.url)
    yield made
    made.close()


async def get(wire: Wire, path: str) -> Received:
    return await wire.request("GET", path)


async def query(wire: Wire, sql: str, **arguments: object) -> str:
    """Call pg_query and return its text."""
    return (await (await wire.modern("pg_query", sql=sql, **arguments)).answer()).text


async def test_ready_and_live_while_postgresql_goes_and_comes(
    wire: Wire, cluster: ThrowawayCluster
) -> None:
    assert (await get(wire, "/ready")).status == 200
    assert "-- 1 row" in await query(wire, "SELECT 1")

    await asyncio.to_thread(cluster.stop)
    try:
        ready, live = await get(wire, "/ready"), await get(wire, "/live")
        words = await query(wire, "SELECT 1")
    finally:
        await asyncio.to_thread(cluster.start)

    where = f"PostgreSQL cannot be reached at {cluster.host} port {cluster.port}: "
    assert ready.status == 503
    assert ready.body.startswith(where)
    assert (live.status, live.body) == (200, "ok\n")
    assert words.startswith(f"error: {where}")
    assert (await get(wire, "/ready")).status == 200
    assert "-- 1 row" in await query(wire, "SELECT 1")


async def test_many_calls_while_postgresql_restarts_all_get_an_answer(
    wire: Wire, cluster: ThrowawayCluster
) -> None:
    calls = [asyncio.create_task(query(wire, "SELECT pg_sleep(0.3)")) for _ in range(3)]
    await asyncio.sleep(0.1)
    await asyncio.to_thread(cluster.stop)
    calls += [asyncio.create_task(query(wire, "SELECT 1")) for _ in range(5)]
    await asyncio.to_thread(cluster.start)

    answers = await asyncio.gather(*calls)

    assert all(answer.startswith(("error: ", "?column?", "pg_sleep")) for answer in answers)
    assert not any("incident" in answer for answer in answers)
    assert "-- 1 row" in await query(wire, "SELECT 1")


WRONG = [
    pytest.param({"PGPASSWORD": "wr0ng"}, "refused the gateway's login", id="wrong password"),
    pytest.param(
        {"PGHOST": "127.0.0.1", "PGPORT": "1"}, "cannot be reached at 127.0.0.1", id="closed port"
    ),
]


@pytest.mark.parametrize(("environment", "sentence"), WRONG)
async def test_a_gateway_that_cannot_log_in_starts_and_says_why(
    cluster: ThrowawayCluster, environment: dict[str, str], sentence: str
) -> None:
    """PostgreSQL may come up later; until then every call has the reason."""
    with start_gateway({**cluster.environment(), **environment}) as process:
        wire = Wire(process.url)

        ready = await get(wire, "/ready")
        words = await query(wire, "SELECT 1")

        async def journal() -> str:
            return process.log.read_text()

        log = await eventually(journal, lambda text: sentence in text)
        assert ready.status == 503
        assert sentence in ready.body
        assert sentence in words
        assert "wr0ng" not in log + words + ready.body
        assert "Traceback" not in log
        assert (await get(wire, "/live")).status == 200
