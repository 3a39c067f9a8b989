"""The two sockets are systemd's: they are there before the gateway, and outlive it."""

from __future__ import annotations

import asyncio
import grp
import pwd
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot.inside.gateway import LOCAL, TAILSCALE, answers, get, is_ready
from tests.boot.inside.machine import (
    Journal,
    drop_in,
    main_pid,
    prop,
    run,
    systemctl,
    until,
)
from tests.boot.inside.machine import signal as send_signal

CONNECT = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
SOCKETS = {TAILSCALE: "pgmcp.socket", LOCAL: "pgmcp-local.socket"}


def test_the_boot_leaves_no_failed_unit() -> None:
    assert systemctl("list-units", "--failed", "--no-legend", "--plain") == ""


def test_no_unit_of_the_module_needs_a_second_attempt() -> None:
    lines = Journal(after="").lines("pgmcp*")

    assert [line for line in lines if "Failed" in line] == []
    assert [line for line in lines if line.startswith("Started pgmcp.service")] != []


async def test_the_gateway_is_ready_after_the_boot() -> None:
    await is_ready()


@pytest.mark.parametrize(
    ("path", "group", "mode"),
    [
        pytest.param(TAILSCALE, "root", 0o600, id="tailscale"),
        pytest.param(LOCAL, "pgmcp", 0o660, id="local"),
    ],
)
def test_a_socket_has_its_owner_group_and_mode(path: str, group: str, mode: int) -> None:
    found = Path(path).stat()

    assert pwd.getpwuid(found.st_uid).pw_name == "root"
    assert grp.getgrgid(found.st_gid).gr_name == group
    assert stat.S_IMODE(found.st_mode) == mode


@pytest.mark.parametrize(
    ("person", "path", "outcome"),
    [
        pytest.param("member", LOCAL, "", id="the group at the local one"),
        pytest.param("member", TAILSCALE, "Permission denied", id="the group at tailscaled's"),
        pytest.param("stranger", LOCAL, "Permission denied", id="anybody else at the local one"),
        pytest.param("stranger", TAILSCALE, "Permission denied", id="anybody else at tailscaled's"),
    ],
)
def test_only_who_should_can_connect(person: str, path: str, outcome: str) -> None:
    said = run("python3", "-c", CONNECT, path, person=person, check=False)

    assert said.strip().endswith(outcome)
    assert bool(said) == bool(outcome)


@pytest.mark.parametrize("path", SOCKETS)
async def test_the_first_request_starts_the_service(path: str) -> None:
    systemctl("stop", "pgmcp.service")
    assert prop("ActiveState") == "inactive"
    assert prop("SubState", SOCKETS[path]) == "listening"

    answer = await get("/live", socket=path)

    assert answer.status == 200
    assert prop("ActiveState") == "active"


async def test_a_connection_made_while_the_gateway_is_stopped_is_answered() -> None:
    """Frozen, it accepts nothing; systemd kills it, and the next one finds who waits."""
    before = main_pid()
    send_signal(before, signal.SIGSTOP)
    waiting = asyncio.create_task(get("/live"))
    await asyncio.sleep(0.5)
    assert not waiting.done()

    systemctl("kill", "--signal=SIGKILL", "pgmcp.service")
    answer = await waiting

    assert answer.status == 200
    assert main_pid() != before


async def knock() -> str:
    """Ask on a connection of one's own, and return what came of it."""
    try:
        return str((await get("/live")).status)
    except ConnectionResetError:
        return "reset"


async def test_a_restart_lets_requests_wait_and_keeps_the_sockets() -> None:
    """The one whose connection is taken in the moment of the stop may be cut off."""
    inodes = [Path(path).stat().st_ino for path in SOCKETS]
    restarting = await asyncio.create_subprocess_exec("systemctl", "restart", "pgmcp.service")
    told = []
    while restarting.returncode is None:
        told.append(await knock())

    assert set(told) - {"reset"} == {"200"}
    assert told.count("reset") <= 1
    assert inodes == [Path(path).stat().st_ino for path in SOCKETS]


async def test_systemd_hears_that_the_gateway_listens_before_it_calls_it_started() -> None:
    systemctl("stop", "pgmcp.service")
    journal = Journal()

    systemctl("start", "pgmcp.service")

    lines = journal.lines()
    listening = next(n for n, line in enumerate(lines) if "listening on" in line)
    started = next(n for n, line in enumerate(lines) if line.startswith("Started pgmcp.service"))
    assert prop("Type") == "notify"
    assert listening < started


@pytest.fixture(scope="module")
def watched() -> Iterator[None]:
    """Shorten the watchdog's limit, which is there, to one that a test can wait for."""
    assert prop("WatchdogUSec") == "1min"
    with drop_in("[Service]\nWatchdogSec=2\n"):
        systemctl("restart", "pgmcp.service")
        yield


@pytest.mark.usefixtures("watched")
async def test_a_gateway_that_lives_is_not_killed_by_the_watchdog() -> None:
    before = main_pid()

    await asyncio.sleep(3)

    assert main_pid() == before


@pytest.mark.usefixtures("watched")
async def test_a_gateway_that_hangs_is_killed_and_started_again() -> None:
    before, journal = main_pid(), Journal()

    send_signal(before, signal.SIGSTOP)

    await until(lambda: journal.has("Watchdog timeout"), "systemd finds it hanging")
    await until(answers, "the next one answers")
    assert main_pid() != before
    assert journal.has("Failed with result 'watchdog'")
