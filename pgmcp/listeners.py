"""
Where connections come in: TCP, the local Unix socket, and the one for tailscaled alone.

Owns the listening sockets and their files; never reads a request.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pgmcp.errors import CallerError
from pgmcp.identity.caller import ListenerKind
from pgmcp.settings import Http

BACKLOG = 512
# Of the local socket: its owner and group. Of tailscaled's: root opens anything, so the owner's.
FORBIDDEN_BITS = {"local": 0o117, "tailscale": 0o177}
KINDS: tuple[ListenerKind, ...] = get_args(ListenerKind)
FIRST_HANDED = 3  # systemd's SD_LISTEN_FDS_START


@dataclass(frozen=True, kw_only=True, slots=True)
class Listener:
    """Hold one listening socket; *is_ours* is False where systemd made it and will keep it."""

    kind: ListenerKind
    socket: socket.socket
    trusts_headers: bool
    is_ours: bool = True

    @property
    def url(self) -> str:
        """Return the URL of the MCP endpoint here, or the socket's path."""
        if self.socket.family == socket.AF_UNIX:
            return f"unix:{self.socket.getsockname()}"
        host, port = self.socket.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{port}/mcp"


def listen(settings: Http, handed: Sequence[Listener] = ()) -> list[Listener]:
    """
    Open what the settings name, besides what systemd *handed* over; TCP comes first.

    Raises:
        CallerError: an address is taken or cannot be had; says what to do.
    """
    found: dict[ListenerKind, Listener] = {listener.kind: listener for listener in handed}
    paths: dict[ListenerKind, Path | None] = {
        "local": settings.socket,
        "tailscale": settings.tailscale_socket,
    }
    try:
        for kind, path in paths.items():
            if path is not None and kind not in found:
                found[kind] = _listen_unix(kind, path)
        # What systemd hands over stands for what was asked for, unless TCP is asked for by name.
        if "tcp" not in found and (settings.tcp or (settings.has_tcp and not handed)):
            found["tcp"] = _listen_tcp(settings)
    except BaseException:
        for listener in found.values():
            listener.socket.close()
        raise
    return [found[kind] for kind in KINDS if kind in found]


def handed_over(environ: Mapping[str, str], settings: Http) -> list[Listener]:
    """
    Take the sockets that systemd opened for this process, by their names.

    Source: sd_listen_fds(3): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES.

    Raises:
        CallerError: a name is not known, comes twice, or names a socket of another sort.
    """
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(environ.get("LISTEN_FDS") or 0)
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    names += ["unknown"] * (count - len(names))
    found: dict[str, Listener] = {}
    for number, name in enumerate(names[:count], start=FIRST_HANDED):
        kind = next((each for each in KINDS if each == name), None)
        if kind is None or kind in found:
            said = "is handed over twice" if kind else "is not known"
            raise CallerError(
                f"the socket {name!r} that systemd handed over {said}. Name each by "
                f"FileDescriptorName={', '.join(KINDS)} in its .socket unit, once."
            )
        found[kind] = _take(kind, number, settings)
    return list(found.values())


def _take(kind: ListenerKind, number: int, settings: Http) -> Listener:
    taken = None
    is_listening = False
    with suppress(OSError):  # no descriptor, or none of a socket
        taken = socket.socket(fileno=number)
        is_listening = bool(taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    is_unix = taken is not None and taken.family == socket.AF_UNIX
    if taken is None or not is_listening or is_unix == (kind == "tcp"):
        if taken is not None:
            taken.close()
        raise CallerError(
            f"the socket {kind!r} that systemd handed over is not of its sort. Write "
            "ListenStream= with a path for local and tailscale, with an address for tcp."
        )
    taken.set_inheritable(False)  # pg_dump needs none of them
    return Listener(kind=kind, socket=taken, trusts_headers=_trusts(kind, settings), is_ours=False)


def _trusts(kind: ListenerKind, settings: Http) -> bool:
    return kind == "tailscale" or (kind == "tcp" and settings.trust_proxy_headers_on_tcp)


def _listen_tcp(settings: Http) -> Listener:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((settings.host, settings.port))
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise CallerError(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror}. "
            "Stop what listens there, or choose another: PORT=3001, or --port."
        ) from error
    return Listener(kind="tcp", socket=opened, trusts_headers=_trusts("tcp", settings))


def _listen_unix(kind: ListenerKind, path: Path) -> Listener:
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # A mode set afterwards would leave a moment in which anybody could connect.
    before = os.umask(FORBIDDEN_BITS[kind])
    try:
        if path.exists():
            _require_socket(path)
            _require_unused(path)
            path.unlink()
        opened.bind(str(path))
        opened.listen(BACKLOG)
    except CallerError:
        opened.close()
        raise
    except OSError as error:
        opened.close()
        raise CallerError(
            f"cannot listen on the socket {path}: {error.strerror or error}. Choose a path of at "
            "most 107 bytes in a directory that this user may write."
        ) from error
    finally:
        os.umask(before)
    return Listener(kind=kind, socket=opened, trusts_headers=kind == "tailscale")


def _require_socket(path: Path) -> None:
    mode = path.stat().st_mode
    if not stat.S_ISSOCK(mode):
        kind = "directory" if stat.S_ISDIR(mode) else "file"
        raise CallerError(f"{path} is a {kind}, not a socket: choose another path for --socket.")


def _require_unused(path: Path) -> None:
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.connect(str(path))
    except OSError:
        return
    finally:
        probe.close()
    raise CallerError(f"another process listens on {path}. Stop it, or choose another --socket.")


@contextmanager
def removed_afterwards(listener: Listener) -> Iterator[None]:
    """Remove the file of our Unix socket after the block, unless another has taken its place."""
    if listener.socket.family != socket.AF_UNIX or not listener.is_ours:
        yield
        return
    path = Path(listener.socket.getsockname())
    own = path.stat()
    try:
        yield
    finally:
        with suppress(OSError):  # gone, or not ours to remove
            if os.path.samestat(path.stat(), own):
                path.unlink()
