"""
How many calls a caller may make in a minute, and how many may run at once.

Owns the counts of both, by principal; runs nothing and knows no connection.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from pgmcp.access import Access
from pgmcp.clock import MINUTE, Clock
from pgmcp.errors import Retryable

T = TypeVar("T")
PRINCIPALS = 4096  # whose calls are counted; who was quiet longest is forgotten first
LINE = 400  # calls of one caller that may wait for their turn
SLACK = 1e-6  # of a call: what adding up fractions may lose


@dataclass(kw_only=True, slots=True)
class _Bucket:
    """Hold how many calls may be made at once; it fills steadily, up to a minute's amount."""

    calls: float
    filled_at: float


class Quota:
    """Count the calls of each principal; every gateway has one."""

    def __init__(self, clock: Clock, *, wait: timedelta) -> None:
        self._clock = clock
        self._wait = wait.total_seconds()
        self._buckets: dict[str, _Bucket] = {}
        self._running: Counter[str] = Counter()
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}

    def count(self, access: Access) -> None:
        """
        Count one call.

        After a quiet minute a whole minute's amount may be made at once; from then on one more
        each time that the minute's amount has room for it.

        Raises:
            Retryable: too many; says when there is room for the next.
        """
        most = access.calls_per_minute
        if most is None:
            return
        now, principal = self._clock.monotonic(), access.caller.principal
        bucket = self._buckets.pop(principal, None) or _Bucket(calls=most, filled_at=now)
        self._buckets[principal] = bucket  # the last place: counted most recently
        while len(self._buckets) > PRINCIPALS:
            del self._buckets[next(iter(self._buckets))]
        gained = (now - bucket.filled_at) * most / MINUTE
        bucket.calls, bucket.filled_at = min(most, bucket.calls + gained), now
        if bucket.calls >= 1 - SLACK:
            bucket.calls -= 1
            return
        seconds = math.ceil((1 - bucket.calls) * MINUTE / most)
        raise Retryable(
            f"your calls come faster than {most}, the most allowed in a minute; try again in "
            f"{seconds} s. Nothing was done."
        )

    async def run(self, access: Access, work: Callable[[], Awaitable[T]]) -> T:
        """
        Run one call's *work*; the principal's calls have their turns in the order they came.

        Raises:
            Retryable: as many as are allowed run, and none has ended in time.
        """
        principal, most = access.caller.principal, access.running
        if self._running[principal] >= most or principal in self._lines:
            await self._stand_in_line(principal, most)
        else:
            self._running[principal] += 1
        try:
            return await work()
        finally:
            self._leave(principal, most)

    async def _stand_in_line(self, principal: str, most: int) -> None:
        """Wait for a turn; it is counted when this returns."""
        line = self._lines.setdefault(principal, deque())
        turn = asyncio.get_running_loop().create_future()
        waited = self._wait if len(line) < LINE else 0.0
        line.append(turn)
        try:
            async with asyncio.timeout(waited):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._leave(principal, most)  # it came in the moment the call gave up
            else:
                with suppress(ValueError):  # taken out already, because it had given up
                    line.remove(turn)
                self._forget_empty(principal)
            if isinstance(error, TimeoutError):
                raise Retryable(
                    f"{most} calls of yours are running, the most allowed at once. Waited "
                    f"{waited:g} s for one to end; try again. Nothing was done."
                ) from error
            raise

    def _leave(self, principal: str, most: int) -> None:
        """Count one call as ended; the next in line have their turn."""
        self._running[principal] -= 1
        line = self._lines.get(principal)
        while line and self._running[principal] < most:
            turn = line.popleft()
            if not turn.done():
                self._running[principal] += 1
                turn.set_result(None)
        self._forget_empty(principal)

    def _forget_empty(self, principal: str) -> None:
        if principal in self._lines and not self._lines[principal]:
            del self._lines[principal]
        if not self._running[principal]:
            del self._running[principal]
