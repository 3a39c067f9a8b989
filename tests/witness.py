"""
A second pair of eyes on a server: what the gateway's connections do, seen from one of our own.

Owns the looking and the waiting for a condition with a deadline; never touches the gateway.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import asyncpg

from tests.cluster import ThrowawayCluster

T = TypeVar("T")
DEADLINE = 8.0  # seconds; far above what any condition here takes on a loaded machine
PAUSE = 0.01  # seconds between two looks
BACKENDS = """
SELECT pid, coalesce(state, '') AS state, query, coalesce(wait_event_type, '') AS waits_for,
       coalesce(wait_event, '') AS event,
       xact_start IS NOT NULL OR state LIKE 'idle in transaction%' AS in_transaction
  FROM pg_catalog.pg_stat_activity
 WHERE application_name ~ '^pgmcp( |$)' AND backend_type = 'client backend'
   AND ($1::text IS NULL OR datname = $1)
 ORDER BY backend_start, pid
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """Hold one connection of the gateway as pg_stat_activity shows it."""

    pid: int
    state: str
    query: str
    waits_for: str
    event: str
    in_transaction: bool


class Witness:
    """Look at the gateway's connections to one database, or to all where *database* is None."""

    def __init__(self, connection: asyncpg.Connection, database: str | None) -> None:
        self.connection = connection
        self.database = database

    async def backends(self) -> list[Seen]:
        """Return the gateway's connections, oldest first."""
        return [Seen(**dict(row)) for row in await self.connection.fetch(BACKENDS, self.database)]

    async def pids(self) -> list[int]:
        """Return their process ids, oldest first."""
        return [seen.pid for seen in await self.backends()]

    async def running(self, fragment: str) -> list[Seen]:
        """Return those that run a statement with *fragment* in it now."""
        return [
            seen
            for seen in await self.backends()
            if seen.state == "active" and fragment in seen.query
        ]

    async def running_in(self, pid: int, fragment: str) -> list[Seen]:
        """Return the connection *pid* if it runs a statement with *fragment* in it now."""
        return [seen for seen in await self.running(fragment) if seen.pid == pid]

    async def in_transaction(self) -> list[Seen]:
        """Return those in a transaction, running or idle."""
        return [seen for seen in await self.backends() if seen.in_transaction]

    async def value(self, sql: str, *args: object) -> object:
        """Return one value, seen from outside every transaction of the gateway."""
        return await self.connection.fetchval(sql, *args)

    async def starts(self, fragment: str) -> Seen:
        """
        Wait until a statement with *fragment* in it sleeps on the server, and return it.

        It has to sleep: a statement that is being parsed counts as active, and cancelled there it
        ends nothing.
        """

        async def look() -> list[Seen]:
            return [seen for seen in await self.running(fragment) if seen.event == "PgSleep"]

        return (await eventually(look, bool))[0]

    async def ends(self, fragment: str, *, within: float = DEADLINE) -> float:
        """Wait until no statement with *fragment* runs any more; return the seconds it took."""
        began = time.monotonic()
        await eventually(lambda: self.running(fragment), lambda seen: not seen, within=within)
        return time.monotonic() - began

    async def waits_for_lock(self) -> Seen:
        """Wait until one of the gateway's statements waits for a lock, and return it."""

        async def look() -> list[Seen]:
            return [seen for seen in await self.backends() if seen.waits_for == "Lock"]

        return (await eventually(look, bool))[0]

    async def no_transaction(self, *, within: float = DEADLINE) -> None:
        """Wait until none of the gateway's connections is in a transaction."""
        await eventually(self.in_transaction, lambda seen: not seen, within=within)

    async def gone(self, pid: int) -> None:
        """Wait until the backend *pid* has ended."""
        await eventually(self.pids, lambda pids: pid not in pids)

    async def empty(self) -> None:
        """Wait until the gateway has no connection here at all."""
        await eventually(self.pids, lambda pids: not pids)


async def eventually(
    look: Callable[[], Awaitable[T]], holds: Callable[[T], bool], *, within: float = DEADLINE
) -> T:
    """Look again and again until *holds* is true of what is seen, and return that."""
    deadline = time.monotonic() + within
    while not holds(seen := await look()):
        assert time.monotonic() < deadline, f"not so within {within} s; last seen: {seen}"
        await asyncio.sleep(PAUSE)
    return seen


@asynccontextmanager
async def witnessing(
    cluster: ThrowawayCluster, database: str | None, *, seated: str | None = None
) -> AsyncIterator[Witness]:
    """Look at *database* from a connection to it, or to *seated* where it comes and goes."""
    connection = await cluster.connect(seated or database or "postgres")
    try:
        yield Witness(connection, database)
    finally:
        await connection.close(timeout=5)
