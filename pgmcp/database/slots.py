"""
How many connections are open, which are idle, and who waits for one.

Owns the counts and the queue; knows nothing of statements.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from pgmcp.database.backend import Backend
from pgmcp.errors import Retryable
from pgmcp.settings import Pools

Opener = Callable[[], Awaitable[Backend]]


@dataclass(kw_only=True, slots=True)
class Pool:
    """Hold one database's connections: idle ones (newest last) and how many are out."""

    idle: list[tuple[float, Backend]] = field(default_factory=list)
    lent: int = 0
    waiting: deque[asyncio.Future[Backend | None]] = field(default_factory=deque)


class Slots:
    """
    Hand out connections under a cap for each database and one for all.

    Where the total cap is reached, the idle connection that was used longest ago, whatever its
    database, makes room. Waiters of a database are served in the order they came.
    """

    def __init__(self, settings: Pools) -> None:
        self._settings = settings
        self._pools: dict[str, Pool] = {}
        self._open: set[Backend] = set()
        self._opening = 0
        self._dedicated: set[Backend] = set()
        self._dedicating = 0
        self._total = settings.total

    def fit(self, most: int) -> bool:
        """Keep below *most* connections, what the server admits; tell whether that is fewer."""
        if self._total <= most:
            return False
        self._total = max(2, most)
        return True

    def pids(self) -> set[int]:
        """Return the process ids of every open connection."""
        return {backend.pid for backend in self._open}

    async def take(self, database: str, opener: Opener) -> Backend:
        """
        Return an idle connection, or open one, or wait for one.

        Raises:
            Retryable: none became free in time.
            PgmcpError: a new one could not be opened.
        """
        pool = self._pools.setdefault(database, Pool())
        deadline = time.monotonic() + self._settings.wait.total_seconds()
        queued = False
        while True:
            if queued or not pool.waiting:
                if (backend := self._pop_idle(pool)) is not None:
                    pool.lent += 1
                    return backend
                if pool.lent < self._settings.per_database and self._has_room():
                    return await self._open_into(pool, opener)
            backend = await self._wait(database, pool, deadline, first=queued)
            if backend is not None:
                return backend
            queued = True

    def _pop_idle(self, pool: Pool) -> Backend | None:
        while pool.idle:
            _, backend = pool.idle.pop()
            if backend.is_open:
                return backend
            self._open.discard(backend)
        return None

    def _has_room(self) -> bool:
        if len(self._open) + self._opening < self._total:
            return True
        return self._oldest_idle() is not None

    def _oldest_idle(self) -> Pool | None:
        idle = [pool for pool in self._pools.values() if pool.idle]
        return min(idle, key=lambda pool: pool.idle[0][0], default=None)

    async def _open_into(self, pool: Pool, opener: Opener) -> Backend:
        pool.lent += 1
        try:
            return await self._open_one(opener)
        except BaseException:
            pool.lent -= 1
            self._wake()
            raise

    async def _open_one(self, opener: Opener) -> Backend:
        self._opening += 1
        try:
            if len(self._open) + self._opening > self._total:
                victim = self._oldest_idle()
                if victim is not None:
                    _, oldest = victim.idle.pop(0)
                    self._open.discard(oldest)
                    await oldest.close()
            backend = await opener()
            self._open.add(backend)
            return backend
        finally:
            self._opening -= 1

    async def _wait(
        self, database: str, pool: Pool, deadline: float, *, first: bool
    ) -> Backend | None:
        """Return a connection handed over, or None where it is worth looking again."""
        future: asyncio.Future[Backend | None] = asyncio.get_running_loop().create_future()
        (pool.waiting.appendleft if first else pool.waiting.append)(future)
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                return await future
        except BaseException as error:
            self._hand_back(future)
            if isinstance(error, TimeoutError):
                raise self._busy(database, pool) from error
            raise
        finally:
            if future in pool.waiting:
                pool.waiting.remove(future)

    def _hand_back(self, future: asyncio.Future[Backend | None]) -> None:
        """Pass on what a waiter was given in the moment it gave up."""
        if future.done() and not future.cancelled():
            backend = future.result()
            if backend is None:
                self._wake()
            else:
                self.give(backend)

    def _busy(self, database: str, pool: Pool) -> Retryable:
        return Retryable(
            f'all connections to database "{database}" are busy: {pool.lent} lent of '
            f"{self._settings.per_database}, {len(self._open)} open of {self._total} in "
            f"all. Waited {self._settings.wait.total_seconds():g} s; try again."
        )

    def give(self, backend: Backend) -> None:
        """Take a clean connection back; the first in the queue gets it at once."""
        pool = self._pools.setdefault(backend.database, Pool(lent=1))
        while pool.waiting:
            future = pool.waiting.popleft()
            if not future.done():
                future.set_result(backend)
                return
        pool.lent -= 1
        pool.idle.append((time.monotonic(), backend))
        self._wake()

    def forget(self, backend: Backend) -> None:
        """Count a lent connection as gone, once; the caller has closed it."""
        if backend not in self._open:
            return  # a transaction's call and its session's end may both have ended it
        self._open.discard(backend)
        if backend in self._dedicated:
            self._dedicated.discard(backend)
        else:
            self._pools.setdefault(backend.database, Pool(lent=1)).lent -= 1
        self._wake()

    def _wake(self) -> None:
        """Let the first waiter of every database look again: a slot has become free."""
        for pool in self._pools.values():
            while pool.waiting:
                future = pool.waiting.popleft()
                if not future.done():
                    future.set_result(None)
                    break

    async def open_dedicated(self, opener: Opener) -> Backend:
        """
        Open a connection outside the pools, for one transaction across calls.

        Raises:
            Retryable: so many are open that calls without a transaction would starve.
        """
        most = self._total - min(self._settings.per_database, self._total - 1)
        if not self._has_room():
            raise Retryable(
                f"all {self._total} connections are busy, so no transaction can begin. "
                "Try again in a moment."
            )
        if len(self._dedicated) + self._dedicating >= most:
            raise Retryable(
                f"{len(self._dedicated)} transactions are open in all; {most} are allowed. "
                "Finish one (pg_tx action=list), or try again later."
            )
        self._dedicating += 1
        try:
            backend = await self._open_one(opener)
        finally:
            self._dedicating -= 1
        self._dedicated.add(backend)
        return backend

    async def drain(self, database: str) -> None:
        """Close the idle connections to *database*."""
        pool = self._pools.get(database)
        while pool is not None and pool.idle:
            await self._close_oldest(pool)
        self._wake()

    def drop_idle(self, database: str) -> None:
        """Cut the idle connections to *database*, without a goodbye: the server may be gone."""
        pool = self._pools.get(database)
        while pool is not None and pool.idle:
            _, backend = pool.idle.pop()
            self._open.discard(backend)
            backend.connection.terminate()
        self._wake()

    async def expire(self, before: float) -> None:
        """Close connections idle since before the monotonic time *before*, and empty pools."""
        for name, pool in list(self._pools.items()):
            while pool.idle and pool.idle[0][0] < before:
                await self._close_oldest(pool)
            if not pool.idle and not pool.lent and not pool.waiting:
                del self._pools[name]

    async def _close_oldest(self, pool: Pool) -> None:
        _, backend = pool.idle.pop(0)
        self._open.discard(backend)
        await backend.close()

    async def close(self) -> None:
        """Close all that is open; nothing can be taken afterwards without opening anew."""
        remaining = list(self._open)
        self._open.clear()
        self._pools.clear()
        if remaining:
            await asyncio.gather(*(backend.close() for backend in remaining))
