"""
Transactions that live across calls: named by a handle, owned by one caller, bounded in time.

Owns their connections from BEGIN to the end; `ledger` remembers those that have ended.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pgmcp.clock import Clock
from pgmcp.database import Databases, Lease
from pgmcp.database.backend import Backend
from pgmcp.database.failures import TRANSLATED, translate
from pgmcp.database.lease import limits_sql
from pgmcp.database.quote import identifier
from pgmcp.errors import (
    CallerError,
    ConnectionLost,
    HandleUnknown,
    PgmcpError,
    QueryFailed,
    Retryable,
)
from pgmcp.kinds import Level
from pgmcp.ledger import Ledger, Owner, Transaction, short
from pgmcp.settings import Settings

LEVELS: tuple[Level, ...] = ("read", "write", "ddl", "admin")
ISOLATIONS = ("read committed", "repeatable read", "serializable")
END_LIMIT = 5.0  # seconds for a last ROLLBACK before the connection is cut
SERVER_17 = 170000  # the first with transaction_timeout
MINUTE = 60.0
BACKSTOP = timedelta(seconds=60)  # PostgreSQL's own limits act this much after the gateway's
LOOK_AGAIN = 5.0  # seconds between two looks whether somebody waits for a transaction's locks
WAITERS = """
SELECT count(*) AS waiters
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.wait_event_type = 'Lock'
   AND $1::integer = ANY (pg_catalog.pg_blocking_pids(a.pid))
"""


class Transactions:
    """Begin, lend and end transactions; every use checks the owner."""

    def __init__(self, settings: Settings, databases: Databases, clock: Clock) -> None:
        self._settings = settings
        self._limits = settings.transactions
        self._databases = databases
        self._clock = clock
        self._ledger = Ledger(clock, keep=self._limits.tombstone)
        self._beginning: dict[Owner, int] = {}

    def idle_limit(self, owner: Owner) -> timedelta:
        """Return how long a transaction may lie unused; never longer than its MCP session."""
        if owner.session is None:
            return self._limits.idle
        return min(self._limits.idle, self._settings.http.session_idle)

    async def begin(
        self, owner: Owner, *, database: str | None, mode: Level, isolation: str
    ) -> Transaction:
        """
        Open a transaction and return it; its handle is new and cannot be guessed.

        Raises:
            Retryable: the owner, or the gateway, has too many open.
        """
        pending = self._beginning.get(owner, 0)
        if len(self._ledger.of(owner)) + pending >= self._limits.per_owner:
            raise Retryable(
                f"{self._limits.per_owner} transactions of yours are open, the most allowed. "
                "Finish one: pg_tx action=list shows them."
            )
        self._beginning[owner] = pending + 1
        try:
            return await self._open(owner, database, mode, isolation)
        finally:
            self._beginning[owner] -= 1
            if not self._beginning[owner]:
                del self._beginning[owner]

    async def _open(
        self, owner: Owner, database: str | None, mode: Level, isolation: str
    ) -> Transaction:
        backend = await self._databases.dedicate(database)
        try:
            await backend.connection.execute(self._begin_sql(backend, owner, mode, isolation))
        except TRANSLATED as error:
            await self._databases.release(backend)
            raise translate(error) from error
        except asyncio.CancelledError:
            await asyncio.shield(self._databases.release(backend))
            raise
        transaction = Transaction(
            handle="tx_" + secrets.token_urlsafe(16),
            owner=owner,
            database=backend.database,
            mode=mode,
            isolation=isolation,
            backend=backend,
            began=self._clock.now(),
            began_monotonic=self._clock.monotonic(),
            used=self._clock.monotonic(),
        )
        self._ledger.add(transaction)
        return transaction

    def _begin_sql(self, backend: Backend, owner: Owner, mode: Level, isolation: str) -> str:
        access = "READ ONLY" if mode == "read" else "READ WRITE"
        idle = _milliseconds(self.idle_limit(owner) + BACKSTOP)
        total = _milliseconds(self._limits.total + BACKSTOP)
        parts = [
            f"BEGIN ISOLATION LEVEL {isolation.upper()} {access}",
            f"SET LOCAL idle_in_transaction_session_timeout = {idle}",
        ]
        if backend.server_version >= SERVER_17:
            parts.append(f"SET LOCAL transaction_timeout = {total}")
        return "; ".join(parts)

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
        limit = timeout or self._settings.limits.timeout
        async with self._exclusively(transaction, limit):
            await self._settle_doubt(transaction)
            if transaction.failed:
                raise _aborted(transaction)
            try:
                await self._limit(transaction, limit)
                async with asyncio.timeout((limit + timedelta(seconds=5)).total_seconds()):
                    yield Lease(transaction.backend, is_read_only=False, in_transaction=True)
            except PgmcpError as error:
                transaction.doubt = error.message
                await self._tell_fate(transaction, error)
                raise
            except TimeoutError as error:
                await self._end(transaction, "was given up when PostgreSQL did not answer")
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
    async def _exclusively(self, transaction: Transaction, limit: timedelta) -> AsyncIterator[None]:
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

    async def _limit(self, transaction: Transaction, limit: timedelta) -> None:
        age = self._clock.monotonic() - transaction.began_monotonic
        left = max(timedelta(seconds=1), self._limits.total - timedelta(seconds=age))
        sql = limits_sql(min(limit, left), self._settings.limits.lock_timeout)
        if sql != transaction.limits:
            await self._execute(transaction, sql)
            transaction.limits = sql

    async def _execute(self, transaction: Transaction, sql: str) -> str:
        try:
            return await transaction.backend.connection.execute(sql)
        except TRANSLATED as error:
            raise translate(error, sql=sql) from error

    async def _settle_doubt(self, transaction: Transaction) -> None:
        """Ask PostgreSQL whether the last error or cancellation has aborted the transaction."""
        if transaction.doubt is None:
            return
        try:
            await self._execute(transaction, "SELECT")
        except QueryFailed:
            transaction.failed = transaction.doubt
            transaction.limits = ""
        except ConnectionLost as error:
            await self._end(transaction, "was lost with its connection")
            error.fate = f"{short(transaction.handle)} is gone: PostgreSQL rolled it back."
            raise
        transaction.doubt = None

    async def _tell_fate(self, transaction: Transaction, error: PgmcpError) -> None:
        name = short(transaction.handle)
        if isinstance(error, ConnectionLost):
            await self._end(transaction, "was lost with its connection")
            error.fate = f"{name} is gone: PostgreSQL rolled it back."
            return
        try:
            await self._settle_doubt(transaction)
        except ConnectionLost as lost:
            error.fate = lost.fate
            return
        if transaction.failed:
            error.fate = f"{name} is aborted; only rollback or rollback_to is possible."
        else:
            error.fate = f"{name} is open and unchanged by this."

    async def commit(self, owner: Owner, handle: str) -> Transaction:
        """
        Commit; the handle ends in any case.

        Raises:
            CallerError: it is aborted (and stays open), or PostgreSQL refused the COMMIT.
            ConnectionLost: nobody knows whether it was committed.
        """
        transaction = self._ledger.find(owner, handle)
        async with self._exclusively(transaction, self._settings.limits.timeout):
            await self._settle_doubt(transaction)
            if transaction.failed:
                raise _aborted(transaction)
            try:
                await self._execute(transaction, "COMMIT")
            except ConnectionLost as error:
                await self._end(transaction, "lost its connection during COMMIT, outcome unknown")
                error.fate = "unknown: the connection broke during COMMIT. Look at the data."
                raise
            except PgmcpError as error:
                await self._end(transaction, "was rolled back because COMMIT failed")
                error.fate = f"{short(handle)} was rolled back; begin a new one."
                raise
            except asyncio.CancelledError:
                await asyncio.shield(
                    self._end(transaction, "was cancelled during COMMIT, outcome unknown")
                )
                raise
            await self._end(transaction, "was committed")
        return transaction

    async def rollback(self, owner: Owner, handle: str) -> Transaction:
        """Roll back; a unique beginning of the handle is enough, so that one can clear up."""
        transaction = self._ledger.find(owner, handle, by_beginning=True)
        async with self._exclusively(transaction, self._settings.limits.timeout):
            await self._end(transaction, "was rolled back by you")
        return transaction

    async def savepoint(self, owner: Owner, handle: str, name: str) -> Transaction:
        """Set a savepoint; an earlier one of the same name is hidden, as in PostgreSQL."""
        async with self.borrow(owner, handle, level="read") as lease:
            await lease.command(f"SAVEPOINT {identifier(name)}")
        transaction = self._ledger.find(owner, handle)
        transaction.savepoints.append(name)
        return transaction

    async def release(self, owner: Owner, handle: str, name: str) -> Transaction:
        """Release a savepoint and those set after it; their changes stay."""
        transaction = self._ledger.find(owner, handle)
        _require_savepoint(transaction, name)
        async with self.borrow(owner, handle, level="read") as lease:
            await lease.command(f"RELEASE SAVEPOINT {identifier(name)}")
        del transaction.savepoints[_last_index(transaction.savepoints, name) :]
        return transaction

    async def rollback_to(self, owner: Owner, handle: str, name: str) -> Transaction:
        """Go back to a savepoint, which stays; an aborted transaction works again."""
        transaction = self._ledger.find(owner, handle)
        _require_savepoint(transaction, name)
        async with self._exclusively(transaction, self._settings.limits.timeout):
            await self._settle_doubt(transaction)
            try:
                await self._execute(transaction, f"ROLLBACK TO SAVEPOINT {identifier(name)}")
            except PgmcpError as error:
                transaction.doubt = error.message
                await self._tell_fate(transaction, error)
                raise
            transaction.failed = None
            transaction.limits = ""
            transaction.used = self._clock.monotonic()
            del transaction.savepoints[_last_index(transaction.savepoints, name) + 1 :]
        return transaction

    def open_of(self, owner: Owner) -> list[Transaction]:
        """Return the owner's open transactions, oldest first."""
        return self._ledger.of(owner)

    async def end_session(self, session: str) -> None:
        """Roll back what belongs to an MCP session that has ended."""
        for transaction in self._ledger.all():
            if transaction.owner.session == session:
                await self._finish(transaction, "was rolled back when its MCP session ended")

    async def expire(self) -> None:
        """Roll back what has passed a limit; called about once a second."""
        now = self._clock.monotonic()
        for transaction in self._ledger.all():
            if transaction.lock.locked():
                continue
            idle = timedelta(seconds=now - transaction.used)
            limit = self.idle_limit(transaction.owner)
            if now - transaction.began_monotonic >= self._limits.total.total_seconds():
                why = f"reaching its total limit of {_words(self._limits.total)}"
            elif idle >= limit:
                why = f"{_words(limit)} idle"
            elif idle >= self._limits.idle_contended and await self._blocks(transaction, now):
                why = (
                    f"{_words(self._limits.idle_contended)} idle while others waited for its locks"
                )
            else:
                continue
            if not transaction.lock.locked():
                await self._finish(transaction, f"was rolled back after {why}")
        self._ledger.expire()

    async def _blocks(self, transaction: Transaction, now: float) -> bool:
        if now - transaction.looked < LOOK_AGAIN:
            return False
        transaction.looked = now
        pid = transaction.backend.pid
        try:
            waiters = await self._databases.read(
                transaction.database, lambda lease: lease.value(WAITERS, pid)
            )
        except PgmcpError:
            return False  # the server is busy or gone; the plain limits still hold
        return waiters not in (None, "0")

    async def _finish(self, transaction: Transaction, why: str) -> None:
        """End a transaction from outside its calls, whether or not a statement still runs."""
        try:
            async with asyncio.timeout(END_LIMIT):
                await transaction.lock.acquire()
        except TimeoutError:
            transaction.backend.connection.terminate()
            await self._end(transaction, why)
            return
        try:
            if self._ledger.is_open(transaction):
                await self._end(transaction, why)
        finally:
            transaction.lock.release()

    async def _end(self, transaction: Transaction, why: str) -> None:
        """Close the connection, which rolls back what is not committed; leave a tombstone."""
        self._ledger.close(transaction, why)
        await asyncio.shield(self._databases.release(transaction.backend))

    async def close(self) -> None:
        """Roll back everything: the gateway stops."""
        await asyncio.gather(
            *(
                self._finish(transaction, "was rolled back when the gateway stopped")
                for transaction in self._ledger.all()
            )
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


def _aborted(transaction: Transaction) -> CallerError:
    name = short(transaction.handle)
    return CallerError(
        f"transaction {name} is aborted since: {transaction.failed}",
        hint="pg_tx action=rollback ends it; action=rollback_to goes back to a savepoint.",
        fate=f"{name} is aborted; only rollback or rollback_to is possible.",
    )


def _require_savepoint(transaction: Transaction, name: str) -> None:
    if name not in transaction.savepoints:
        known = ", ".join(transaction.savepoints) or "none"
        raise HandleUnknown(
            f'transaction {short(transaction.handle)} has no savepoint "{name}". Set: {known}.'
        )


def _last_index(names: list[str], name: str) -> int:
    return len(names) - 1 - names[::-1].index(name)


def _milliseconds(limit: timedelta) -> int:
    return round(limit.total_seconds() * 1000)


def _words(limit: timedelta) -> str:
    seconds = limit.total_seconds()
    if seconds >= MINUTE and seconds % MINUTE == 0:
        minutes = round(seconds / MINUTE)
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{seconds:g} s"
