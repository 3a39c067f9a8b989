"""
How many connections are open, which are idle, and who waits for one.

Owns the counts and the queue; knows nothing of statements.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from pgmcp.database.backend import Backend
from pgmcp.errors import Busy, Retryable
from pgmcp.settings import Pools

Opener = Callable[[], Awaitable[Backend]]


@dataclass(kw_only=True, slots=True, eq=False)
class Waiter:
    """Hold one place in the queue; *arrived* orders the waiters of all databases."""

    arrived: int
    future: asyncio.Future[Backend | None]


@dataclass(kw_only=True, slots=True, eq=False)
class Pool:
    """Hold one database's connections: idle ones (newest last) and how many are out."""

    idle: list[tuple[float, Backend]] = field(default_factory=list)
    lent: int = 0
    waiting: deque[Waiter] = field(default_factory=deque)

    def first(self) -> Waiter | None:
        """Return who waits for longest, dropping those that have given up."""
        while self.waiting and self.waiting[0].future.done():
            self.waiting.popleft()
        return self.waiting[0] if self.waiting else None


class Slots:
    """
    Hand out connections under a cap for each database and one for all.

    Where the total cap is reached, the idle connection that was used longest ago, whatever its
    database, makes room. Waiters are served in the order they came, also across databases: a
    connection that is given back is closed where somebody who waits elsewhere came first.
    """

    def __init__(self, settings: Pools) -> None:
        self._settings = settings
        self._pools: dict[str, Pool] = {}
        self._open: set[Backend] = set()
        self._opening = 0
        self._dedicated: set[Backend] = set()
        self._dedicating = 0
        self._total = settings.total
        self._beginning = Pool()  # those who wait to begin a transaction
        self._arrivals = itertools.count()

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
        arrived: int | None = None
        while True:
            if arrived is not None or pool.first() is None:
                if (backend := self._pop_idle(pool)) is not None:
                    pool.lent += 1
                    return backend
                if pool.lent < self._settings.per_database and self._has_room():
                    return await self._open_into(pool, opener)
            again = arrived is not None
            arrived = next(self._arrivals) if arrived is None else arrived
            try:
                backend = await self._wait(pool, deadline, arrived=arrived, again=again)
            except TimeoutError as error:
                raise self._busy(database, pool) from error
            if backend is not None:
                return backend

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
        self, pool: Pool, deadline: float, *, arrived: int, again: bool
    ) -> Backend | None:
        """Return a connection handed over, or None where it is worth looking again."""
        waiter = Waiter(arrived=arrived, future=asyncio.get_running_loop().create_future())
        (pool.waiting.appendleft if again else pool.waiting.append)(waiter)
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                return await waiter.future
        except BaseException:
            self._hand_back(waiter.future)
            raise
        finally:
            if waiter in pool.waiting:
                pool.waiting.remove(waiter)

    def _hand_back(self, future: asyncio.Future[Backend | None]) -> None:
        """Pass on what a waiter was given in the moment it gave up."""
        if future.done() and not future.cancelled():
            backend = future.result()
            if backend is None:
                self._wake()
            else:
                self.give(backend)

    def _busy(self, database: str, pool: Pool) -> Busy:
        return Busy(
            f'all connections to database "{database}" are busy: {pool.lent} lent of '
            f"{self._settings.per_database}, {len(self._open)} open of {self._total} in "
            f"all. Waited {self._settings.wait.total_seconds():g} s; try again."
        )

    def give(self, backend: Backend) -> None:
        """Take a clean connection back; who waits for longest gets it, or its place."""
        pool = self._pools.setdefault(backend.database, Pool(lent=1))
        mine = pool.first()
        other = None if self._has_room() else self._first_elsewhere(pool)
        if mine is not None and (other is None or mine.arrived < other.arrived):
            pool.waiting.popleft()
            mine.future.set_result(backend)
            return
        pool.lent -= 1
        if other is None:
            pool.idle.append((time.monotonic(), backend))
        else:
            # It is clean and idle, so nothing is lost without a goodbye.
            self._open.discard(backend)
            backend.connection.terminate()
        self._wake()

    def _first_elsewhere(self, pool: Pool) -> Waiter | None:
        """Return who came first of those that wait for a place, and not for *pool*'s own."""
        others = [
            other
            for other in self._pools.values()
            if other is not pool and other.lent < self._settings.per_database
        ]
        waiters = [first for other in (*others, self._beginning) if (first := other.first())]
        return min(waiters, key=lambda waiter: waiter.arrived, default=None)

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
        """Let the first waiter of every database look again, who came first before the others."""
        pools = [pool for pool in (*self._pools.values(), self._beginning) if pool.first()]
        for pool in sorted(pools, key=lambda pool: pool.waiting[0].arrived):
            pool.waiting.popleft().future.set_result(None)

    async def open_dedicated(self, opener: Opener) -> Backend:
        """
        Open a connection outside the pools, for one transaction across calls.

        Raises:
            Retryable: none became free in time, or so many are open that calls without a
                transaction would starve.
        """
        deadline = time.monotonic() + self._settings.wait.total_seconds()
        most = self._total - min(self._settings.per_database, self._total - 1)
        arrived: int | None = None
        while True:
            if (count := len(self._dedicated) + self._dedicating) >= most:
                raise Retryable(
                    f"{count} transactions are open in all, the most allowed. Finish one (pg_tx "
                    "action=list), or try again later."
                )
            if (arrived is not None or not self._beginning.first()) and self._has_room():
                return await self._dedicate(opener)
            again = arrived is not None
            arrived = next(self._arrivals) if arrived is None else arrived
            try:
                await self._wait(self._beginning, deadline, arrived=arrived, again=again)
            except TimeoutError as error:
                raise Busy(
                    f"all {self._total} connections are busy, so no transaction can begin. Waited "
                    f"{self._settings.wait.total_seconds():g} s; try again."
                ) from error

    async def _dedicate(self, opener: Opener) -> Backend:
        self._dedicating += 1
        try:
            backend = await self._open_one(opener)
        except BaseException:
            self._wake()
            raise
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
