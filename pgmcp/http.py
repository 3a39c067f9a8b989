"""
The HTTP side: listeners, the checks on every request, the routes, start and stop.

Owns the gateway's background tasks and its order of shutting down; never parses MCP.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pgmcp.access import Access, Policy
from pgmcp.audit import Draft
from pgmcp.clock import Clock
from pgmcp.database import Databases
from pgmcp.definers import Definers
from pgmcp.door import Door
from pgmcp.errors import AccessDenied
from pgmcp.front import Admit, Front
from pgmcp.identity import Caller
from pgmcp.kinds import Level
from pgmcp.ledger import Owner
from pgmcp.own_transactions import OwnTransactions
from pgmcp.protocol import McpServer, build_server, mcp_app
from pgmcp.questions import Questions
from pgmcp.quota import Quota
from pgmcp.readiness import Readiness, greet
from pgmcp.settings import Http, Settings, require_roles
from pgmcp.statement import Parser
from pgmcp.status import HEADERS, render
from pgmcp.tools import tools
from pgmcp.tools.base import Call, Confirmation, Progress
from pgmcp.traffic import Traffic
from pgmcp.transactions import Transactions

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import ASGIApp

log = logging.getLogger("pgmcp.http")
EMPTY: Mapping[str, Any] = MappingProxyType({})  # Any: JSON
UNASKED = Confirmation()
TICK = 1.0  # seconds between two looks at the limits of transactions and idle connections

Ready = Callable[[], Awaitable[str | None]]
EndSession = Callable[[str], Awaitable[None]]
Page = Callable[[Caller, str | None], Awaitable[str]]


class Gateway:
    """Hold what all calls share, from the first request to the last."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        require_roles(settings.server)
        self.settings = settings
        self._began = datetime.now(UTC)
        self.parser = Parser(max_bytes=settings.limits.max_statement_bytes)
        self.databases = Databases(settings)
        self.readiness = Readiness(settings, self.databases)
        self.definers = Definers(clock or Clock())
        self.transactions = Transactions(settings, self.databases, clock or Clock())
        self.policy = Policy(settings)
        self.quota = Quota(clock or Clock(), wait=settings.pools.wait)

    def admit(self, caller: Caller, ceiling: Level | None = None) -> Access:
        """
        Return what *caller* may do.

        Raises:
            AccessDenied: nothing at all.
        """
        access = self.policy.access(caller, ceiling)
        if access.highest is None:
            raise AccessDenied(
                f"{caller.name or caller.principal} may do nothing here: no access rule or grant "
                "covers this caller. The operator can add one to [[access]]."
            )
        return access

    def make_call(  # noqa: PLR0913 — what a request brings along
        self,
        caller: Caller,
        owner: Owner,
        progress: Progress,
        *,
        access: Access | None = None,
        tool: str = "",
        arguments: Mapping[str, Any] = EMPTY,  # Any: JSON
        confirmation: Confirmation = UNASKED,
    ) -> Call:
        """Give one call what it works with, with the limits of its caller in its database."""
        access = access or self.policy.access(caller)
        default = self.databases.default
        transactions = OwnTransactions(self.transactions, owner, access, default)
        handle, named = arguments.get("session_id"), arguments.get("database")
        database = transactions.database_of(handle) if isinstance(handle, str) else None
        database = database or (named if isinstance(named, str) and named else default)
        return Call(
            caller=caller,
            access=access,
            quota=self.quota,
            owner=owner,
            settings=access.settings(self.settings, database),
            parser=self.parser,
            databases=Door(self.databases, access, tool),
            definers=self.definers,
            transactions=transactions,
            progress=progress,
            record=Draft(database=database),
            confirmation=confirmation,
        )

    async def page(self, caller: Caller, url: str | None) -> str:
        """Return the page for people, as seen by *caller*; *url* is where MCP is, if known."""
        return render(
            caller=caller,
            access=self.policy.access(caller),
            settings=self.settings,
            url=url,
            why_not_ready=await self.readiness.why_not(),
            databases=self.databases,
            transactions=self.transactions,
            began=self._began,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch over limits while the block runs, then roll back and close everything."""
        greet(self.settings)
        try:
            async with asyncio.TaskGroup() as tasks:
                background = [
                    tasks.create_task(each()) for each in (self._watch, self.readiness.watch)
                ]
                yield
                for task in background:
                    task.cancel()
        finally:
            await self.transactions.close()
            await self.databases.close()
            self.parser.close()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            try:
                await self.transactions.expire()
                await self.databases.expire_idle()
            except Exception:  # a bug here must not end the watch, or nothing would expire again
                log.exception("incident %s in the watch over limits", secrets.token_hex(4))


def build_app(  # noqa: PLR0913 — one gateway has these, another (of tests) fewer
    server: McpServer,
    settings: Settings,
    *,
    why_not_ready: Ready,
    end_session: EndSession,
    page: Page | None = None,
    admit: Admit | None = None,
) -> tuple[ASGIApp, Starlette]:
    """
    Return the whole application around an MCP *server*, and the part whose lifespan must run.

    Transport, checks and identity are the same whatever the server offers, so that the conformance
    suite's fixtures go through what is deployed.
    """
    app = mcp_app(server, settings.http)

    async def live(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_request: Request) -> Response:
        why = await why_not_ready()
        return PlainTextResponse(f"{why or 'ok'}\n", status_code=503 if why else 200)

    async def people(request: Request) -> Response:
        url = _address(request, settings.http)
        shown = await page(request.state.caller, url) if page else "pgmcp\n"
        return PlainTextResponse(shown, headers=HEADERS)

    app.router.routes += [
        Route("/", people, methods=["GET"]),
        Route("/live", live, methods=["GET"]),
        Route("/ready", ready, methods=["GET"]),
    ]
    return Front(Traffic(app, settings.http, Clock()), settings, end_session, admit), app


def _address(request: Request, http: Http) -> str | None:
    """Return the URL of MCP for who asked, or None on a socket that is not published."""
    if (origin := getattr(request.state, "published", None)) is not None:
        return f"{origin}/mcp"
    host = request.url.netloc
    # Behind tailscale serve the scheme is only known from what the operator allowed.
    if (published := f"https://{host}") in http.origins:
        return f"{published}/mcp"
    arrival = getattr(request.state, "arrival", None)
    is_unix = http.socket is not None if arrival is None else arrival.listener != "tcp"
    if is_unix:
        return http.endpoint
    return f"{request.url.scheme}://{host}/mcp"


def build_gateway(
    settings: Settings, clock: Clock | None = None, questions: Questions | None = None
) -> ASGIApp:
    """Return pgmcp as one ASGI application; its lifespan starts and stops everything."""
    questions = questions or Questions(clock or Clock())
    gateway = Gateway(settings, clock)
    server = build_server(lambda level: tools(settings, level), gateway.make_call, questions)
    front, inner = build_app(
        server,
        settings,
        why_not_ready=gateway.readiness.why_not,
        end_session=gateway.transactions.end_session,
        page=gateway.page,
        admit=gateway.admit,
    )
    sessions = inner.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[Any]:  # Any: the SDK's state
        # Calls end first, with the sessions; then nobody holds what is closed here.
        async with gateway.running(), sessions(app) as state:
            yield state

    inner.router.lifespan_context = lifespan
    return front
