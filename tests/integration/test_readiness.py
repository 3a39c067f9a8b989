"""What the journal says of PostgreSQL's coming and going: one line for each change, no more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.cluster import ThrowawayCluster, throwaway_cluster
from tests.conftest import MAJORS
from tests.entrances import Entrances, ask, entrances
from tests.process import run_command

PATIENCE = 20.0  # seconds; it asks every five


@pytest.fixture
def own() -> Iterator[ThrowawayCluster]:
    """Run a server that a test may stop."""
    with throwaway_cluster(MAJORS[-1]) as started:
        yield started


async def logged(gateway: Entrances, words: str, times: int = 1) -> str:
    """Return the log once it has *words* so often."""
    async with asyncio.timeout(PATIENCE):
        while gateway.log.count(words) < times:  # noqa: ASYNC110 — another process writes it
            await asyncio.sleep(0.05)
    return gateway.log


async def test_the_first_lines_say_where_it_listens_and_as_whom(own: ThrowawayCluster) -> None:
    with entrances(own.environment(), http="public_url = 'https://Pi.example'") as gateway:
        log = await logged(gateway, f"PostgreSQL {own.major} answers at {own.host} port {own.port}")

    assert "clients reach the gateway at https://pi.example/mcp" in log
    assert f"listening on unix:{gateway.folder}/tailscale (tailscale, whose headers say" in log
    assert f'PostgreSQL at {own.host} port {own.port}, database "postgres", as postgres' in log
    assert "no login roles: one login serves every level; see pgmcp provision" in log
    assert "is not ready" not in log


async def test_a_server_that_comes_later_is_two_lines(own: ThrowawayCluster) -> None:
    await asyncio.to_thread(own.stop)

    with entrances(own.environment()) as gateway:
        await logged(gateway, "PostgreSQL is not ready")
        refused = [await ask(gateway.local, "/ready", "GET") for _ in range(3)]
        await asyncio.to_thread(own.start)
        log = await logged(gateway, "answers at")
        ready = await ask(gateway.local, "/ready", "GET")

    assert [each.status for each in refused] == [503] * 3
    assert refused[0].body.startswith("PostgreSQL cannot be reached at ")
    assert (ready.status, ready.body) == (200, "ok\n")
    assert log.count("WARNING pgmcp.http PostgreSQL is not ready, calls will say so until") == 1
    assert log.count("INFO pgmcp.http PostgreSQL ") - log.count(", database ") == 1


async def test_an_end_that_a_call_meets_is_told_and_so_is_the_return(own: ThrowawayCluster) -> None:
    with entrances(own.environment()) as gateway:
        await logged(gateway, "answers at")
        await asyncio.to_thread(own.stop)
        await ask(gateway.local, "/", "GET")
        await logged(gateway, "PostgreSQL is not ready")
        await asyncio.to_thread(own.start)
        log = await logged(gateway, "answers at", times=2)

    assert log.count("PostgreSQL is not ready") == 1


async def test_roles_are_named_with_how_they_log_in(own: ThrowawayCluster) -> None:
    state = {"STATE_DIRECTORY": str(own.log.parent)}
    done = run_command(["provision"], {**own.environment(), **state})

    with entrances({**own.environment(), **state}) as gateway:
        log = await logged(gateway, "answers at")
        page = await ask(gateway.local, "/", "GET")

    assert done.returncode == 0, done.stdout + done.stderr
    assert ", as pgmcp_read, pgmcp_write, pgmcp_ddl, pgmcp_admin, pgmcp_monitor, pgmcp_" in log
    assert "no login roles" not in log
    assert "you may        everything that the login roles may do, pgmcp_admin incl" in page.body
