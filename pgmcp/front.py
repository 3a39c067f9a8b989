"""
What every request passes before any route: cleaning, Host, Origin, who calls.

Owns the refusals 403 and 421 and notices the end of an MCP session; never reads a body.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pgmcp.identity import identify
from pgmcp.protocol import bind
from pgmcp.settings import Http

log = logging.getLogger("pgmcp.http")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
SUCCESS = range(200, 300)
STOPPING = PlainTextResponse(
    "The gateway is stopping; the statement was cancelled. Try again in a moment.\n", 503
)
TWICE = PlainTextResponse("A request has one Host and at most one Origin.\n", 400)
FUNNEL = PlainTextResponse(
    "The gateway answers no call from the public internet. Reach it over the tailnet; the operator "
    "can end this with: tailscale funnel reset.\n",
    403,
)
SHOWN = 100  # characters of a refused header that are shown


class Front:
    """Check a request, name its caller, pass it on."""

    def __init__(
        self, app: ASGIApp, settings: Http, end_session: Callable[[str], Awaitable[None]]
    ) -> None:
        self._app = app
        self._end_session = end_session
        self._origins = set(settings.allowed_origins)
        self._hosts = {*settings.allowed_hosts, *(urlsplit(each).netloc for each in self._origins)}
        self._hosts.discard("")  # a request without a Host is served by no name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI event loop of a request; the lifespan passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # httptools keeps the spaces around a value, and the SDK compares values with the body.
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        names = [name for name, _ in scope["headers"]]
        # With two of them, what is checked here need not be what somebody behind reads.
        is_twice = names.count(b"host") > 1 or names.count(b"origin") > 1
        refusal = TWICE if is_twice else self._refuse(headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        bind(scope, identify(name.decode("latin-1") for name in headers))
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except asyncio.CancelledError:
            # Only the end of the process cancels a request here; a client that waits gets told.
            if not status:
                await STOPPING(scope, receive, send)
            return
        session = headers.get(b"mcp-session-id")
        if scope["method"] == "DELETE" and session and status in SUCCESS:
            await self._end_session(session)

    def _refuse(self, headers: dict[bytes, str]) -> PlainTextResponse | None:
        # Tailscale sets it on what comes through Funnel, and removes it from what does not.
        if b"tailscale-funnel-request" in headers:
            log.warning("refused a request through Tailscale Funnel")
            return FUNNEL
        host = headers.get(b"host", "").lower()
        if not self._is_served(host):
            log.warning("refused host %r", host[:SHOWN])
            return PlainTextResponse(
                f"Host {host[:SHOWN]!r} is not served here. Call the gateway by localhost or by a "
                "name in MCP_ALLOWED_ORIGINS or http.allowed_hosts.\n",
                status_code=421,
            )
        origin = headers.get(b"origin")
        if origin is not None and not self._is_allowed(origin.lower()):
            log.warning("refused origin %r", origin[:SHOWN])
            return PlainTextResponse(
                f"Origin {origin[:SHOWN]!r} may not call. Allowed are those in "
                "MCP_ALLOWED_ORIGINS or http.allowed_origins; programs send none.\n",
                status_code=403,
            )
        return None

    def _is_served(self, host: str) -> bool:
        name = _without_port(host)
        return host in self._hosts or name in self._hosts or name in LOOPBACK

    def _is_allowed(self, origin: str) -> bool:
        if origin in self._origins:
            return True
        scheme, _, netloc = origin.partition("://")
        return scheme in ("http", "https") and _without_port(netloc) in LOOPBACK


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
