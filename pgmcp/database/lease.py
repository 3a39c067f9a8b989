"""
One borrowed connection, and the statements that run on it.

Owns the nouns Lease and Bounds; never opens, closes or lends a connection.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import asyncpg

from pgmcp.database.borrower import limits_sql
from pgmcp.database.failures import TRANSLATED, position_of, translate
from pgmcp.database.plan import CHUNK, CHUNK_BYTES
from pgmcp.errors import CallerError, PgmcpError, Retryable
from pgmcp.results import Page, Result, Row
from pgmcp.statement import Statement, catalogue

if TYPE_CHECKING:
    from datetime import timedelta

    from pgmcp.database.backend import Backend, Prepared
    from pgmcp.settings import Limits

Rows = Sequence[Row]  # what a Record holds, now that every codec gives text
WHOLE_CELL = 8 << 20  # characters; no catalogue cell of ours is that long
SMALL = ("ExplainStmt", "VariableShowStmt", "CallStmt")  # kinds that no cursor is opened for
REST = 2**31 - 1  # the most rows that one MOVE counts


class StalePlan(Retryable):
    """A table changed since the statement was prepared; it was not run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Say how much of a result is kept: rows, and bytes of their text form."""

    max_rows: int
    max_bytes: int

    @classmethod
    def of(cls, limits: Limits, max_rows: int | None = None) -> Bounds:
        """
        Return the limits of one call.

        Raises:
            CallerError: *max_rows* is above the ceiling.
        """
        wanted = limits.max_rows if max_rows is None else max_rows
        if not 1 <= wanted <= limits.max_rows_ceiling:
            raise CallerError(
                f"max_rows: {wanted} is outside 1 to {limits.max_rows_ceiling}. Ask for fewer "
                "and narrow the question."
            )
        return cls(max_rows=wanted, max_bytes=limits.max_bytes)


class Lease:
    """
    Run statements on one borrowed connection.

    *is_read_only* tells that the surrounding transaction will be rolled back, so that rows
    beyond the page need not be produced; elsewhere a statement always runs to its end.
    *is_kept* tells that the transaction goes on after the lease.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        is_read_only: bool,
        in_transaction: bool,
        is_kept: bool = False,
    ) -> None:
        self._backend = backend
        self.is_read_only = is_read_only
        self.is_kept = is_kept
        self.in_transaction = in_transaction

    @property
    def database(self) -> str:
        """Return the database's name."""
        return self._backend.database

    @property
    def pid(self) -> int:
        """Return the backend's process id on the server."""
        return self._backend.pid

    @property
    def server_version(self) -> int:
        """Return server_version_num, such as 150018."""
        return self._backend.server_version

    @property
    def notices(self) -> list[str]:
        """Return what PostgreSQL has noted since the lease began, oldest first."""
        return self._backend.notices

    async def run(
        self, statement: Statement, params: Sequence[object] = (), *, bounds: Bounds
    ) -> Result:
        """
        Run *statement* and keep what fits into *bounds*.

        Rows arrive in server order. Cancelling the task cancels the statement on the server.

        Raises:
            QueryFailed: PostgreSQL refused it; carries SQLSTATE and position.
            StatementTimeout: the limit passed; the connection stays usable.
            ConnectionLost: the connection broke.
        """
        started = time.perf_counter()
        noted = len(self._backend.notices)
        selects = self.is_read_only and statement.wrap == "select"
        limit = bounds.max_rows + 1 if selects else None
        prepared: Prepared | None = None
        if statement.may_prepare or not self.is_read_only:
            self._backend.needs_sweep = True
        try:
            prepared = await self._backend.prepare(
                statement, limit=limit, max_cell=bounds.max_bytes
            )
            arguments = self._backend.arguments(prepared, params)
            result = await self._collect(statement, prepared, arguments, bounds)
            if statement.tool == "pg_schema":
                self._backend.forget_all()
        except asyncpg.InvalidCachedStatementError as error:
            self._backend.forget(statement)
            next_step = "Begin it again." if self.is_kept else "Nothing was done: send it again."
            raise StalePlan(
                f"a table changed since the statement was prepared. {next_step}"
            ) from error
        except UnicodeDecodeError as error:
            self._backend.connection.terminate()
            raise CallerError(
                f"a value is not valid UTF-8 (byte {error.start}): the database's encoding is "
                "SQL_ASCII or the data are broken. Read it as bytea: convert_to(col, 'UTF8')."
            ) from error
        except TRANSLATED as error:
            place = position_of(error)
            position = prepared.plan.position(place) if prepared else place
            raise translate(error, sql=statement.sql, position=position) from error
        return replace(
            result,
            milliseconds=(time.perf_counter() - started) * 1000,
            notices=tuple(self._backend.notices[noted:]),
        )

    async def _collect(
        self,
        statement: Statement,
        prepared: Prepared,
        arguments: Sequence[str | None],
        bounds: Bounds,
    ) -> Result:
        handle, plan = prepared.handle, prepared.plan
        page = Page(max_rows=bounds.max_rows, max_bytes=bounds.max_bytes)
        total: int | None = None
        if not plan.columns:
            await handle.fetch(*arguments)
            tag = handle.get_statusmsg() or ""
            return Result(tag=tag, row_count=_count(tag))
        if plan.bounded or statement.kind in SMALL or not self.in_transaction:
            page.add(_rows(prepared, await handle.fetch(*arguments)))
        else:
            total = await self._page_through(prepared, arguments, page)
        return Result(
            columns=plan.columns,
            rows=tuple(page.rows),
            lines=tuple(page.lines),
            row_count=total if page.full else len(page.rows),
            more=page.full,
            remarks=_remarks(page, total),
        )

    async def _page_through(
        self, prepared: Prepared, arguments: Sequence[str | None], page: Page
    ) -> int | None:
        """Fill *page* through a cursor; return how many rows there were, where that is known."""
        cursor = await prepared.handle.cursor(*arguments)
        seen, chunk = 0, prepared.plan.chunk
        while not page.full:
            wanted = min(chunk, page.max_rows + 1 - len(page.rows))
            records = await cursor.fetch(wanted)
            page.add(_rows(prepared, records))
            seen += len(records)
            if len(records) < wanted:
                break
            if 2 * chunk * page.size <= CHUNK_BYTES * len(page.rows):
                # The rows are narrower than their types allow: take more of them at a time.
                chunk = min(CHUNK, 2 * chunk)
        if page.full and not self.is_read_only:
            seen += await cursor.forward(REST)
        if self.is_kept:
            # The portal would hold its snapshot and its memory until the transaction ends.
            await self._backend.connection.execute("CLOSE ALL")
        return None if self.is_read_only else seen

    async def rows(self, sql: str, *args: object) -> list[Mapping[str, str | None]]:
        """
        Run one of pgmcp's own SELECTs; every value is PostgreSQL's text or None.

        Raises: as `run`.
        """
        statement = catalogue(sql)
        try:
            prepared = await self._backend.prepare(statement, limit=None, max_cell=WHOLE_CELL)
            arguments = self._backend.arguments(prepared, args)
            records = await prepared.handle.fetch(*arguments)
        except TRANSLATED as error:
            raise translate(error, sql=sql) from error
        names = [column.name for column in prepared.plan.columns]
        rows = _rows(prepared, records)
        return [dict(zip(names, row, strict=True)) for row in rows]

    async def value(self, sql: str, *args: object) -> str | None:
        """Return the first column of the first row of one of pgmcp's own SELECTs, or None."""
        found = await self.rows(sql, *args)
        return next(iter(found[0].values())) if found else None

    async def command(self, sql: str) -> str:
        """Run one statement that pgmcp built with `quote`; return its command tag."""
        try:
            return await self._backend.connection.execute(sql)
        except TRANSLATED as error:
            raise translate(error, sql=sql, position=position_of(error)) from error

    async def limit_time(self, timeout: timedelta, lock_timeout: timedelta) -> None:
        """Set the transaction's limits for the statements that follow."""
        await self.command(limits_sql(timeout, lock_timeout))


def _rows(prepared: Prepared, records: Sequence[asyncpg.Record]) -> Rows:
    """Return what the caller asked for, without the plan's guards."""
    if not prepared.plan.guards:
        return cast("Rows", records)
    shown = len(prepared.plan.columns)
    return [record[:shown] for record in records]


def _count(tag: str) -> int | None:
    last = tag.rpartition(" ")[2]
    return int(last) if last.isdigit() else None


def _remarks(page: Page, total: int | None) -> tuple[str, ...]:
    remarks = []
    if page.cut_cells:
        remarks.append(
            f"{page.cut_cells} cell{'s' if page.cut_cells > 1 else ''} cut at {page.max_cell} "
            f"characters (…): read on with substr(column, {page.max_cell + 1})"
        )
    if page.full_by_bytes:
        remarks.append(f"cut at {page.max_bytes} bytes: select fewer columns or rows")
    elif page.full and total is None:
        remarks.append("raise max_rows, or continue with ORDER BY key and WHERE key > …")
    elif page.full:
        remarks.append("the statement ran to its end")
    return tuple(remarks)


def fate_unknown(error: PgmcpError) -> PgmcpError:
    """Say that a write may or may not have happened: the connection broke at the wrong time."""
    error.fate = "unknown: the connection broke during COMMIT. Look whether the change is there."
    return error
