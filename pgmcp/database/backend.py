"""
One connection to PostgreSQL: opened, prepared on, fetched from, reset, closed.

Owns the asyncpg connection and its prepared statements; never decides whom it serves.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from pgmcp.database.codecs import Types, to_text
from pgmcp.database.failures import translate_connect
from pgmcp.database.plan import Plan, make_plan
from pgmcp.errors import CallerError
from pgmcp.results import NOTICES, Column
from pgmcp.settings import APPLICATION_NAME, Server
from pgmcp.statement import Statement

if TYPE_CHECKING:
    from asyncpg.prepared_stmt import PreparedStatement

Connection = asyncpg.Connection
STATEMENTS_KEPT = 100  # prepared statements per connection, the least recently used go
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
FOREIGN_STATEMENTS = "SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql"
SESSION = {
    "application_name": APPLICATION_NAME,
    "client_connection_check_interval": "2s",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    # The grammar that judges a statement reads strings so; the server must read the same ones.
    "standard_conforming_strings": "on",
}


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
    *needs_sweep* is set where a statement may have left prepared statements of its own.
    """

    def __init__(self, connection: Connection, database: str, types: Types) -> None:
        self.connection = connection
        self._types = types
        self.database = database
        self.pid: int = connection.get_server_pid()
        version = connection.get_server_version()
        self.server_version = version.major * 10000 + version.minor
        self.needs_sweep = False
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
        message = f"ROLLBACK; {RESET}" if self.connection.is_in_transaction() else RESET
        await self.connection.execute(message, timeout=limit)
        if self.needs_sweep:
            for record in await self.connection.fetch(FOREIGN_STATEMENTS, timeout=limit):
                name = str(record[0]).replace('"', '""')
                await self.connection.execute(f'DEALLOCATE "{name}"', timeout=limit)
            self.needs_sweep = False
        self.notices.clear()

    @property
    def is_open(self) -> bool:
        """Tell whether the connection is still there, as far as the socket knows."""
        return not self.connection.is_closed()

    async def close(self) -> None:
        """Say goodbye, or cut the connection where that takes too long."""
        try:
            await self.connection.close(timeout=CLOSE_LIMIT)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            self.connection.terminate()


def columns_of(handle: PreparedStatement) -> tuple[Column, ...]:
    """Return the columns of a prepared statement, in order."""
    return tuple(
        Column(name=column.name, type=column.type.name) for column in handle.get_attributes()
    )


def _placeholders(count: int) -> str:
    return "none" if count == 0 else "$1" if count == 1 else f"$1 to ${count}"


async def open_backend(server: Server, database: str, types: Types) -> Backend:
    """
    Connect to *database* with text codecs and a known session; *types* are that database's.

    Raises:
        PgmcpError: the translated reason; nothing is left open.
    """
    hosts = [host.strip() for host in server.host.split(",")]
    ports = [int(port) for port in server.port.split(",")]
    where = ", ".join(hosts) + f" port {server.port}"
    default = server.database
    try:
        connection: Connection = await asyncpg.connect(
            host=hosts if len(hosts) > 1 else hosts[0],
            port=ports if len(ports) > 1 else ports[0],
            user=server.user,
            password=server.password,
            passfile=str(server.passfile) if server.passfile else None,
            database=database,
            ssl=server.sslmode,
            timeout=server.connect_timeout.total_seconds(),
            statement_cache_size=STATEMENTS_KEPT,
            server_settings=SESSION,
        )
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
        raise translate_connect(error, where=where, database=database, default=default) from error
    try:
        if types.names:
            types.apply(connection)
        else:
            async with asyncio.timeout(server.connect_timeout.total_seconds()):
                await types.learn(connection)
        return Backend(connection, database, types)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        connection.terminate()
        raise translate_connect(error, where=where, database=database, default=default) from error
    except BaseException:
        connection.terminate()
        raise
