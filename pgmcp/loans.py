"""
Lending an open transaction's connection: one statement at a time, and its fate afterwards.

Owns the checks before a statement and the truth after a failure; begins and commits nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pgmcp.clock import Clock
from pgmcp.database import Databases, Lease
from pgmcp.database.borrower import limits_sql
from pgmcp.database.failures import TRANSLATED, translate
from pgmcp.errors import CallerError, ConnectionLost, PgmcpError, QueryFailed, Retryable
from pgmcp.kinds import LEVELS, Level
from pgmcp.ledger import Ledger, Owner, Transaction, short
from pgmcp.settings import Settings

# The grammar that judges a statement reads strings so; the server must read the same ones.
STRINGS = "SET LOCAL standard_conforming_strings = on"
GRACE = timedelta(seconds=5)  # PostgreSQL's own limit acts first; this one catches a dead server


class Loans:
    """Lend connections of open transactions, each to one statement at a time."""

    def __init__(
        self, settings: Settings, databases: Databases, ledger: Ledger, clock: Clock
    ) -> None:
        self._settings = settings
        self._databases = databases
        self._ledger = ledger
        self._clock = clock

    @asynccontextmanager
    async def borrow(
        self,
        owner: Owner,
        handle: str,
        *,
        level: Level,
        database: str | None = None,
        timeout: timedelta | None = None,
    ) -> AsyncIterator[Lease]:
        """
        Lend the transaction's connection for one statement of *level*.

        An error that leaves the block gets the transaction's fate; so does one of PostgreSQL's.

        Raises:
            HandleUnknown: the handle is not this owner's, or ended; says when and why.
            CallerError: the mode is below *level*, another database, or it is aborted.
        """
        transaction = self._ledger.find(owner, handle)
        _check(transaction, level, database)
        limit = self._settings.limits.timeout if timeout is None else timeout
        async with self.exclusively(transaction, limit):
            await self.settle_doubt(transaction, limit)
            if transaction.failed:
                raise aborted(transaction)
            try:
                await self._limit(transaction, limit, level)
                async with asyncio.timeout((limit + GRACE).total_seconds()):
                    yield _lease_on(transaction)
            except PgmcpError as error:
                transaction.doubt = error.message
                await self.tell_fate(transaction, error)
                raise
            except TimeoutError as error:
                await self.end(transaction, "was given up when PostgreSQL did not answer")
                raise Retryable(
                    "PostgreSQL gave no answer in time, longer than its own limit.",
                    fate=f"{short(handle)} is gone: its connection was cut, nothing was committed.",
                ) from error
            except asyncio.CancelledError:
                transaction.doubt = "its statement was cancelled"
                raise
            finally:
                transaction.statements += 1
                transaction.used = self._clock.monotonic()

    @asynccontextmanager
    async def exclusively(self, transaction: Transaction, limit: timedelta) -> AsyncIterator[None]:
        """One statement at a time; a transaction that ended meanwhile is not lent."""
        try:
            async with asyncio.timeout(limit.total_seconds()):
                await transaction.lock.acquire()
        except TimeoutError as error:
            raise Retryable(
                f"transaction {short(transaction.handle)} still runs another statement. "
                "Wait for its answer, or cancel it."
            ) from error
        try:
            self._ledger.find(transaction.owner, transaction.handle)
            yield
        finally:
            transaction.lock.release()

    async def _limit(self, transaction: Transaction, limit: timedelta, level: Level) -> None:
        age = self._clock.monotonic() - transaction.began_monotonic
        left = max(timedelta(seconds=1), self._settings.transactions.total - timedelta(seconds=age))
        sql = limits_sql(min(limit, left), self._settings.limits.lock_timeout)
        # Sent before every statement: a function of the one before may have changed any of them.
        acting = _acting(transaction, level) if self._settings.server.logins.are_roles else ""
        await self.execute(transaction, f"{sql}; {STRINGS}{acting}", limit)

    async def execute(
        self, transaction: Transaction, sql: str, limit: timedelta | None = None
    ) -> str:
        """
        Run one statement of ours in the transaction and return its command tag.

        PostgreSQL's statement_timeout does not cover COMMIT, so time is kept here too.
        """
        limit = (self._settings.limits.timeout if limit is None else limit) + GRACE
        try:
            async with asyncio.timeout(limit.total_seconds()):
                return await transaction.backend.connection.execute(sql)
        except TimeoutError as error:
            raise ConnectionLost(
                f"PostgreSQL gave no answer for {limit.total_seconds():g} s. The connection was "
                "given up."
            ) from error
        except TRANSLATED as error:
            raise translate(error, sql=sql) from error

    async def settle_doubt(self, transaction: Transaction, limit: timedelta | None = None) -> None:
        """Ask PostgreSQL whether the last error or cancellation has aborted the transaction."""
        if transaction.doubt is None:
            return
        try:
            await self.execute(transaction, "SELECT", limit)
        except QueryFailed:
            transaction.failed = transaction.doubt
        except ConnectionLost as error:
            await self.end(transaction, "was lost with its connection")
            error.fate = f"{short(transaction.handle)} is gone: PostgreSQL rolled it back."
            raise
        transaction.doubt = None

    async def tell_fate(self, transaction: Transaction, error: PgmcpError) -> None:
        """Say in *error* what became of the transaction, having asked PostgreSQL."""
        name = short(transaction.handle)
        if isinstance(error, ConnectionLost):
            await self.end(transaction, "was lost with its connection")
            error.fate = f"{name} is gone: PostgreSQL rolled it back."
            return
        try:
            await self.settle_doubt(transaction)
        except ConnectionLost as lost:
            error.fate = lost.fate
            return
        if transaction.failed:
            error.fate = f"{name} is aborted; only rollback or rollback_to is possible."
        else:
            error.fate = f"{name} is open and unchanged by this."

    async def end(self, transaction: Transaction, why: str) -> None:
        """Close the connection, which rolls back what is not committed; leave a tombstone."""
        self._ledger.close(transaction, why)
        await asyncio.shield(self._databases.release(transaction.backend))


def _acting(transaction: Transaction, level: Level) -> str:
    """
    Return the SQL that lets rows be read and written in a transaction with mode=ddl.

    pgmcp_ddl acts as the database's owner, so that what it makes is the owner's. The owner alone
    need not reach every table; as itself the role does, being a member of pgmcp_write.
    """
    if transaction.mode != "ddl":
        return ""
    return f"; SET LOCAL role = {'DEFAULT' if level == 'ddl' else 'none'}"


def _lease_on(transaction: Transaction) -> Lease:
    transaction.backend.notices.clear()
    return Lease(
        transaction.backend,
        is_read_only=transaction.mode == "read",
        in_transaction=True,
        is_kept=True,
    )


def _check(transaction: Transaction, level: Level, database: str | None) -> None:
    name = short(transaction.handle)
    if LEVELS.index(level) > LEVELS.index(transaction.mode):
        raise CallerError(
            f"transaction {name} has mode={transaction.mode}, and this needs {level}. "
            f"Begin another: pg_tx action=begin mode={level}.",
            fate=f"{name} is open and unchanged by this.",
        )
    if database is not None and database != transaction.database:
        raise CallerError(
            f'transaction {name} is on database "{transaction.database}", not "{database}". '
            "Leave database out, or begin another.",
            fate=f"{name} is open and unchanged by this.",
        )


def aborted(transaction: Transaction) -> CallerError:
    """Return the error for a transaction that takes no more statements."""
    name = short(transaction.handle)
    return CallerError(
        f"transaction {name} is aborted since: {transaction.failed}.",
        hint="pg_tx action=rollback ends it; action=rollback_to goes back to a savepoint.",
        fate=f"{name} is aborted; only rollback or rollback_to is possible.",
    )
