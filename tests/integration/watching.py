"""
How the tests of pg_monitor look at a server: rows as dictionaries, and sessions that misbehave.

Owns no cluster; closes every session that it opens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from pgmcp.tools.base import Answer, Call
from pgmcp.tools.monitor import TOOL, MonitorParams
from tests.cluster import ThrowawayCluster

Row = dict[str, Any]  # Any: JSON
PATIENCE = 10.0  # seconds that a session may take to get into the state that a test wants


async def look(call: Call, action: str, **arguments: Any) -> Answer:
    """Return the answer of one action."""
    return await TOOL.run(call, MonitorParams.model_validate({"action": action, **arguments}))


async def report(call: Call, action: str, **arguments: Any) -> Row:
    """Return the answer of one action as its JSON object."""
    answer = await look(call, action, format="json", **arguments)
    assert answer.structured is not None
    return dict(answer.structured)


async def rows(call: Call, action: str, **arguments: Any) -> list[Row]:
    """Return the rows of one action, by column."""
    found = await report(call, action, **arguments)
    names = [column["name"] for column in found["columns"]]
    return [dict(zip(names, row, strict=True)) for row in found["rows"]]


def one(found: list[Row], **values: object) -> Row:
    """Return the only row that has *values*."""
    (row,) = [row for row in found if values.items() <= row.items()]
    return row


async def eventually(ask: Callable[[], Any]) -> Any:
    """Await *ask* again and again until it returns something true, and return that."""
    async with asyncio.timeout(PATIENCE):
        # PostgreSQL tells nobody that a session has begun to wait.
        while not (found := await ask()):  # noqa: ASYNC110 — there is no event to wait for
            await asyncio.sleep(0.02)
    return found


@dataclass(frozen=True, kw_only=True)
class Session:
    """Hold one session and the process id of its backend."""

    connection: asyncpg.Connection[asyncpg.Record]
    pid: int

    async def execute(self, sql: str) -> None:
        """Run one statement or many, as psql would."""
        await self.connection.execute(sql)


@asynccontextmanager
async def session(
    cluster: ThrowawayCluster, database: str, **settings: str
) -> AsyncIterator[Session]:
    """Open a session of its own; an open transaction of it ends with the block."""
    opened = await asyncpg.connect(
        host=cluster.host,
        port=cluster.port,
        user=cluster.user,
        password=cluster.password,
        database=database,
        server_settings={"application_name": "misbehaving", **settings},
        timeout=10,
    )
    try:
        yield Session(connection=opened, pid=opened.get_server_pid())
    finally:
        opened.terminate()


@asynccontextmanager
async def waiting(opened: Session, sql: str) -> AsyncIterator[None]:
    """Run *sql*, which waits for somebody, in the background while the block runs."""
    task = asyncio.create_task(opened.execute(sql))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
