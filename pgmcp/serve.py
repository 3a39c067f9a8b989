"""
The process: uvicorn, signals, the journal.

Owns the server; its sockets are `listeners`', everything else is `http`'s.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import uvicorn

from pgmcp.connection import BoundedConnection, allow_files
from pgmcp.http import build_gateway
from pgmcp.identity import Arrival
from pgmcp.journal import Form, tell_stray
from pgmcp.listeners import Listener, removed_afterwards
from pgmcp.settings import Http, Settings
from pgmcp.supervisor import Supervisor

log = logging.getLogger("pgmcp")
KEEP_ALIVE = 125  # seconds; Tailscale's proxy keeps idle connections 90 s and must not be raced
YOUNG_OBJECTS = 10_000  # Python's default of 700 runs the collector within every call
ENDING = (signal.SIGINT, signal.SIGTERM)
CREDENTIALS = struct.Struct("3i")  # SO_PEERCRED's pid, uid, gid


def set_up_logging(level: str, *, in_journal: bool) -> None:
    """Log to stderr; the time goes along except in the journal, which has it already."""
    form = "%(levelname)s %(name)s %(message)s"
    if not in_journal:
        form = f"%(asctime)s {form}"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Form(form))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    # Nobody is shown which line of code logged; finding it is a quarter of what a line costs.
    logging._srcfile = None  # noqa: SLF001 — documented: logging, "Optimization"
    logging.raiseExceptions = False  # it would print a message's values
    # The SDK logs every session and request at info; its warnings are kept.
    for name in ("mcp", "sse_starlette", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)


def protocol_of(listeners: Sequence[Listener], http: Http) -> type[BoundedConnection]:
    """Return uvicorn's protocol, which tells each request where its connection came in."""
    tailscale = {each.socket.getsockname() for each in listeners if each.kind == "tailscale"}
    is_tcp_believed = any(each.kind == "tcp" and each.trusts_headers for each in listeners)

    class Connection(BoundedConnection):
        bounds = http

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            connected = transport.get_extra_info("socket")
            arrival = Arrival()
            if connected.family == socket.AF_UNIX:
                is_tailscale = connected.getsockname() in tailscale
                arrival = Arrival.over_unix(uid=_peer_uid(connected), is_tailscale=is_tailscale)
            elif self.client is not None and self.server is not None:
                peer, own = self.client[0], self.server[0]
                arrival = Arrival.over_tcp(peer, own, trusts_headers=is_tcp_believed)
            # uvicorn copies it into each request's scope["state"].
            self.app_state = {**self.app_state, "arrival": arrival}

    return Connection


def _peer_uid(connected: socket.socket) -> int | None:
    """Return as whom the peer of a Unix socket connected; None where the system does not tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    credentials = connected.getsockopt(socket.SOL_SOCKET, option, CREDENTIALS.size)
    return int(CREDENTIALS.unpack(credentials)[1])


class OrderlyServer(uvicorn.Server):
    """
    End in order at SIGINT or SIGTERM, and return; tell the supervisor of both ends.

    uvicorn's own would raise the signal again afterwards, which kills the process before what
    else it owns (the demo's PostgreSQL) has been stopped.
    """

    def __init__(
        self, config: uvicorn.Config, listeners: Sequence[Listener], supervisor: Supervisor
    ) -> None:
        super().__init__(config)
        self._listeners = listeners
        self._supervisor = supervisor

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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start everything, and only then be ready; from here on a signal ends it in order."""
        await super().startup(sockets)
        for listener in self._listeners:
            believed = ", whose headers say who calls" if listener.trusts_headers else ""
            log.info("listening on %s (%s%s)", listener.url, listener.kind, believed)
        self._supervisor.tell("READY=1")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so before calls get their time to end."""
        self._supervisor.tell("STOPPING=1")
        await super().shutdown(sockets)


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


async def serve(
    settings: Settings, listeners: Sequence[Listener], supervisor: Supervisor | None = None
) -> None:
    """Answer requests on *listeners* until SIGTERM or SIGINT, then end in order."""
    supervisor = supervisor or Supervisor({})
    config = uvicorn.Config(
        build_gateway(settings),
        loop="uvloop",
        http=protocol_of(listeners, settings.http),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=max(1, round(settings.http.shutdown_grace.total_seconds())),
        proxy_headers=False,
    )
    settle_memory()
    allow_files(settings.http.max_connections)
    if (warning := settings.http.exposure()) is not None:
        log.warning("%s", warning)
    with ExitStack() as files:
        for listener in listeners:
            files.enter_context(removed_afterwards(listener))
        asyncio.get_running_loop().set_exception_handler(tell_stray)
        watchdog = asyncio.create_task(supervisor.keep_alive())
        try:
            sockets = [each.socket for each in listeners]
            await OrderlyServer(config, listeners, supervisor).serve(sockets)
        finally:
            watchdog.cancel()
