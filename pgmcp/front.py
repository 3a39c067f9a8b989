"""
What every request passes before any route: cleaning, Host, Origin, who calls, how far.

Owns these refusals and notices the end of an MCP session; never reads a body.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pgmcp.audit import refuse
from pgmcp.errors import AccessDenied
from pgmcp.hosts import Hosts, published_origin
from pgmcp.identity import Arrival, Caller, Headers, Recognition, Refused
from pgmcp.identity.tailscale import FUNNEL, read_address
from pgmcp.kinds import LEVELS, Level
from pgmcp.protocol import bind
from pgmcp.settings import Settings

SUCCESS = range(200, 300)
STOPPING = PlainTextResponse(
    "The gateway is stopping; the statement was cancelled. Try again in a moment.\n", 503
)
MCP = "/mcp"
SESSION = "mcp-session-id"
NARROWER = LEVELS[:-1]  # the highest would narrow nothing
MOST_PARAMETERS = 20  # of a URL
SHOWN = 60  # characters of a refused value that are shown
ROOT = 0

EndSession = Callable[[str], Awaitable[None]]
# Returns the caller's access, kept for the protocol. Raises AccessDenied where there is none.
Admit = Callable[[Caller, Level | None], Any]  # Any: the protocol's business


class Front:
    """Check a request, name its caller, pass it on."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        end_session: EndSession,
        admit: Admit | None = None,
    ) -> None:
        """
        Read the API keys; without *admit* everybody is let in.

        Raises:
            CallerError: the API keys cannot be read.
        """
        self._app = app
        self._end_session = end_session
        self._admit = admit
        self._hosts = Hosts(settings.http)
        self._recognition = Recognition(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI event loop of a request; the lifespan passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # httptools keeps the spaces around a value, and the SDK compares values with the body.
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        headers = Headers(scope["headers"])
        try:
            self._check(scope, headers)
        except Refused as refusal:
            _record(scope, headers, refusal)
            answer = PlainTextResponse(
                f"{refusal.sentence}\n", refusal.status, headers=refusal.headers
            )
            await answer(scope, receive, send)
            return
        await self._pass_on(scope, receive, send, headers.one(SESSION))

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Let the request pass, with its caller in the scope, or raise Refused."""
        arrival = _arrival(scope)
        _require_tailnet(headers)
        _require_own(arrival)
        self._hosts.check(headers, is_believed=arrival.trusts_headers)
        caller = self._recognition.identify(headers, arrival)
        headers.one(SESSION)  # two of them: the SDK and the owner of a transaction could differ
        bind(scope, caller)
        if arrival.trusts_headers:
            scope["state"]["published"] = published_origin(headers)
        if scope["path"].rstrip("/") != MCP:
            return
        narrow = _narrowing(scope["query_string"])
        scope["state"]["narrow"] = narrow
        if self._admit is None:
            return
        try:
            scope["state"]["access"] = self._admit(caller, narrow)
        except AccessDenied as error:
            raise Refused(403, error.message) from error

    async def _pass_on(
        self, scope: Scope, receive: Receive, send: Send, session: str | None
    ) -> None:
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
        if scope["method"] == "DELETE" and session and status in SUCCESS:
            await self._end_session(session)


def _arrival(scope: Scope) -> Arrival:
    """Return where the request came in; without our listeners, what ASGI itself tells."""
    found = scope.setdefault("state", {}).get("arrival")
    if isinstance(found, Arrival):
        return found
    client, server = scope.get("client"), scope.get("server")
    if not client:
        return Arrival()
    return Arrival.over_tcp(client[0], server[0] if server else "")


def _record(scope: Scope, headers: Headers, refusal: Refused) -> None:
    """Write down who was refused, as far as that is known, and why."""
    if refusal.reason is None:
        return
    arrival = _arrival(scope)
    caller = scope["state"].get("caller", Caller(principal="", address=arrival.address))
    if not caller.principal and arrival.trusts_headers:
        with suppress(Refused):
            caller = replace(caller, address=read_address(headers))
    refuse(caller.principal, caller.address, refusal.status, refusal.reason)


def _require_tailnet(headers: Headers) -> None:
    # Tailscale sets it on what comes through Funnel, and removes it from what does not.
    if FUNNEL in headers:
        raise Refused(
            403,
            "The gateway answers no call from the public internet. Reach it over the tailnet; the "
            "operator can end this with: tailscale funnel reset.",
        )


def _require_own(arrival: Arrival) -> None:
    """Keep everybody but root and ourselves from a socket whose headers are believed."""
    if arrival.trusts_headers and arrival.uid not in (None, ROOT, os.geteuid()):
        raise Refused(
            403,
            "This socket is for tailscaled alone. Use the local socket (http.socket), or TCP.",
            reason=f"uid {arrival.uid} on the socket for tailscaled",
        )


def _narrowing(query: bytes) -> Level | None:
    """
    Return the level that the URL narrows the caller to.

    A misspelt name would leave everything open, so unknown ones are refused.
    """
    allowed = " or ".join(f"{MCP}?access={level}" for level in NARROWER)
    try:
        given = parse_qsl(
            query.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS
        )
    except ValueError as error:
        raise Refused(
            400, f"The URL has more than {MOST_PARAMETERS} parameters. Write {allowed}."
        ) from error
    for name, _ in given:
        if name != "access":
            raise Refused(
                400,
                f"The URL has the unknown parameter {name[:SHOWN]!r}. Write {allowed}.",
                reason="an unknown parameter in the URL",  # it may be a key that is misplaced
            )
    if len(given) > 1:
        raise Refused(400, f"The URL has access {len(given)} times. Write {allowed}.")
    if not given:
        return None
    wanted = given[0][1]
    for level in NARROWER:
        if level == wanted:
            return level
    raise Refused(
        400, f"access={wanted[:SHOWN]!r} is no level. Write {allowed}.", reason="access= no level"
    )
