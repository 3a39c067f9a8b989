"""
The way into the gateway's slots without the rest of it, for tests of the counts.

Owns nothing: the slots close what is opened here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pgmcp.database.backend import Backend, open_backend
from pgmcp.database.codecs import Types
from pgmcp.database.slots import Slots
from pgmcp.settings import load
from tests.cluster import ThrowawayCluster

FIRST, OTHER = "postgres", "template1"
Opener = Callable[[], Awaitable[Backend]]


class Door:
    """Open real connections, and count how often."""

    def __init__(self, cluster: ThrowawayCluster) -> None:
        self._server = load(environ=cluster.environment()).server
        self._types = {FIRST: Types(), OTHER: Types()}
        self.opened: list[str] = []

    def to(self, database: str) -> Opener:
        """Return an opener for *database*."""

        async def open_one() -> Backend:
            self.opened.append(database)
            return await open_backend(self._server, database, self._types[database])

        return open_one


async def queue(slots: Slots, door: Door, database: str) -> asyncio.Task[Backend]:
    """Start a `take` and return it once it stands in the queue."""
    before = len(slots._pools[database].waiting)
    task = asyncio.create_task(slots.take(database, door.to(database)))
    await asyncio.sleep(0)
    assert len(slots._pools[database].waiting) == before + 1
    return task
