"""
The process: sockets, uvicorn, signals, the journal.

Owns the listening sockets; everything else belongs to `http`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn

from pgmcp.errors import CallerError
from pgmcp.http import build_gateway
from pgmcp.settings import Http, Settings

KEEP_ALIVE = 125  # seconds; Tailscale's proxy keeps idle connections 90 s and must not be raced
BACKLOG = 512
YOUNG_OBJECTS = 10_000  # Python's default of 700 runs the collector within every call
ENDING = (signal.SIGINT, signal.SIGTERM)
SOCKET_MODE = 0o660


def listen(settings: Http) -> socket.socket:
    """
    Open the listening socket.

    Raises:
        CallerError: the address is taken or cannot be had; says what to do.
    """
    if settings.socket is not None:
        return _listen_unix(settings.socket)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CallerError(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror}. "
            "Stop what listens there, or choose another: PORT=3001, or --port."
        ) from error
    return listener


def _listen_unix(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists():
            _require_socket(path)
            _require_unused(path)
            path.unlink()
        listener.bind(str(path))
        path.chmod(SOCKET_MODE)
        listener.listen(BACKLOG)
    except CallerError:
        listener.close()
        raise
    except OSError as error:
        listener.close()
        raise CallerError(
            f"cannot listen on the socket {path}: {error.strerror or error}. Choose a path of at "
            "most 107 bytes in a directory that this user may write."
        ) from error
    return listener


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
def _removed_afterwards(listener: socket.socket) -> Iterator[None]:
    """Remove the file of a Unix socket after the block, unless another has taken its place."""
    if listener.family != socket.AF_UNIX:
        yield
        return
    path = Path(listener.getsockname())
    own = path.stat()
    try:
        yield
    finally:
        with suppress(OSError):  # gone, or not ours to remove
            if os.path.samestat(path.stat(), own):
                path.unlink()


def address_of(listener: socket.socket) -> str:
    """Return the URL of the MCP endpoint on *listener*, or the socket's path."""
    if listener.family == socket.AF_UNIX:
        return f"unix:{listener.getsockname()}"
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/mcp"


def set_up_logging(level: str, *, in_journal: bool) -> None:
    """Log to stderr; the time goes along except in the journal, which has it already."""
    form = "%(levelname)s %(name)s %(message)s"
    if not in_journal:
        form = f"%(asctime)s {form}"
    logging.basicConfig(level=level.upper(), format=form, stream=sys.stderr)
    # The SDK logs every session and request at info; its warnings are kept.
    for name in ("mcp", "sse_starlette", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)


class OrderlyServer(uvicorn.Server):
    """
    End in order at SIGINT or SIGTERM, and return.

    uvicorn's own would raise the signal again afterwards, which kills the process before what
    else it owns (the demo's PostgreSQL) has been stopped.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let both signals end the server while the block runs; a second SIGINT forces it."""
        loop = asyncio.get_running_loop()
        for number in ENDING:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in ENDING:
                loop.remove_signal_handler(number)


def settle_memory() -> None:
    """
    Spare the collector what lives as long as the process: 100,000 objects of the imports.

    Otherwise every full collection walks them. The threshold is above the objects of a few dozen
    calls under way, so that a collection finds garbage and not calls. Together a fifth of the
    CPU of point queries at 32 connections; see docs/benchmarks.md.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)


async def serve(settings: Settings, listener: socket.socket) -> None:
    """Answer requests on *listener* until SIGTERM or SIGINT, then end in order."""
    config = uvicorn.Config(
        build_gateway(settings),
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=max(1, round(settings.http.shutdown_grace.total_seconds())),
        proxy_headers=False,
    )
    settle_memory()
    logging.getLogger("pgmcp").info("listening on %s", address_of(listener))
    if (warning := settings.http.exposure()) is not None:
        logging.getLogger("pgmcp").warning("%s", warning)
    with _removed_afterwards(listener):
        await OrderlyServer(config).serve(sockets=[listener])
