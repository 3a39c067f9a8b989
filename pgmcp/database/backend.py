"""
One connection to PostgreSQL: opened, prepared on, fetched from, reset, closed.

Owns the asyncpg connection and its prepared statements; never decides whom it serves.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import asyncpg

from pgmcp.database.borrower import GATEWAY, Borrower, Place
from pgmcp.database.codecs import Types, to_text
from pgmcp.database.failures import translate_connect
from pgmcp.database.plan import Plan, make_plan
from pgmcp.database.session import STATEMENTS_KEPT, Session, open_session
from pgmcp.errors import CallerError
from pgmcp.logins import Account
from pgmcp.results import NOTICES, Column
from pgmcp.settings import Server
from pgmcp.statement import Statement

if TYPE_CHECKING:
    from asyncpg.prepared_stmt import PreparedStatement

NOTE_LENGTH = 16_000  # characters; what CASCADE takes along is told in one notice
CLOSE_LIMIT = 2.0  # seconds a polite goodbye may take
# One message; asyncpg's own reset leaves roles, temporary tables and sequences behind.
# RESET SESSION AUTHORIZATION also undoes SET ROLE. The schema is named because the search_path
# may still be the last borrower's.
RESET = (
    "SELECT pg_catalog.pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; "
    "RESET SESSION AUTHORIZATION; RESET ALL; DISCARD TEMP; DISCARD SEQUENCES"
)
# Our own come by the protocol's Parse, those of a function by SQL's PREPARE, whatever the name.
STATEMENTS = """
SELECT pg_catalog.count(*)::pg_catalog.text AS name, 1 AS place
  FROM pg_catalog.pg_prepared_statements
 WHERE name = ANY ($1::pg_catalog.text::pg_catalog.text[])
 UNION ALL
SELECT name, 2
  FROM pg_catalog.pg_prepared_statements
 WHERE from_sql
 ORDER BY place
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """Hold a statement that is ready on one connection."""

    plan: Plan
    handle: PreparedStatement
    parameters: tuple[str, ...]


class Backend:
    """
    Hold one connection and what is prepared on it.

    *pid* and *server_version* are read once, because asyncpg cannot tell them after the end.
    *needs_sweep* is set where a statement may have left prepared statements of its own,
    *is_unwanted* where it must not lie idle once it is given back.
    """

    def __init__(self, connection: Session, place: Place, types: Types) -> None:
        self.connection = connection
        self._types = types
        self.place = place
        self.database = place.database
        self.pid: int = connection.get_server_pid()
        version = connection.get_server_version()
        self.server_version = version.major * 10000 + version.minor
        self.needs_sweep = False
        self.is_unwanted = False
        self.notices: list[str] = []
        self._prepared: OrderedDict[tuple[str, int | None, int], Prepared] = OrderedDict()
        connection.add_log_listener(self._note)

    def _note(self, _connection: object, message: asyncpg.PostgresLogMessage) -> None:
        """Keep what an answer can show, and one more: a loop can raise any number."""
        for kind, text in ((message.severity, message.message), ("DETAIL", message.detail)):
            if text and len(self.notices) <= NOTICES:
                self.notices.append(f"{kind}: {str(text)[:NOTE_LENGTH]}")

    async def prepare(self, statement: Statement, *, limit: int | None, max_cell: int) -> Prepared:
        """Return *statement* prepared, from memory where it was prepared before."""
        key = (statement.sql, limit, max_cell)
        handle = None
        if (known := self._prepared.get(key)) is not None:
            self._prepared.move_to_end(key)
            if not (statement.star and known.plan.offset):
                return known
            # A column added to the table would stay outside the outer SELECT without an error.
            handle = await self._prepare(statement.sql)
            if known.plan.columns == columns_of(handle):
                return known
        handle = handle or await self._prepare(statement.sql)
        columns = columns_of(handle)
        plan = make_plan(statement, columns, limit=limit, max_cell=max_cell)
        if plan.sent != statement.sql:
            handle = await self.connection.prepare(plan.sent)
        parameters = tuple(kind.name for kind in handle.get_parameters())
        prepared = Prepared(plan=plan, handle=handle, parameters=parameters)
        if statement.tool == "pg_query":
            self._prepared[key] = prepared
        if len(self._prepared) > STATEMENTS_KEPT:
            self._prepared.popitem(last=False)
        return prepared

    async def _prepare(self, sql: str) -> PreparedStatement:
        """Prepare *sql*; where it uses a type not met before, learn the types first."""
        try:
            handle = await self.connection.prepare(sql)
        except (asyncpg.UnsupportedClientFeatureError, asyncpg.InternalClientError):
            if self.connection.is_closed():
                raise
        else:
            kinds = [column.type for column in handle.get_attributes()]
            kinds += handle.get_parameters()
            if all(kind.oid in self._types.names for kind in kinds):
                return handle
        await self._types.learn(self.connection)
        return await self.connection.prepare(sql)

    def arguments(self, prepared: Prepared, params: Sequence[object]) -> list[str | None]:
        """
        Return *params* as text, one for each $n.

        Raises:
            CallerError: too many or too few, or a value that its type cannot take.
        """
        wanted = len(prepared.parameters)
        if len(params) != wanted:
            raise CallerError(
                f"params has {len(params)} value{'' if len(params) == 1 else 's'}, but the "
                f"statement uses {_placeholders(wanted)}. Give one value for each."
            )
        numbered = enumerate(zip(params, prepared.parameters, strict=True), start=1)
        return [to_text(value, kind, number) for number, (value, kind) in numbered]

    def forget(self, statement: Statement) -> None:
        """Drop what is prepared for *statement*: the tables under it have changed."""
        for key in [key for key in self._prepared if key[0] == statement.sql]:
            del self._prepared[key]

    def forget_all(self) -> None:
        """Drop everything prepared."""
        self._prepared.clear()

    async def reset(self, *, limit: float) -> None:
        """
        End any transaction and clear all that a session can carry to its next borrower.

        *limit* is the seconds that one message may take. asyncpg keeps it for a third of what a
        timeout around the call would cost.
        """
        await self.connection.settle(limit)
        message = f"ROLLBACK; {RESET}" if self.connection.is_in_transaction() else RESET
        await self.connection.execute(message, timeout=limit)
        if self.needs_sweep:
            await self._sweep(limit)
            self.needs_sweep = False
        self.notices.clear()

    async def _sweep(self, limit: float) -> None:
        """
        Drop what functions have prepared.

        Raises:
            InterfaceError: one has dropped what is ours, so that the connection is of no more use.
        """
        mine = ",".join(known.handle.get_name() for known in self._prepared.values())
        left, *found = await self.connection.fetch(STATEMENTS, f"{{{mine}}}", timeout=limit)
        for record in found:
            quoted = str(record[0]).replace('"', '""')
            await self.connection.execute(f'DEALLOCATE "{quoted}"', timeout=limit)
        if int(left[0]) < len(self._prepared):
            raise asyncpg.InterfaceError("a function has dropped prepared statements of pgmcp's")

    @property
    def is_open(self) -> bool:
        """Tell whether the connection is still there, as far as the socket knows."""
        return not self.connection.is_closed()

    async def close(self) -> None:
        """Say goodbye, or cut the connection where that takes too long."""
        try:
            await self.connection.settle(CLOSE_LIMIT)
            async with asyncio.timeout(CLOSE_LIMIT):  # asyncpg 0.31 keeps its own limit in part
                await self.connection.close()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            self.connection.terminate()


def columns_of(handle: PreparedStatement) -> tuple[Column, ...]:
    """Return the columns of a prepared statement, in order."""
    return tuple(
        Column(name=column.name, type=column.type.name) for column in handle.get_attributes()
    )


def _placeholders(count: int) -> str:
    return "none" if count == 0 else "$1" if count == 1 else f"$1 to ${count}"


async def open_backend(  # noqa: PLR0913 — each is another thing to know
    server: Server,
    database: str,
    account: Account,
    types: Types,
    borrower: Borrower = GATEWAY,
    *,
    path: str | None = None,
) -> Backend:
    """
    Connect to *database* as *account*, with text codecs and a known session.

    *types* are that database's. *borrower* is shown where nothing else is set: the abort of a
    transaction takes back what was set inside it. *path* is the search_path; the role's own if
    it is left out.

    Raises:
        PgmcpError: the translated reason; nothing is left open.
    """
    told = partial(
        translate_connect,
        where=", ".join(host.strip() for host in server.host.split(",")) + f" port {server.port}",
        database=database,
        default=server.database,
        user=account.user,
    )
    settings = {"application_name": borrower.application_name}
    if path is not None:
        settings["search_path"] = path
    try:
        connection = await open_session(server, database, account, types, settings)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
        raise told(error) from error
    try:
        if types.names:
            types.apply(connection)
        else:
            async with asyncio.timeout(server.connect_timeout.total_seconds()):
                await types.learn(connection)
        return Backend(connection, Place(database, account.user), types)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        connection.terminate()
        raise told(error) from error
    except BaseException:  # a cancellation: nobody else knows of the connection yet
        connection.terminate()
        raise
