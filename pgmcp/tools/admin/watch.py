"""
A long command with news of it: how far it is, told while it runs.

Owns the watching beside the command; the command's own outcome is all that counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from pgmcp.database import Lease
from pgmcp.errors import PgmcpError
from pgmcp.sql import load
from pgmcp.tools.base import Call

T = TypeVar("T")
EVERY = timedelta(seconds=1)
PATIENCE = timedelta(seconds=3)  # one look at the progress views may take so long


async def watched(
    command: Awaitable[T], look: Callable[[], Awaitable[None]], *, every: timedelta = EVERY
) -> T:
    """
    Wait for *command* and call *look* each time *every* has passed.

    A slow *look* holds nothing up: it ends with the command.
    """
    teller = asyncio.ensure_future(_tell(look, every.total_seconds()))
    try:
        return await command
    finally:
        teller.cancel()
        # Not awaited for its outcome: what a look runs into is not the command's.
        await asyncio.wait({teller})


async def _tell(look: Callable[[], Awaitable[None]], every_seconds: float) -> None:
    while True:
        await asyncio.sleep(every_seconds)
        await look()


async def with_progress(call: Call, lease: Lease, what: str, command: Awaitable[T]) -> T:
    """Run a maintenance *command* of *lease* and report its phase from PostgreSQL's own views."""

    async def look() -> None:
        with suppress(PgmcpError):
            rows = await call.databases.read(
                lease.database,
                lambda other: other.rows(
                    load("admin", "progress", other.server_version), str(lease.pid)
                ),
                timeout=PATIENCE,
                login="monitor",
            )
            if rows:
                row = rows[0]
                total = float(row["total"] or 0)
                done = float(row["done"] or 0)
                await call.progress(done, total or None, f"{what}: {row['phase']}")

    return await watched(command, look)
