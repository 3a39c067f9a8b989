"""
How a connection to PostgreSQL is opened, so that no query of pgmcp's runs another's operator.

Owns a fresh session's settings and the order of its search path; knows no pool and no borrower.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import asyncpg

from pgmcp.logins import Account
from pgmcp.settings import Server

if TYPE_CHECKING:
    from pgmcp.database.codecs import Types

STATEMENTS_KEPT = 100  # prepared statements per connection, the least recently used go
SESSION = {
    "client_connection_check_interval": "2s",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    # The grammar that judges a statement reads strings so; the server must read the same ones.
    "standard_conforming_strings": "on",
}
# For those who look up no caller's names: operators and functions are PostgreSQL's alone.
CATALOGS_ONLY = "pg_catalog"
PATH = "SELECT pg_catalog.current_setting('search_path')"
# PostgreSQL's own idea of blanks (scanner_isspace): with Python's, a name that begins with
# "pg_catalog" and U+001C or U+00A0 would pass for pg_catalog.
NAME = re.compile(r'"(?:[^"]|"")*"|[^ \t\n\r\f\v,]+')
# Somebody may own a schema called "PG_CATALOG"; unquoted it is folded to PostgreSQL's own.
CATALOGS = re.compile(r'(?i:pg_catalog)|"pg_catalog"', re.ASCII)


class Session(asyncpg.Connection):
    """
    Be a connection that learns new types by pgmcp's own query.

    asyncpg's compares an oid with an integer. PostgreSQL has no operator for exactly these two, so
    one that somebody put into public would run, with the rights of whoever logs in here
    (CVE-2018-1058). tests/integration/test_own_queries_trapped.py holds it on the locked release.
    """

    types: Types

    async def _introspect_types(self, _oids: object, _timeout: object) -> tuple[Any, Any]:
        """Return nothing to register: `Types` does that. Any: asyncpg's private classes."""
        await self.types.learn(self)
        # The name says that no unnamed statement was overwritten meanwhile.
        return (), SimpleNamespace(name="learned")

    @property
    def _top_xact(self) -> bool:
        """Be true in a transaction: asyncpg 0.31 opens a cursor only where this says so."""
        return self.is_in_transaction()

    @_top_xact.setter
    def _top_xact(self, _transaction: object) -> None:
        """Take what asyncpg's constructor writes; the server's own word is what counts."""

    async def settle(self, limit: float) -> None:
        """
        Wait at most *limit* seconds for the end of a statement that was cancelled.

        Whatever comes next waits for it, in asyncpg 0.31 beyond its own `timeout`, and so for ever
        where PostgreSQL stands still. asyncpg's pool asks the protocol the same.
        """
        if self.is_closed():
            return
        protocol = self._protocol  # type: ignore[attr-defined]
        if protocol._is_cancelling():  # noqa: SLF001
            async with asyncio.timeout(limit):
                await protocol._wait_for_cancellation()  # noqa: SLF001

    def terminate(self) -> None:
        """Cut the connection; asyncpg 0.31 leaves it open where `close` was under way before."""
        super().terminate()
        self._transport.abort()  # type: ignore[attr-defined]


async def open_session(
    server: Server, database: str, account: Account, types: Types, settings: Mapping[str, str]
) -> Session:
    """
    Connect to *database* as *account*; *settings* last as long as the connection.

    A search path that the database or the role was given, and that puts other schemas before
    PostgreSQL's own, is used without that: the owner of a database may set it, and every operator
    of every query could then be his.

    Raises: what asyncpg raises.
    """
    session = await _connect(server, database, account, settings)
    try:
        session.types = types
        given = str(await session.fetchval(PATH))
    except BaseException:  # a cancellation, too: nobody else knows of the connection yet
        session.terminate()
        raise
    if (safe := catalogs_first(given)) == given:
        return session
    session.terminate()
    session = await _connect(server, database, account, {**settings, "search_path": safe})
    session.types = types
    return session


async def _connect(
    server: Server, database: str, account: Account, settings: Mapping[str, str]
) -> Session:
    hosts = [host.strip() for host in server.host.split(",")]
    ports = [int(port) for port in server.port.split(",")]
    opened: Session = await asyncpg.connect(
        host=hosts if len(hosts) > 1 else hosts[0],
        port=ports if len(ports) > 1 else ports[0],
        user=account.user,
        password=account.password,
        passfile=str(server.passfile) if server.passfile else None,
        database=database,
        ssl=server.sslmode,
        timeout=server.connect_timeout.total_seconds(),
        statement_cache_size=STATEMENTS_KEPT,
        server_settings={**SESSION, **settings},
        connection_class=Session,
    )
    return opened


def catalogs_first(path: str) -> str:
    """Return *path* so that pg_catalog comes first: by naming it there, or not at all."""
    names = NAME.findall(path)
    if not any(CATALOGS.fullmatch(name) for name in names[1:]):
        return path
    if CATALOGS.fullmatch(names[0]):
        return path
    return ", ".join(name for name in names if not CATALOGS.fullmatch(name))
