"""Three listeners in one process: their modes, their trust, what systemd hands over and is told."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pgmcp.errors import CallerError
from pgmcp.listeners import Listener, listen
from pgmcp.settings import Http
from tests.cluster import ThrowawayCluster
from tests.entrances import KEY, RULES, Entrances, ask, entrances, who_am_i
from tests.tailnet import FQDN, tailscale_serve
from tests.wire import Wire

NOBODY = 65534
BEARER = {"Authorization": f"Bearer {KEY}"}
ANA = {"Tailscale_User_Login": "ana@example.com", "X_Forwarded_For": "100.64.0.1"}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")


@pytest.fixture(scope="module")
def plain(newest_cluster: ThrowawayCluster) -> Iterator[Entrances]:
    with entrances(newest_cluster.environment()) as found:
        yield found


@pytest.fixture
def opened() -> Iterator[Callable[..., list[Listener]]]:
    """Return `listen`, whose sockets are closed after the test."""
    with ExitStack() as stack:

        def listen_here(settings: Http, handed: tuple[Listener, ...] = ()) -> list[Listener]:
            found = listen(settings, handed)
            for listener in found:
                stack.callback(listener.socket.close)
            return found

        yield listen_here


Open = Callable[..., list[Listener]]


def kinds(listeners: list[Listener]) -> list[str]:
    """Return the kinds of listeners in their order."""
    return [listener.kind for listener in listeners]


def mode_of(path: Path) -> int:
    """Return the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_tcp_is_on_unless_there_is_a_socket(opened: Open, tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"

    assert kinds(opened(Http(port=0))) == ["tcp"]
    assert kinds(opened(Http(port=0, socket=a))) == ["local"]
    assert kinds(opened(Http(port=0, tailscale_socket=b))) == ["tailscale"]


def test_all_three_at_once(opened: Open, tmp_path: Path) -> None:
    found = opened(Http(port=0, tcp=True, socket=tmp_path / "a", tailscale_socket=tmp_path / "b"))

    assert kinds(found) == ["tcp", "local", "tailscale"]
    assert [listener.trusts_headers for listener in found] == [False, False, True]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_socket_has_its_mode_whatever_the_umask_is(
    opened: Open, tmp_path: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        opened(Http(socket=tmp_path / "local", tailscale_socket=tmp_path / "tailscale"))
        kept = os.umask(umask)
    finally:
        os.umask(before)

    assert mode_of(tmp_path / "local") == 0o660
    assert mode_of(tmp_path / "tailscale") == 0o600
    assert kept == umask


def test_what_failed_leaves_nothing_open(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="cannot listen on the socket"):
        listen(Http(socket=tmp_path / "a", tailscale_socket=tmp_path / ("x" * 200)))

    with pytest.raises(ConnectionRefusedError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(tmp_path / "a"))


def test_trust_on_tcp_is_asked_for(opened: Open) -> None:
    (listener,) = opened(Http(port=0, trust_proxy_headers_on_tcp=True))

    assert listener.trusts_headers


async def test_one_process_serves_all_three(plain: Entrances) -> None:
    wires = [Wire(plain.url(each), BEARER) for each in ("tcp", "local", "tailscale")]
    begun = await (await wires[0].modern("pg_tx", action="begin")).answer()
    handle = begun.message["result"]["structuredContent"]["session_id"]

    texts = [
        (await (await wire.modern("pg_query", sql="SELECT 5", session_id=handle)).answer()).text
        for wire in wires
    ]

    assert ["\n5\n" in text for text in texts] == [True] * 3


def test_the_journal_says_where_it_listens(plain: Entrances) -> None:
    text = plain.log

    assert f"listening on {plain.tcp} (tcp)" in text
    assert f"listening on {plain.local} (local)" in text
    assert f"listening on {plain.tailscale} (tailscale, whose headers say who calls)" in text


SPEAK = """
import socket, sys
with socket.socket(socket.AF_UNIX) as peer:
    peer.connect(sys.argv[1])
    peer.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n"
                 b"X-Forwarded-For: 100.64.0.1\\r\\n"
                 b"Tailscale-User-Login: ana@example.com\\r\\n\\r\\n")
    while got := peer.recv(65536):
        sys.stdout.buffer.write(got)
"""


def speak_as_nobody(url: str) -> subprocess.CompletedProcess[bytes]:
    """Send a forged request to a Unix socket, as a user that it is not for."""
    return subprocess.run(
        ["/usr/bin/python3", "-c", SPEAK, url.removeprefix("unix:")],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        check=False,
        timeout=20,
    )


@needs_root
@pytest.mark.parametrize("listener", ["local", "tailscale"])
def test_nobody_else_opens_the_sockets(plain: Entrances, listener: str) -> None:
    ended = speak_as_nobody(plain.url(listener))

    assert b"PermissionError" in ended.stderr
    assert ended.stdout == b""


@needs_root
async def test_a_stranger_on_tailscaleds_socket_is_refused_whatever_its_mode(
    plain: Entrances,
) -> None:
    path = Path(plain.tailscale.removeprefix("unix:"))
    path.chmod(0o666)
    try:
        ended = await asyncio.to_thread(speak_as_nobody, plain.tailscale)
    finally:
        path.chmod(0o600)

    assert ended.stdout.startswith(b"HTTP/1.1 403")
    assert b"This socket is for tailscaled alone" in ended.stdout
    assert f'reason="uid {NOBODY} on the socket for tailscaled"' in plain.log
    assert await who_am_i(plain.tailscale, **ANA) == "tailscale:ana@example.com"


@needs_root
async def test_a_stranger_on_the_local_socket_is_who_its_group_lets_in(plain: Entrances) -> None:
    path = Path(plain.local.removeprefix("unix:"))
    path.chmod(0o666)
    try:
        ended = await asyncio.to_thread(speak_as_nobody, plain.local)
    finally:
        path.chmod(0o660)

    assert b"you are        proxied" in ended.stdout


async def test_tcp_is_believed_where_that_is_set(newest_cluster: ThrowawayCluster) -> None:
    with entrances(
        newest_cluster.environment(),
        RULES,
        "trust_proxy_headers_on_tcp = true",
    ) as found:
        async with tailscale_serve(found.tcp.removesuffix("/mcp")) as published:
            through = await who_am_i(published.url, Host=FQDN)
        direct = await who_am_i(found.tcp)
        forged = await who_am_i(found.tcp, **ANA)
        local = await ask(found.local, "/", "GET", **ANA)

    assert (through, direct) == ("tailscale:ana@example.com", "local")
    assert forged == "tailscale:ana@example.com"  # as the setting's description says
    assert local.status == 403


async def test_own_sockets_go_at_the_end(newest_cluster: ThrowawayCluster) -> None:
    with entrances(newest_cluster.environment()) as found:
        status = found.process.stop()
        left = sorted(path.name for path in found.folder.iterdir())

    assert status == 0
    assert left == ["keys", "pgmcp.toml"]
