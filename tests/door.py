"""
The way into the gateway's slots without the rest of it, for tests of the counts.

Owns nothing: the slots close what is opened here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pgmcp.database.backend import Backend, open_backend
from pgmcp.database.borrower import Place
from pgmcp.database.codecs import Types
from pgmcp.database.slots import Slots
from pgmcp.settings import load
from tests.cluster import ThrowawayCluster

FIRST, OTHER = Place("postgres", None), Place("template1", None)
Opener = Callable[[], Awaitable[Backend]]


class Door:
    """Open real connections, and count how often."""

    def __init__(self, cluster: ThrowawayCluster) -> None:
        self._server = load(environ=cluster.environment()).server
        self._types = {FIRST: Types(), OTHER: Types()}
        self.opened: list[Place] = []

    def to(self, place: Place) -> Opener:
        """Return an opener for *place*, as the superuser."""

        async def open_one() -> Backend:
            self.opened.append(place)
            account = self._server.account("read")
            backend = await open_backend(self._server, place.database, account, self._types[place])
            backend.place = place
            return backend

        return open_one


async def queue(
    slots: Slots, door: Door, place: Place, principal: str = ""
) -> asyncio.Task[Backend]:
    """Start a `take` and return it once it stands in the queue."""
    before = len(slots._queue)
    task = asyncio.create_task(slots.take(place, door.to(place), principal))
    await asyncio.sleep(0)
    assert len(slots._queue) == before + 1
    return task
