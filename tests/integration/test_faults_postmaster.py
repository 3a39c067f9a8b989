"""The postmaster stands still (SIGSTOP): nobody new gets in, and those inside go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from pgmcp.http import Gateway
from pgmcp.settings import load
from tests.cluster import ThrowawayCluster, throwaway_cluster
from tests.people import Person, adjusted, gateway_with, lent, refusal
from tests.witness import eventually, witnessing


@pytest.fixture(scope="module")
def cluster() -> Iterator[ThrowawayCluster]:
    """Start a cluster that may be hurt; nothing here depends on PostgreSQL's version."""
    with throwaway_cluster() as started:
        yield started


@pytest.fixture
async def gateway(cluster: ThrowawayCluster) -> AsyncIterator[Gateway]:
    """Have a gateway that waits half a second for a connection to be opened."""
    settings = adjusted(load(environ=cluster.environment()), server={"connect_timeout": 0.5})
    async with gateway_with(settings) as made:
        yield made


@pytest.fixture
def ana(gateway: Gateway) -> Person:
    return Person(gateway)


async def test_open_connections_work_and_new_ones_are_refused_in_time(
    gateway: Gateway, cluster: ThrowawayCluster, ana: Person
) -> None:
    await ana.query("SELECT 1")
    handle = await ana.begin()
    began = time.monotonic()

    with cluster.paused():
        alive = await ana.cell("SELECT 1")
        inside = await ana.cell("SELECT 1", session_id=handle)
        ready = await gateway.readiness.why_not()
        words = await refusal(ana.query("SELECT 1", database="template1"))
        begin = await refusal(ana.tx("begin"))

    assert (alive, inside, ready) == ("1", "1", None)
    assert "did not answer in time. Is it stopped or overloaded?" in words
    assert "did not answer in time" in begin
    assert time.monotonic() - began < 3
    assert await ana.cell("SELECT 1", database="template1") == "1"
    assert lent(gateway) == 1


async def test_a_cancel_that_nobody_accepts_arrives_when_the_postmaster_goes_on(
    gateway: Gateway, cluster: ThrowawayCluster, ana: Person
) -> None:
    """The request to cancel needs a new connection; the caller does not wait for it."""
    async with witnessing(cluster, "postgres") as witness:
        reading = asyncio.create_task(ana.query("SELECT pg_sleep(20)"))
        first = await witness.starts("pg_sleep")

        with cluster.paused():
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            still = await witness.running("pg_sleep")

        async def busy() -> int:
            return lent(gateway)

        await eventually(busy, lambda count: count == 0)
        await witness.ends("pg_sleep")
        assert [seen.pid for seen in still] == [first.pid]
        assert await ana.cell("SELECT 1") == "1"
