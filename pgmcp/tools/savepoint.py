"""
Going back to a savepoint, whatever became of the statements after it.

Owns the limit and the words for a server that does not answer; sets no savepoint.
"""

from __future__ import annotations

import asyncio

from pgmcp.database import Lease
from pgmcp.errors import ConnectionLost

UNDO_LIMIT = 5.0  # seconds; PostgreSQL's own limits do not cover a rollback


async def go_back(lease: Lease, savepoint: str, *, of: str, so: str) -> None:
    """
    Undo and forget *savepoint*.

    Raises:
        ConnectionLost: no answer to the rollback of *of*; *so* says what that means.
    """
    try:
        async with asyncio.timeout(UNDO_LIMIT):
            await lease.command(f"ROLLBACK TO SAVEPOINT {savepoint}; RELEASE SAVEPOINT {savepoint}")
    except TimeoutError as error:
        raise ConnectionLost(
            f"PostgreSQL did not answer the rollback of {of} for {UNDO_LIMIT:g} s. {so}"
        ) from error
