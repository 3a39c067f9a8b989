"""
Real clients play the whole scenario against a real gateway.

Owns no server: `gateway_url` comes from conftest.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from tests.clients import typescript_client
from tests.cluster import ThrowawayCluster
from tests.conformance.node import NodeMissing, install
from tests.process import start_gateway
from tests.scenario import STEPS, play, python_client

ALL = len(STEPS) + 1  # the last one leaves nothing behind
NODE_AT_LEAST = 18  # the SDK's own demand


@pytest.fixture(scope="session")
def node() -> Path:
    """Return a Node whose client is installed."""
    try:
        return install(typescript_client.FOLDER, at_least=NODE_AT_LEAST)
    except NodeMissing as error:
        pytest.skip(f"TypeScript client: {error}")


@pytest.fixture
def fastmcp_client() -> ModuleType:
    """Return our driver of fastmcp, where fastmcp is: it needs newer libraries than the oldest."""
    pytest.importorskip("fastmcp", reason="fastmcp cannot be installed beside these versions")
    return import_module("tests.clients.fastmcp_client")


@pytest.mark.slow
async def test_python_client_of_2025_plays_the_scenario(gateway_url: str) -> None:
    """Play with the official Python client and a session."""
    async with python_client.connected(gateway_url, "2025-11-25") as caller:
        played = await play(caller)

    assert played == ALL


@pytest.mark.slow
async def test_python_client_of_2026_plays_the_scenario(gateway_url: str) -> None:
    """Play with the official Python client without a session."""
    async with python_client.connected(gateway_url, "2026-07-28") as caller:
        played = await play(caller)

    assert played == ALL


@pytest.mark.slow
async def test_typescript_client_plays_the_scenario(gateway_url: str, node: Path) -> None:
    """Play with the TypeScript SDK of the 1.x line, which editors embed."""
    async with typescript_client.connected(node, gateway_url) as caller:
        played = await play(caller)

    assert played == ALL


@pytest.mark.slow
async def test_fastmcp_client_plays_the_scenario(
    gateway_url: str, fastmcp_client: ModuleType
) -> None:
    """Play with fastmcp in the era of its own choice."""
    async with fastmcp_client.connected(gateway_url) as caller:
        played = await play(caller)

    assert played == ALL


@pytest.mark.slow
async def test_the_scenario_can_be_played_twice(gateway_url: str) -> None:
    """Play again in the same session: nothing of the first time is in the way."""
    async with python_client.connected(gateway_url, "2025-11-25") as caller:
        await play(caller)
        played = await play(caller)

    assert played == ALL


@pytest.mark.slow
async def test_every_supported_server_plays_the_scenario(cluster: ThrowawayCluster) -> None:
    """Play against each major version of PostgreSQL that this machine has."""
    with start_gateway(cluster.environment()) as gateway:
        async with python_client.connected(gateway.url, "2026-07-28") as caller:
            played = await play(caller)

    assert played == ALL
