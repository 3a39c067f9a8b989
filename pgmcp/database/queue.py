"""
Who waits for a connection, and whose turn it is.

Owns the lines; knows neither a connection nor a cap.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgmcp.database.borrower import Place

if TYPE_CHECKING:
    from pgmcp.database.backend import Backend


@dataclass(kw_only=True, slots=True, eq=False)
class Waiter:
    """
    Hold one place in a line; *place* None waits for a connection of a transaction's own.

    Its turn comes with *granted*: an idle connection, or None where it may open one.
    """

    principal: str
    place: Place | None
    arrived: int
    granted: asyncio.Future[Backend | None]


class Queue:
    """
    Keep those who wait, one line for each principal and place.

    Next is who belongs to the principal that holds least; among equals, who came first.
    """

    def __init__(self) -> None:
        self._lines: dict[tuple[str, Place | None], deque[Waiter]] = {}
        self._arrivals = itertools.count()

    def __bool__(self) -> bool:
        return bool(self._lines)

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def join(self, principal: str, place: Place | None) -> Waiter:
        """Stand at the end of the principal's line for *place*."""
        waiter = Waiter(
            principal=principal,
            place=place,
            arrived=next(self._arrivals),
            granted=asyncio.get_running_loop().create_future(),
        )
        self._lines.setdefault((principal, place), deque()).append(waiter)
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Step out of the line, if still in it."""
        key = (waiter.principal, waiter.place)
        line = self._lines.get(key)
        if line is not None and waiter in line:
            line.remove(waiter)
            if not line:
                del self._lines[key]

    def next(
        self, may: Callable[[str, Place | None], bool], held: Callable[[str], int]
    ) -> Waiter | None:
        """Take out whose turn it is among those that *may* have a connection now."""
        first: tuple[str, Place | None] | None = None
        rank = (0, 0)
        for key, line in self._lines.items():
            mine = (held(key[0]), line[0].arrived)
            if (first is None or mine < rank) and may(*key):
                first, rank = key, mine
        if first is None:
            return None
        line = self._lines[first]
        waiter = line.popleft()
        if not line:
            del self._lines[first]
        return waiter
