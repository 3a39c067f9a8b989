"""
Transactions that live across calls: named by a handle, owned by one caller, bounded in time.

Owns their connections from BEGIN to the end; `ledger` remembers those that have ended.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from datetime import timedelta

from pgmcp.clock import Clock, words
from pgmcp.database import Databases
from pgmcp.database.backend import Backend
from pgmcp.database.borrower import Borrower
from pgmcp.database.failures import TRANSLATED, translate
from pgmcp.database.quote import identifier
from pgmcp.errors import (
    CallerError,
    ConnectionLost,
    HandleUnknown,
    PgmcpError,
)
from pgmcp.journal import quoted
from pgmcp.kinds import Level
from pgmcp.ledger import Ledger, Owner, Transaction, short
from pgmcp.loans import Loans, aborted
from pgmcp.settings import Settings, TransactionLimits
from pgmcp.sql import load

log = logging.getLogger("pgmcp")
END_LIMIT = 5.0  # seconds for a last ROLLBACK before the connection is cut
SERVER_17 = 170000  # the first with transaction_timeout
BACKSTOP = timedelta(seconds=60)  # PostgreSQL's own limits act this much after the gateway's
LOOK_AGAIN = 5.0  # seconds between two looks whether somebody waits for a transaction's locks


class Transactions:
    """Begin, lend and end transactions; every use checks the owner."""

    def __init__(self, settings: Settings, databases: Databases, clock: Clock) -> None:
        self._settings = settings
        self._limits = settings.transactions
        self._databases = databases
        self._clock = clock
        self._ledger = Ledger(clock, keep=self._limits.tombstone)
        self._loans = Loans(settings, databases, self._ledger, clock)
        self.borrow = self._loans.borrow

    def idle_limit(self, owner: Owner) -> timedelta:
        """Return how long a transaction may lie unused; never longer than its MCP session."""
        if owner.session is None:
            return self._limits.idle
        return min(self._limits.idle, self._settings.http.session_idle)

    async def begin(
        self,
        owner: Owner,
        *,
        database: str | None,
        mode: Level,
        isolation: str,
        limits: TransactionLimits | None = None,
    ) -> Transaction:
        """
        Open a transaction and return it; its handle is new and cannot be guessed.

        Raises:
            Retryable: too many are open: the owner's, the principal's in all its MCP sessions
                (*limits* where it has its own), or everybody's.
        """
        with self._ledger.beginning(owner, limits or self._limits):
            return await self._open(owner, database, mode, isolation)

    async def _open(
        self, owner: Owner, database: str | None, mode: Level, isolation: str
    ) -> Transaction:
        borrower = Borrower(principal=owner.principal)
        backend = await self._databases.dedicate(database, login=mode, borrower=borrower)
        try:
            async with asyncio.timeout(END_LIMIT):
                await backend.connection.execute(self._begin_sql(backend, owner, mode, isolation))
        except TRANSLATED as error:
            await self._databases.release(backend)
            raise translate(error) from error
        except asyncio.CancelledError:
            await asyncio.shield(self._databases.release(backend))
            raise
        if self._ledger.has_ended(owner):  # while BEGIN was under way
            await asyncio.shield(self._databases.release(backend))
            raise CallerError("the MCP session has ended, and nothing was begun. Open another.")
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

    async def commit(self, owner: Owner, handle: str) -> Transaction:
        """
        Commit; the handle ends in any case.

        Raises:
            CallerError: it is aborted (and stays open), or PostgreSQL refused the COMMIT.
            ConnectionLost: nobody knows whether it was committed.
        """
        transaction = self._ledger.find(owner, handle)
        async with self._loans.exclusively(transaction, self._settings.limits.timeout):
            await self._loans.settle_doubt(transaction)
            if transaction.failed:
                raise aborted(transaction)
            try:
                await self._loans.execute(transaction, "COMMIT")
            except ConnectionLost as error:
                why = "lost its connection during COMMIT, outcome unknown"
                await self._loans.end(transaction, why)
                error.fate = "unknown: the connection broke during COMMIT. Look at the data."
                raise
            except PgmcpError as error:
                await self._loans.end(transaction, "was rolled back because COMMIT failed")
                error.fate = f"{short(handle)} was rolled back; begin a new one."
                raise
            except asyncio.CancelledError:
                await asyncio.shield(
                    self._loans.end(transaction, "was cancelled during COMMIT, outcome unknown")
                )
                raise
            await self._loans.end(transaction, "was committed")
        return transaction

    async def rollback(self, owner: Owner, handle: str) -> Transaction:
        """Roll back; a unique beginning of the handle is enough, so that one can clear up."""
        transaction = self._ledger.find(owner, handle, by_beginning=True)
        async with self._loans.exclusively(transaction, self._settings.limits.timeout):
            await self._loans.end(transaction, "was rolled back by you")
        return transaction

    async def savepoint(self, owner: Owner, handle: str, name: str) -> Transaction:
        """Set a savepoint; an earlier one of the same name is hidden, as in PostgreSQL."""
        async with self._loans.borrow(owner, handle, level="read") as lease:
            await lease.command(f"SAVEPOINT {identifier(name)}")
        transaction = self._ledger.find(owner, handle)
        transaction.savepoints.append(name)
        return transaction

    async def release(self, owner: Owner, handle: str, name: str) -> Transaction:
        """Release a savepoint and those set after it; their changes stay."""
        transaction = self._ledger.find(owner, handle)
        _require_savepoint(transaction, name)
        async with self._loans.borrow(owner, handle, level="read") as lease:
            await lease.command(f"RELEASE SAVEPOINT {identifier(name)}")
        del transaction.savepoints[_last_index(transaction.savepoints, name) :]
        return transaction

    async def rollback_to(self, owner: Owner, handle: str, name: str) -> Transaction:
        """Go back to a savepoint, which stays; an aborted transaction works again."""
        transaction = self._ledger.find(owner, handle)
        _require_savepoint(transaction, name)
        async with self._loans.exclusively(transaction, self._settings.limits.timeout):
            await self._loans.settle_doubt(transaction)
            try:
                await self._loans.execute(transaction, f"ROLLBACK TO SAVEPOINT {identifier(name)}")
            except PgmcpError as error:
                transaction.doubt = error.message
                await self._loans.tell_fate(transaction, error)
                raise
            transaction.failed = None
            transaction.backend.forget_all()
            transaction.used = self._clock.monotonic()
            del transaction.savepoints[_last_index(transaction.savepoints, name) + 1 :]
        return transaction

    def count(self) -> int:
        """Return how many are open in all."""
        return len(self._ledger.all())

    def open_of(self, owner: Owner) -> list[Transaction]:
        """Return the owner's open transactions, oldest first."""
        return self._ledger.of(owner)

    async def end_session(self, session: str) -> None:
        """Roll back what belongs to an MCP session that has ended."""
        for transaction in self._ledger.end_session(session):
            await self._finish(transaction, "was rolled back when its MCP session ended")

    async def expire(self) -> None:
        """Roll back what has passed a limit; called about once a second."""
        # Side by side: one on a server that does not answer must not delay the others.
        await asyncio.gather(*map(self._expire_one, self._ledger.all()))
        self._ledger.expire()

    async def _expire_one(self, transaction: Transaction) -> None:
        if transaction.lock.locked():
            return
        why = await self._why_expired(transaction)
        if why is not None and not transaction.lock.locked():
            await self._finish(transaction, why)

    async def _why_expired(self, transaction: Transaction) -> str | None:
        """Return how the transaction's end will be told, or None while it may live on."""
        if not transaction.backend.is_open:
            return "was lost with its connection"
        now = self._clock.monotonic()
        idle = timedelta(seconds=now - transaction.used)
        limit = self.idle_limit(transaction.owner)
        contended = self._limits.idle_contended
        if now - transaction.began_monotonic >= self._limits.total.total_seconds():
            return f"was rolled back after reaching its total limit of {words(self._limits.total)}"
        if idle >= limit:
            return f"was rolled back after {words(limit)} idle"
        if idle >= contended and await self._blocks(transaction, now):
            idle_words = words(contended)
            return f"was rolled back after {idle_words} idle while others waited for its locks"
        return None

    async def _blocks(self, transaction: Transaction, now: float) -> bool:
        if now - transaction.looked < LOOK_AGAIN:
            return False
        transaction.looked = now
        pid = transaction.backend.pid
        try:
            waiters = await self._databases.read(
                transaction.database,
                lambda lease: lease.value(load("tx", "waiters", lease.server_version), pid),
                login="monitor",
            )
        except PgmcpError:
            return False  # the server is busy or gone; the plain limits still hold
        return waiters not in (None, "0")

    async def _finish(self, transaction: Transaction, why: str) -> None:
        """End a transaction from outside its calls, whether or not a statement still runs."""
        handle, owner = short(transaction.handle), quoted(transaction.owner.principal)
        log.info("transaction %s of %s in %s %s", handle, owner, quoted(transaction.database), why)
        try:
            async with asyncio.timeout(END_LIMIT):
                await transaction.lock.acquire()
        except TimeoutError:
            transaction.backend.connection.terminate()
            await self._loans.end(transaction, why)
            return
        try:
            if self._ledger.is_open(transaction):
                await self._loans.end(transaction, why)
        finally:
            transaction.lock.release()

    async def close(self) -> None:
        """Roll back everything: the gateway stops."""
        await asyncio.gather(
            *(
                self._finish(transaction, "was rolled back when the gateway stopped")
                for transaction in self._ledger.all()
            )
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
