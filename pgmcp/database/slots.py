"""
Which connections are open, which are idle, and to whom the others are lent.

Owns them; who may have how many is `shares`' to say. Knows nothing of statements.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from pgmcp.database.backend import Backend
from pgmcp.database.borrower import Place
from pgmcp.database.queue import Queue, Waiter
from pgmcp.database.shares import Shares
from pgmcp.errors import Busy
from pgmcp.settings import Pools

Opener = Callable[[], Awaitable[Backend]]
Idle = list[tuple[float, Backend]]  # the monotonic time since when, newest last


class Slots:
    """
    Hand out connections under a cap for each database and role, and one for all.

    Where the total cap is reached, the idle connection that was used longest ago, whatever its
    place, makes room. What becomes free goes to the principal that holds least, whatever its
    place; among equals to who came first. Who waits holds no slot; who is granted one holds it
    from that moment on, so nobody can take it in between.
    """

    def __init__(self, settings: Pools, transactions: int) -> None:
        self._settings = settings
        self._shares = Shares(settings, transactions)
        self._queue = Queue()
        self._idle: dict[Place, Idle] = {}
        self._open: set[Backend] = set()
        self._opening = 0
        self._lent: dict[Backend, str] = {}
        self._dedicated: set[Backend] = set()

    def fit(self, most: int) -> bool:
        """Keep below *most* connections, what the server admits; tell whether that is fewer."""
        return self._shares.fit(most)

    def pids(self) -> set[int]:
        """Return the process ids of every open connection."""
        return {backend.pid for backend in self._open}

    @property
    def busy(self) -> int:
        """Return how many connections are lent or about to be opened for somebody."""
        return self._shares.busy

    async def take(self, place: Place, opener: Opener, principal: str = "") -> Backend:
        """
        Return an idle connection, or open one, or wait for one.

        Raises:
            Busy: none became free in time.
            PgmcpError: a new one could not be opened.
        """
        try:
            backend = await self._granted(principal, place)
        except TimeoutError as error:
            lent, waited = self._shares.lent(place), self._settings.wait.total_seconds()
            raise Busy(
                f'all connections to database "{place.database}" are busy: {lent} lent of '
                f"{self._settings.per_database}, {len(self._open)} open of {self._shares.total} in "
                f"all. Waited {waited:g} s; try again."
            ) from error
        return backend or await self._open_granted(principal, place, opener)

    async def _granted(self, principal: str, place: Place | None) -> Backend | None:
        """Wait for a slot; return the idle connection in it, or None where it is empty."""
        # Whoever waits may not have one now, or would have been served: nobody is overtaken.
        if self._shares.may(principal, place):
            return self._grant(principal, place)
        waiter = self._queue.join(principal, place)
        try:
            async with asyncio.timeout(self._settings.wait.total_seconds()):
                return await waiter.granted
        except BaseException:  # a cancellation, too: nobody else knows of the place in the line
            self._hand_back(waiter)
            raise

    def _hand_back(self, waiter: Waiter) -> None:
        """Leave the line, or pass on what was granted in the moment the waiter gave up."""
        self._queue.leave(waiter)
        if waiter.granted.done() and not waiter.granted.cancelled():
            backend = waiter.granted.result()
            if backend is None:
                self._release(waiter.principal, waiter.place)
            else:
                self.give(backend)

    def _serve(self) -> None:
        """Grant what is free to whose turn it is."""
        while self._queue:
            waiter = self._queue.next(self._shares.may, self._shares.held)
            if waiter is None:
                return
            if not waiter.granted.done():  # cancelled, but not yet out of the line
                waiter.granted.set_result(self._grant(waiter.principal, waiter.place))

    def _grant(self, principal: str, place: Place | None) -> Backend | None:
        """Count a slot as the principal's; return an idle connection for it if there is one."""
        self._shares.take(principal, place)
        idle = self._idle.get(place) if place is not None else None
        while idle:
            _, backend = idle.pop()
            if backend.is_open:
                self._lent[backend] = principal
                return backend
            self._open.discard(backend)
        return None

    def _release(self, principal: str, place: Place | None) -> None:
        self._shares.release(principal, place)
        self._serve()

    async def _open_granted(self, principal: str, place: Place | None, opener: Opener) -> Backend:
        """Open a connection in a slot that was granted."""
        try:
            backend = await self._open_one(opener)
        except BaseException:  # a cancellation, too: the slot would stay taken for ever
            self._release(principal, place)
            raise
        self._lent[backend] = principal
        return backend

    async def _open_one(self, opener: Opener) -> Backend:
        self._opening += 1
        try:
            is_full = len(self._open) + self._opening > self._shares.total
            if is_full and (victim := self._longest_idle()) is not None:
                await self._close_oldest(victim)
            backend = await opener()
            self._open.add(backend)
            return backend
        finally:
            self._opening -= 1

    def _longest_idle(self) -> Idle | None:
        """Return the place's list whose first has been idle for longest."""
        return min(filter(None, self._idle.values()), key=lambda idle: idle[0][0], default=None)

    def give(self, backend: Backend) -> None:
        """Take a clean connection back; it, or its room, goes to whose turn it is."""
        principal = self._lent.pop(backend)
        self._idle.setdefault(backend.place, []).append((time.monotonic(), backend))
        self._release(principal, backend.place)

    def forget(self, backend: Backend) -> None:
        """Count a lent connection as gone, once; the caller has closed it."""
        if backend not in self._open:
            return  # a transaction's call and its session's end may both have ended it
        self._open.discard(backend)
        principal = self._lent.pop(backend)
        if backend in self._dedicated:
            self._dedicated.discard(backend)
            self._release(principal, None)
        else:
            self._release(principal, backend.place)

    async def open_dedicated(self, opener: Opener, principal: str = "") -> Backend:
        """
        Open a connection outside the pools, for one transaction across calls.

        Raises:
            Retryable: none became free in time, or so many are open that calls without a
                transaction, or others, would starve.
        """
        self._shares.require_transaction(principal)
        try:
            await self._granted(principal, None)
        except TimeoutError as error:
            self._shares.require_transaction(principal)
            raise Busy(
                f"all {self._shares.total} connections are busy, so no transaction can begin. "
                f"Waited {self._settings.wait.total_seconds():g} s; try again."
            ) from error
        backend = await self._open_granted(principal, None, opener)
        self._dedicated.add(backend)
        return backend

    async def drain(self, database: str) -> None:
        """Close the idle connections to *database*; those lent now are not to lie idle later."""
        for backend in self._lent:
            backend.is_unwanted |= backend.database == database
        for idle in self._of(database):
            while idle:
                await self._close_oldest(idle)

    def _of(self, database: str) -> list[Idle]:
        return [idle for place, idle in self._idle.items() if place.database == database]

    def drop_idle(self, database: str) -> None:
        """Cut the idle connections to *database*, without a goodbye: the server may be gone."""
        for idle in self._of(database):
            while idle:
                _, backend = idle.pop()
                self._open.discard(backend)
                backend.connection.terminate()

    async def expire(self, before: float) -> None:
        """Close connections idle since before the monotonic time *before*."""
        for place, idle in list(self._idle.items()):
            while idle and idle[0][0] < before:
                await self._close_oldest(idle)
            if not idle:
                self._idle.pop(place, None)

    async def _close_oldest(self, idle: Idle) -> None:
        _, backend = idle.pop(0)
        self._open.discard(backend)
        await backend.close()

    async def close(self) -> None:
        """Close all that is open; nothing can be taken afterwards without opening anew."""
        remaining = list(self._open)
        self._open.clear()
        self._idle.clear()
        if remaining:
            await asyncio.gather(*(backend.close() for backend in remaining))
