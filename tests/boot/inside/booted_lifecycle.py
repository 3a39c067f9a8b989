"""Stop, restart, and death of the gateway: what is open on the server ends, what is kept stays."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot.inside.gateway import answers, begin, call, get, is_ready
from tests.boot.inside.machine import (
    Journal,
    drop_in,
    main_pid,
    prop,
    psql,
    run,
    systemctl,
    until,
)
from tests.boot.inside.machine import signal as send_signal

OPEN = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE application_name LIKE 'pgmcp%' AND state = 'idle in transaction'"
)
STATE = Path("/var/lib/pgmcp")
PROVISION = "pgmcp-provision.service"
AT_ONCE = "[Service]\nRestartSec=0\nRestartSteps=0\nRestartMaxDelaySec=infinity\n"


async def change_a_row() -> str:
    """Leave a transaction open that has changed a row, and return its handle."""
    await is_ready()
    psql("CREATE TABLE IF NOT EXISTS public.till (amount integer)", database="shop")
    psql("TRUNCATE public.till; INSERT INTO public.till VALUES (1)", database="shop")
    psql("GRANT ALL ON public.till TO pgmcp_write", database="shop")
    handle = await begin("write")
    sql = "UPDATE public.till SET amount = 2 WHERE amount = 1"
    text = await call("pg_query", sql=sql, mode="write", session_id=handle)
    assert "UPDATE 1" in text
    assert psql(OPEN) == "1\n"
    return handle


async def kill() -> None:
    """Kill the gateway and wait until systemd runs another one."""
    before = main_pid()
    send_signal(before, signal.SIGKILL)
    await until(lambda: prop("MainPID") not in ("0", str(before)), "another one runs")


async def kill_often(times: int) -> None:
    """Kill the gateway as soon as it runs, again and again, within seconds."""
    for _ in range(times):
        await kill()


async def test_a_stop_rolls_back_and_ends_in_order() -> None:
    await change_a_row()
    journal, began = Journal(), time.monotonic()

    systemctl("stop", "pgmcp.service")

    assert prop("Result") == "success"
    assert psql(OPEN) == "0\n"
    assert psql("SELECT amount FROM public.till", database="shop") == "1\n"
    assert time.monotonic() - began < 10
    assert not journal.has("Traceback")
    assert not journal.has("SIGKILL")


async def test_a_killed_gateway_comes_back_and_its_transaction_is_rolled_back() -> None:
    handle = await change_a_row()

    await kill()

    await until(lambda: psql(OPEN) == "0\n", "the server has noticed")
    assert psql("SELECT amount FROM public.till", database="shop") == "1\n"
    await is_ready()
    text = await call("pg_query", sql="SELECT 1", session_id=handle)
    assert f"no open transaction of yours has session_id {handle[:8]}" in text
    assert "action=begin starts one" in text


@pytest.fixture
def impatient() -> Iterator[None]:
    """Let systemd try again at once, and leave out provisioning, which has tests of its own."""
    with drop_in(AT_ONCE), drop_in("[Service]\nExecStart=\nExecStart=/bin/true\n", PROVISION):
        yield


@pytest.mark.usefixtures("impatient")
async def test_a_gateway_killed_again_and_again_comes_back_and_keeps_its_sockets() -> None:
    """More often than the five times in ten seconds after which systemd gives up by default."""
    began = time.monotonic()
    await kill_often(6)
    assert time.monotonic() - began < 10

    await is_ready()

    assert prop("SubState", "pgmcp.socket") == "running"
    assert prop("SubState", "pgmcp-local.socket") == "running"


@pytest.mark.usefixtures("impatient")
async def test_a_gateway_that_cannot_start_keeps_its_sockets_and_starts_once_it_can() -> None:
    with drop_in("[Service]\nExecStart=\nExecStart=/bin/false\n"):
        run("systemctl", "restart", "pgmcp.service", check=False)
        waiting = asyncio.create_task(get("/live"))
        await until(lambda: int(prop("NRestarts")) > 8, "it fails and fails")
        assert prop("ActiveState", "pgmcp.socket") == "active"

    answer = await waiting
    assert answer.status == 200
    assert prop("ActiveState", "pgmcp-local.socket") == "active"


async def test_a_restart_as_of_an_upgrade_keeps_the_state() -> None:
    """The next generation's unit may get another user number; its files are its own again."""
    text = await call("pg_admin", action="backup")
    before = {path.name for path in (STATE / "backup").iterdir()}
    assert before, text
    owner = (STATE / "backup").stat().st_uid
    systemctl("stop", "pgmcp.service")
    os.chown(STATE / "backup", owner + 1, owner + 1)
    for path in (STATE / "backup").rglob("*"):
        os.chown(path, owner + 1, owner + 1)
    os.chown(STATE, owner + 1, owner + 1)

    systemctl("start", "pgmcp.service")
    await call("pg_admin", action="backup")

    after = {path.name for path in (STATE / "backup").iterdir()}
    assert before < after


async def test_a_reload_of_systemd_leaves_everything_as_it_is() -> None:
    before = main_pid()
    systemctl("daemon-reload")

    assert await answers()
    assert main_pid() == before
