"""
Whether PostgreSQL serves, and what the journal is told of it: one line for each change.

Owns the last answer; borrows one connection to ask, and never keeps it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Iterator
from datetime import timedelta

from pgmcp.database import Databases, Lease
from pgmcp.errors import Busy, PgmcpError
from pgmcp.logins import ROLE_OF
from pgmcp.settings import Settings

log = logging.getLogger("pgmcp.http")
READY_LIMIT = timedelta(seconds=2)  # a probe that waits longer has its answer
TICK = 1.0  # seconds between two looks at whether somebody could not connect
RETRY = 5.0  # seconds between two questions while PostgreSQL is away
VERSIONS_PER_MAJOR = 10_000


class Readiness:
    """
    Ask PostgreSQL whether it serves calls, and tell the journal when the answer changes.

    While it serves, nobody asks until a connection fails: a quiet gateway keeps none open.
    """

    def __init__(self, settings: Settings, databases: Databases) -> None:
        self._settings = settings
        self._databases = databases
        self._is_ready: bool | None = None
        self._seen = 0

    async def why_not(self) -> str | None:
        """Return why PostgreSQL cannot serve calls now, or None."""
        version, why = 0, None
        self._seen = self._databases.failures
        try:
            version = await self._databases.read(None, _version, timeout=READY_LIMIT)
        except Busy:
            pass  # who uses every connection has a PostgreSQL that serves
        except PgmcpError as error:
            why = error.message
        self._tell(version, why)
        return why

    def _tell(self, version: int, why: str | None) -> None:
        was, self._is_ready = self._is_ready, why is None
        if was is self._is_ready:
            return
        if why is not None:
            log.warning("PostgreSQL is not ready, calls will say so until it is: %s", why)
            return
        number = f" {version // VERSIONS_PER_MAJOR}" if version else ""
        server = self._settings.server
        log.info("PostgreSQL%s answers at %s port %s", number, server.host, server.port)

    async def watch(self) -> None:
        """Ask at once; then while PostgreSQL is away, and when somebody could not connect."""
        asked = 0.0
        while True:
            is_due = time.monotonic() - asked >= RETRY
            if is_due if not self._is_ready else self._databases.failures != self._seen:
                await self._ask()
                asked = time.monotonic()
            await asyncio.sleep(TICK)

    async def _ask(self) -> None:
        try:
            await self.why_not()
        except Exception:  # a bug here must not end the gateway
            log.exception("incident %s in a look at PostgreSQL", secrets.token_hex(4))


async def _version(lease: Lease) -> int:
    await lease.value("SELECT 1")
    return lease.server_version


def greet(settings: Settings) -> None:
    """Tell the journal once what an operator must know of how this gateway was set up."""
    if settings.http.endpoint is not None:
        log.info("clients reach the gateway at %s", settings.http.endpoint)
    for level, text in _facts(settings):
        log.log(level, "%s", text)


def _facts(settings: Settings) -> Iterator[tuple[int, str]]:
    server = settings.server
    where = f'PostgreSQL at {server.host} port {server.port}, database "{server.database}"'
    if server.logins.are_roles:
        how = "peer authentication" if server.roles == "peer" else str(server.roles_passfile)
        yield logging.INFO, f"{where}, as {', '.join(ROLE_OF.values())} ({how})"
    else:
        login = server.user or "the system's user"
        yield logging.INFO, f"{where}, as {login}"
        yield logging.WARNING, "no login roles: one login serves every level; see pgmcp provision"
    if not settings.has_rules:
        yield logging.WARNING, "no access rules: every caller has every permission"
