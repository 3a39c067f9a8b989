"""
The transactions of one owner, as far as its access goes.

Owns nothing: `transactions` keeps them. A tool has no other way to a transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pgmcp.access import Access, reaches
from pgmcp.database import Lease
from pgmcp.kinds import Level
from pgmcp.ledger import Owner, Transaction, short
from pgmcp.settings import TransactionLimits
from pgmcp.transactions import Transactions


class OwnTransactions:
    """
    Open and use the transactions of one owner, as far as its access goes.

    A handle above the caller's present level can't be used, nor ended, only by whom it was
    begun; a URL narrowed afterwards is such a case.
    """

    def __init__(
        self, transactions: Transactions, owner: Owner, access: Access, default: str
    ) -> None:
        self._transactions = transactions
        self._owner = owner
        self._access = access
        self._default = default

    async def begin(
        self,
        *,
        database: str | None,
        mode: Level,
        isolation: str,
        limits: TransactionLimits | None = None,
    ) -> Transaction:
        """Open a transaction; its mode is a level that the caller must have there."""
        self._access.require(mode, database or self._default, f"pg_tx begin mode={mode}")
        return await self._transactions.begin(
            self._owner,
            database=database,
            mode=mode,
            isolation=isolation,
            limits=limits,
        )

    @asynccontextmanager
    async def borrow(
        self,
        handle: str,
        *,
        level: Level,
        database: str | None = None,
        timeout: timedelta | None = None,
    ) -> AsyncIterator[Lease]:
        """Lend the transaction's connection for one statement of *level*."""
        self._check(handle)
        async with self._transactions.borrow(
            self._owner, handle, level=level, database=database, timeout=timeout
        ) as lease:
            yield lease

    async def commit(self, handle: str) -> Transaction:
        """Commit; the handle ends in any case."""
        self._check(handle)
        return await self._transactions.commit(self._owner, handle)

    async def rollback(self, handle: str) -> Transaction:
        """Roll back; a unique beginning of the handle is enough, so that one can clear up."""
        self._check(handle)
        return await self._transactions.rollback(self._owner, handle)

    async def savepoint(self, handle: str, name: str) -> Transaction:
        """Set a savepoint; an earlier one of the same name is hidden, as in PostgreSQL."""
        self._check(handle)
        return await self._transactions.savepoint(self._owner, handle, name)

    async def release(self, handle: str, name: str) -> Transaction:
        """Release a savepoint and those set after it; their changes stay."""
        self._check(handle)
        return await self._transactions.release(self._owner, handle, name)

    async def rollback_to(self, handle: str, name: str) -> Transaction:
        """Go back to a savepoint, which stays; an aborted transaction works again."""
        self._check(handle)
        return await self._transactions.rollback_to(self._owner, handle, name)

    def mine(self) -> list[Transaction]:
        """Return the owner's open transactions that it may use, oldest first."""
        return [
            found
            for found in self._transactions.open_of(self._owner)
            if reaches(self._access.at(found.database).level, found.mode)
        ]

    def database_of(self, handle: str | None) -> str | None:
        """Return the database of the owner's open transaction *handle*."""
        mine = {found.handle: found.database for found in self.mine()}
        return mine.get(handle or "")

    def mode_of(self, handle: str | None) -> Level | None:
        """Return the mode of the owner's open transaction *handle*."""
        mine = {found.handle: found.mode for found in self.mine()}
        return mine.get(handle or "")

    def idle_limit(self) -> timedelta:
        """Return how long a transaction may lie unused; never longer than its MCP session."""
        return self._transactions.idle_limit(self._owner)

    def _check(self, handle: str) -> None:
        """Refuse what is above the caller's level now; an unknown handle is told elsewhere."""
        for found in self._transactions.open_of(self._owner):
            if handle and found.handle.startswith(handle):
                what = f"transaction {short(found.handle)} with mode={found.mode}"
                self._access.require(found.mode, found.database, what)
