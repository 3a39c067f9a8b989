"""
Which transactions are open, whose they are, and what became of those that ended.

Owns the nouns Owner and Transaction and the tombstones; opens and closes no connection.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pgmcp.clock import Clock
from pgmcp.errors import HandleUnknown, Retryable
from pgmcp.kinds import Level
from pgmcp.settings import TransactionLimits

if TYPE_CHECKING:
    from pgmcp.database.backend import Backend

SHOWN = 8  # characters of a handle in texts: enough to tell one's own apart, too few to guess
TOMBSTONES = 10_000  # remembered at most


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """Say whose a transaction is; *session* is the Mcp-Session-Id, None on 2026-07-28."""

    principal: str
    session: str | None = None


@dataclass(kw_only=True, slots=True, eq=False)
class Transaction:
    """
    Hold one open transaction; `lock` is held while a statement runs.

    *doubt* is set after an error or a cancellation, until PostgreSQL was asked whether the
    transaction is aborted; *failed* then holds the reason. Times are the clock's seconds.
    """

    handle: str
    owner: Owner
    database: str
    mode: Level
    isolation: str
    backend: Backend
    began: datetime
    began_monotonic: float
    used: float
    looked: float = 0.0
    statements: int = 0
    savepoints: list[str] = field(default_factory=list)
    failed: str | None = None
    doubt: str | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


def short(handle: str) -> str:
    """Return the beginning of a handle, for texts."""
    return handle if len(handle) <= SHOWN else handle[:SHOWN] + "…"


class Ledger:
    """Find transactions by handle for their owner only."""

    def __init__(self, clock: Clock, *, keep: timedelta) -> None:
        self._clock = clock
        self._keep = keep.total_seconds()
        self._open: dict[str, Transaction] = {}
        self._tombstones: OrderedDict[str, tuple[Owner, str, float]] = OrderedDict()
        self._ended: OrderedDict[str, float] = OrderedDict()
        self._beginning: Counter[Owner] = Counter()

    def add(self, transaction: Transaction) -> None:
        """Enter a transaction that has begun."""
        self._open[transaction.handle] = transaction

    def all(self) -> list[Transaction]:
        """Return every open transaction."""
        return list(self._open.values())

    def of(self, owner: Owner) -> list[Transaction]:
        """Return the owner's open transactions, oldest first."""
        return [found for found in self._open.values() if found.owner == owner]

    @contextmanager
    def beginning(self, owner: Owner, limits: TransactionLimits) -> Iterator[None]:
        """
        Count one that begins while the block runs.

        Raises:
            Retryable: the owner, or its principal in all its MCP sessions, has too many.
        """
        most = min(limits.per_owner, limits.per_caller)
        if len(self.of(owner)) + self._beginning[owner] >= most:
            raise Retryable(
                f"{most} transactions of yours are open, the most allowed. "
                "Finish one: pg_tx action=list shows them."
            )
        owners = [*(found.owner for found in self._open.values()), *self._beginning.elements()]
        if sum(each.principal == owner.principal for each in owners) >= limits.per_caller:
            raise Retryable(
                f"{limits.per_caller} transactions of yours are open in all your MCP sessions, the "
                "most allowed. Finish one there, or end that session; unused ones end by "
                "themselves."
            )
        self._beginning[owner] += 1
        try:
            yield
        finally:
            self._beginning[owner] -= 1
            if not self._beginning[owner]:
                del self._beginning[owner]

    def end_session(self, session: str) -> list[Transaction]:
        """Remember that an MCP session has ended; return what it left open."""
        self._ended[session] = self._clock.monotonic()
        return [found for found in self._open.values() if found.owner.session == session]

    def has_ended(self, owner: Owner) -> bool:
        """Tell whether the owner's MCP session has ended: nothing may begin for it any more."""
        return owner.session in self._ended

    def is_open(self, transaction: Transaction) -> bool:
        """Tell whether the transaction has not ended meanwhile."""
        return transaction.handle in self._open

    def find(self, owner: Owner, handle: str, *, by_beginning: bool = False) -> Transaction:
        """
        Return the owner's open transaction.

        Raises:
            HandleUnknown: no such, or ended (then it says how and when), or not unique.
        """
        found = self._open.get(handle)
        if found is not None and found.owner == owner:
            return found
        tombstone = self._tombstones.get(handle)
        if tombstone is not None and tombstone[0] == owner:
            raise HandleUnknown(
                f"transaction {short(handle)} {tombstone[1]}. Start again with pg_tx action=begin."
            )
        if by_beginning and len(handle) >= SHOWN:
            matching = [mine for mine in self.of(owner) if mine.handle.startswith(handle)]
            if len(matching) == 1:
                return matching[0]
        raise HandleUnknown(
            f"no open transaction of yours has session_id {short(handle)}. "
            "pg_tx action=list shows yours; action=begin starts one."
        )

    def close(self, transaction: Transaction, why: str) -> None:
        """Take a transaction out and remember how it ended."""
        if self._open.pop(transaction.handle, None) is None:
            return
        when = self._clock.now().strftime("%H:%M UTC")
        text = f"{why} at {when}"
        self._tombstones[transaction.handle] = (
            transaction.owner,
            text,
            self._clock.monotonic(),
        )
        while len(self._tombstones) > TOMBSTONES:
            self._tombstones.popitem(last=False)

    def expire(self) -> None:
        """Forget tombstones older than the settings' time."""
        before = self._clock.monotonic() - self._keep
        while self._ended and next(iter(self._ended.values())) < before:
            self._ended.popitem(last=False)
        while self._tombstones:
            handle, (_, _, ended) = next(iter(self._tombstones.items()))
            if ended >= before:
                return
            del self._tombstones[handle]
