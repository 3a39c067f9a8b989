"""PostgreSQL ends, in order or not, and comes back: the gateway stays and says what is the case."""

from __future__ import annotations

import signal

import pytest

from tests.boot.inside.gateway import answers, begin, call, get, is_ready
from tests.boot.inside.machine import main_pid, prop, systemctl, until
from tests.boot.inside.machine import signal as send_signal

SERVER = "postgresql.service"


@pytest.fixture
async def gateway() -> int:
    """Return the gateway's process, with PostgreSQL there."""
    await is_ready()
    return main_pid()


async def test_the_servers_death_is_survived_without_a_restart(gateway: int) -> None:
    handle = await begin("write")
    before = main_pid(SERVER)

    send_signal(before, signal.SIGKILL)

    await until(lambda: prop("MainPID", SERVER) not in ("0", str(before)), "PostgreSQL is back")
    await is_ready()
    assert main_pid() == gateway
    assert (await call("pg_query", sql="SELECT 7")).startswith("?column?\n7\n")
    text = await call("pg_query", sql="SELECT 7", session_id=handle)
    assert handle[:8] in text
    assert "rolled it back" in text or "was lost with its connection" in text


async def test_a_restart_of_the_server_is_no_restart_of_the_gateway(gateway: int) -> None:
    systemctl("restart", SERVER)

    await is_ready()
    assert main_pid() == gateway
    assert (await call("pg_query", sql="SELECT 7")).startswith("?column?\n7\n")


async def test_without_a_server_the_gateway_lives_and_says_so(gateway: int) -> None:
    systemctl("stop", "postgresql.target")
    await until(lambda: prop("ActiveState", SERVER) == "inactive", "PostgreSQL is stopped")

    ready, live = await get("/ready"), await get("/live")
    text = await call("pg_query", sql="SELECT 7")
    systemctl("start", "postgresql.target")

    assert (ready.status, live.status) == (503, 200)
    assert "/run/postgresql" in ready.body
    assert "/run/postgresql" in text
    await until(lambda: answers("/ready"), "it comes back by itself")
    assert main_pid() == gateway
