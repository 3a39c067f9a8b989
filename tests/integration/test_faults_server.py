"""PostgreSQL restarts, is down, crashes, or has no place left: what callers are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from pgmcp.errors import (
    Retryable,
    Unavailable,
)
from pgmcp.http import Gateway
from pgmcp.settings import Settings
from tests.cluster import ThrowawayCluster, throwaway_cluster
from tests.conftest import MAJORS
from tests.people import Person, adjusted, gateway_with, lent, refusal
from tests.witness import Witness, eventually, witnessing


@pytest.fixture(scope="module", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def cluster(request: pytest.FixtureRequest) -> Iterator[ThrowawayCluster]:
    """Start a cluster that may be hurt."""
    options = {"max_connections": "25", "restart_after_crash": "on"}
    with throwaway_cluster(request.param, options=options) as started:
        yield started


@pytest.fixture
async def witness(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Witness]:
    async with witnessing(cluster, database) as looking:
        await looking.connection.execute(
            "DROP TABLE IF EXISTS t; CREATE TABLE t (id int); INSERT INTO t VALUES (0)"
        )
        yield looking


@pytest.fixture
async def gateway(settings: Settings) -> AsyncIterator[Gateway]:
    async with gateway_with(adjusted(settings, pools={"wait": 1})) as made:
        yield made


@pytest.fixture
def ana(gateway: Gateway) -> Person:
    return Person(gateway)


async def fill_up(cluster: ThrowawayCluster, crowd: list[asyncpg.Connection]) -> None:
    """Add connections to *crowd* until the server refuses one."""
    while True:
        crowd.append(await cluster.connect())


async def test_after_a_restart_the_next_calls_work(
    gateway: Gateway, cluster: ThrowawayCluster, ana: Person, database: str
) -> None:
    await cluster.execute("CREATE TABLE IF NOT EXISTS t (id int)", database=database)
    await asyncio.gather(*(ana.query("SELECT pg_sleep(0.05)") for _ in range(3)))
    await ana.begin()

    await asyncio.to_thread(cluster.restart)

    await ana.write("INSERT INTO t VALUES (5)")
    assert await ana.cell("SELECT count(*) FROM t WHERE id = 5", database=database) == "1"
    assert lent(gateway) == 1  # the transaction, which nobody has asked after yet
    async with witnessing(cluster, database) as again:
        assert len(await again.pids()) == len(gateway.databases.own_pids()) - 1


async def test_a_server_that_is_down_has_its_sentence_and_is_found_again(
    gateway: Gateway, cluster: ThrowawayCluster, ana: Person
) -> None:
    handle = await ana.begin()
    await ana.query("SELECT 1")
    await asyncio.to_thread(cluster.stop)
    try:
        read = await refusal(ana.query("SELECT 1"))
        write = await refusal(ana.write("INSERT INTO t VALUES (1)"))
        begin = await refusal(ana.tx("begin"))
        inside = await refusal(ana.query("SELECT 1", session_id=handle))
        ready = await gateway.readiness.why_not()
    finally:
        await asyncio.to_thread(cluster.start)

    reached = f"PostgreSQL cannot be reached at {cluster.host} port {cluster.port}:"
    assert all(reached in words for words in (read, write, begin))
    assert "The operator can start it, or correct PGHOST and PGPORT." in read
    assert "is gone: PostgreSQL rolled it back" in inside
    assert reached in str(ready)
    assert await ana.cell("SELECT 1") == "1"
    assert await gateway.readiness.why_not() is None
    assert lent(gateway) == 0


async def test_a_crash_of_one_backend_restarts_all_and_the_gateway_goes_on(
    gateway: Gateway, cluster: ThrowawayCluster, ana: Person
) -> None:
    """PostgreSQL ends every connection when one of its processes dies by force."""
    pid = int(await ana.cell("SELECT pg_backend_pid()"))
    handle = await ana.begin()

    cluster.kill_backend(pid)

    async def look() -> object:
        try:
            return await ana.cell("SELECT 1")
        except (Retryable, Unavailable):  # "the database system is in recovery mode", and the like
            return None

    await eventually(look, lambda seen: seen == "1")
    assert "is gone" in await refusal(ana.query("SELECT 1", session_id=handle))
    assert lent(gateway) == 0


async def test_no_connections_left_on_the_server_has_its_sentence(
    gateway: Gateway, cluster: ThrowawayCluster, ana: Person, witness: Witness
) -> None:
    crowd: list[asyncpg.Connection] = []
    try:
        with pytest.raises(asyncpg.TooManyConnectionsError):
            await fill_up(cluster, crowd)

        words = await refusal(ana.query("SELECT 1"))
        begin = await refusal(ana.tx("begin"))
    finally:
        for connection in crowd:
            await connection.close()

    sentence = "PostgreSQL refuses more connections: sorry, too many clients already"
    assert sentence in words
    assert "Wait and try again" in words
    assert sentence in begin

    async def look() -> object:
        return await witness.value("SELECT count(*) FROM pg_stat_activity WHERE datname <> ''")

    await eventually(look, lambda count: isinstance(count, int) and count < 10)
    assert await ana.cell("SELECT 1") == "1"
    assert lent(gateway) == 0
