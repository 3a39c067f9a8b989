"""What systemd hands over, and what it is told: READY, WATCHDOG, STOPPING."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pgmcp.errors import CallerError
from pgmcp.listeners import handed_over
from pgmcp.settings import Http
from pgmcp.supervisor import Supervisor
from tests.cluster import ThrowawayCluster
from tests.entrances import who_am_i
from tests.process import start_gateway

ANA = {"Tailscale_User_Login": "ana@example.com", "X_Forwarded_For": "100.64.0.1"}

# What systemd does, in one line: the sockets become 3, 4, …, and their names go along.
HAND_OVER = """
import fcntl, os, sys
count = int(sys.argv[1])
taken = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 50) for each in sys.argv[3].split(",")]
for number, each in enumerate(taken, start=3):
    os.dup2(each, number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count), LISTEN_FDNAMES=sys.argv[2])
os.execv(sys.argv[4], sys.argv[4:])
"""


@pytest.fixture
def made(tmp_path: Path) -> Iterator[dict[str, socket.socket]]:
    """Make the sockets that systemd would."""
    with ExitStack() as stack:
        found = {
            name: stack.enter_context(socket.socket(family))
            for name, family in (
                ("local", socket.AF_UNIX),
                ("tailscale", socket.AF_UNIX),
                ("tcp", socket.AF_INET),
            )
        }
        found["local"].bind(str(tmp_path / "l"))
        found["tailscale"].bind(str(tmp_path / "t"))
        found["tcp"].bind(("127.0.0.1", 0))
        for each in found.values():
            each.listen()
        yield found


def launcher(sockets: dict[str, socket.socket]) -> list[str]:
    """Return the beginning of a command that is started as systemd starts it."""
    numbers = ",".join(str(each.fileno()) for each in sockets.values())
    return [sys.executable, "-c", HAND_OVER, str(len(sockets)), ":".join(sockets), numbers]


async def test_sockets_that_systemd_hands_over_are_served_and_stay(
    newest_cluster: ThrowawayCluster, made: dict[str, socket.socket], tmp_path: Path
) -> None:
    fds = [each.fileno() for each in made.values()]
    environment = newest_cluster.environment()
    with start_gateway(environment, launcher=launcher(made), pass_fds=fds) as process:
        port = made["tcp"].getsockname()[1]
        shown = [
            await who_am_i(f"unix:{tmp_path}/t", **ANA),
            await who_am_i(f"unix:{tmp_path}/l", **ANA),
            await who_am_i(f"http://127.0.0.1:{port}/mcp"),
        ]
        status = process.stop()

    assert shown == ["tailscale:ana@example.com", "proxied", "local"]
    assert status == 0
    assert (tmp_path / "t").exists()
    assert (tmp_path / "l").exists()


async def test_handed_over_sockets_stand_for_tcp(
    newest_cluster: ThrowawayCluster, made: dict[str, socket.socket]
) -> None:
    only = {"tailscale": made["tailscale"]}
    fds = [made["tailscale"].fileno()]
    with start_gateway(
        newest_cluster.environment(), launcher=launcher(only), pass_fds=fds
    ) as process:
        assert process.url.startswith("unix:")
        assert process.log.read_text().count("listening on") == 1


def environ_of(names: str, count: int) -> dict[str, str]:
    """Return what systemd would set for this process."""
    return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(count), "LISTEN_FDNAMES": names}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("http", "the socket 'http' that systemd handed over is not known"),
        ("", "the socket '' that systemd handed over is not known"),
        ("pgmcp.socket", "Name each by FileDescriptorName=tcp, local, tailscale"),
    ],
)
def test_a_socket_of_an_unknown_name_is_a_sentence(names: str, said: str) -> None:
    with pytest.raises(CallerError, match=said):
        handed_over(environ_of(names, 1), Http())


def test_a_socket_of_no_name_is_a_sentence() -> None:
    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}

    with pytest.raises(CallerError, match="is not known"):
        handed_over(environ, Http())


async def refused_start(environment: dict[str, str], sockets: dict[str, socket.socket]) -> str:
    """Return what the gateway says of sockets that it cannot take."""
    fds = [each.fileno() for each in sockets.values()]
    with (
        pytest.raises(RuntimeError) as caught,
        start_gateway(environment, launcher=launcher(sockets), pass_fds=fds),
    ):
        pass
    return str(caught.value)


async def test_sockets_of_the_wrong_sort_are_a_sentence(
    newest_cluster: ThrowawayCluster, made: dict[str, socket.socket]
) -> None:
    """TCP under tailscaled's name would make everybody believed."""
    environment = newest_cluster.environment()
    with socket.socket(socket.AF_UNIX) as deaf:
        texts = [
            await refused_start(environment, {"tailscale": made["tcp"]}),
            await refused_start(environment, {"tcp": made["local"]}),
            await refused_start(environment, {"local": deaf}),
        ]

    assert ["that systemd handed over is not of its sort" in text for text in texts] == [True] * 3


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "tcp"},
        {"LISTEN_PID": "", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "tcp"},
        {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "tcp"},
    ],
)
def test_sockets_for_another_process_are_left(environ: dict[str, str]) -> None:
    assert handed_over(environ, Http()) == []


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    """Listen as systemd does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        yield listening


async def test_systemd_is_told_of_start_life_and_end(
    newest_cluster: ThrowawayCluster, systemd: socket.socket
) -> None:
    environment = {
        **newest_cluster.environment(),
        "NOTIFY_SOCKET": systemd.getsockname(),
        "WATCHDOG_USEC": "200000",
    }
    with start_gateway(environment) as process:
        first = [await asyncio.to_thread(systemd.recv, 100) for _ in range(4)]
        answered = await who_am_i(process.url)
        process.process.send_signal(signal.SIGTERM)
        later = [await asyncio.to_thread(systemd.recv, 100)]
        process.stop()
        systemd.settimeout(0)
        later += drained(systemd)

    assert sorted(set(first)) == [b"READY=1", b"WATCHDOG=1"]
    assert answered == "local"
    assert later.count(b"STOPPING=1") == 1
    assert set(later) <= {b"STOPPING=1", b"WATCHDOG=1"}


def drained(listening: socket.socket) -> list[bytes]:
    """Return the messages that have arrived."""
    found = []
    try:
        while True:
            found.append(listening.recv(100))
    except BlockingIOError:
        return found


def test_the_abstract_namespace_is_understood() -> None:
    name = f"pgmcp-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(5)

        Supervisor({"NOTIFY_SOCKET": f"@{name}"}).tell("READY=1")

        assert listening.recv(100) == b"READY=1"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"WATCHDOG_USEC": "1000"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "0"},
    ],
)
async def test_nobody_is_told_where_nobody_watches(environ: dict[str, str]) -> None:
    async with asyncio.timeout(1):
        await Supervisor(environ).keep_alive()


def test_a_supervisor_that_is_gone_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    Supervisor({"NOTIFY_SOCKET": "/nowhere/notify"}).tell("READY=1")

    assert "systemd was not told READY=1: No such file or directory" in caplog.text
