"""
How many calls a caller may make in a minute, and how many may run at once.

Owns the counts of both, by principal; runs nothing and knows no connection.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from pgmcp.access import Access
from pgmcp.clock import MINUTE, Clock
from pgmcp.errors import Retryable

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
        self._running: dict[str, int] = {}
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

    def begin(self, access: Access) -> Awaitable[None] | None:
        """
        Count one call as running, which must `end`; return what to wait for first, if anything.

        A principal's calls have their turns in the order they came. Waiting raises Retryable
        where as many as are allowed run, and none ends in time; such a call does not `end`.
        """
        principal = access.caller.principal
        running = self._running.get(principal, 0)
        if running >= access.running or principal in self._lines:
            return self._stand_in_line(principal, access.running)
        self._running[principal] = running + 1
        return None

    def end(self, access: Access) -> None:
        """Count one call as ended; the next in line have their turn."""
        self._leave(access.caller.principal, access.running)

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
        running = self._running[principal] - 1
        line = self._lines.get(principal)
        while line and running < most:
            turn = line.popleft()
            if not turn.done():
                running += 1
                turn.set_result(None)
        if running:
            self._running[principal] = running
        else:
            del self._running[principal]
        self._forget_empty(principal)

    def _forget_empty(self, principal: str) -> None:
        if principal in self._lines and not self._lines[principal]:
            del self._lines[principal]
