"""
What every test stands on: a real PostgreSQL and a real gateway, both started here.

Owns the cluster and the gateway process of a run; ends both.
"""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from pgmcp.clock import Clock
from pgmcp.database import Databases
from pgmcp.http import Gateway
from pgmcp.identity import LOCAL
from pgmcp.ledger import Owner
from pgmcp.settings import Settings, load
from pgmcp.tools import tools
from pgmcp.tools.base import Answer, Call
from tests.cluster import ThrowawayCluster, installed_binaries, throwaway_cluster
from tests.process import GatewayProcess, start_gateway

MAJORS = sorted(installed_binaries())


@pytest.fixture(scope="session", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def cluster(request: pytest.FixtureRequest) -> Iterator[ThrowawayCluster]:
    """Start one cluster of each major version that this machine has binaries for."""
    with throwaway_cluster(request.param) as started:
        yield started


@pytest.fixture(scope="session")
def newest_cluster() -> Iterator[ThrowawayCluster]:
    """Start a cluster of the newest major version, for tests that no version changes."""
    with throwaway_cluster(MAJORS[-1]) as started:
        yield started


@pytest.fixture(scope="module")
async def database(cluster: ThrowawayCluster, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Create an empty database for one test module and drop it afterwards."""
    name = re.sub(r"\W", "_", str(request.module.__name__).rpartition(".")[2])
    await cluster.drop_database(name)
    await cluster.create_database(name)
    yield name
    await cluster.drop_database(name)


@pytest.fixture
def settings(cluster: ThrowawayCluster, database: str) -> Settings:
    """Return settings that reach the module's database as the superuser."""
    return load(environ=cluster.environment(database))


@pytest.fixture
async def gateway(settings: Settings) -> AsyncIterator[Gateway]:
    """Run a gateway in this process, without HTTP."""
    made = Gateway(settings)
    async with made.running():
        yield made


@pytest.fixture
def databases(gateway: Gateway) -> Databases:
    """Return the gateway's way to PostgreSQL."""
    return gateway.databases


async def ignore_progress(_done: float, _total: float | None, _message: str) -> None:
    """Take a progress notification that no client asked for."""


@pytest.fixture
def call(gateway: Gateway) -> Call:
    """Return what a tool works with, for a direct caller in an MCP session."""
    return gateway.make_call(LOCAL, Owner(principal="local", session="test"), ignore_progress)


Run = Callable[..., Awaitable[Answer]]


@pytest.fixture
def run(call: Call) -> Run:
    """Return what runs a tool by name as the protocol does, with its parameters by keyword."""
    by_name = {tool.name: tool for tool in tools(call.settings)}

    async def run_tool(
        name: str,
        *,
        progress: Any = ignore_progress,  # Any: a test's own function
        **arguments: Any,  # Any: JSON
    ) -> Answer:
        tool = by_name[name]
        return await tool.run(
            replace(call, progress=progress), tool.params.model_validate(arguments)
        )

    return run_tool


@pytest.fixture
def clock() -> HandClock:
    """Return a clock that stands still until it is moved."""
    return HandClock()


class HandClock:
    """Be a Clock whose time a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        real = Clock()
        self.clock = Clock(monotonic=lambda: self.seconds, now=real.now)

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


@pytest.fixture(scope="session")
def gateway_process(newest_cluster: ThrowawayCluster) -> Iterator[GatewayProcess]:
    """Run `pgmcp serve` as a process of its own, on a free port of loopback."""
    with start_gateway(newest_cluster.environment()) as process:
        yield process


@pytest.fixture(scope="session")
def gateway_url(gateway_process: GatewayProcess) -> str:
    """Return the URL of a real gateway's MCP endpoint."""
    return gateway_process.url


def free_port() -> int:
    """Return a TCP port of loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
