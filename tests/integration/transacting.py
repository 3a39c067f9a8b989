"""
What the tests of transactions share: two tables to change, and an error as a client reads it.

Owns the tables' names.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pgmcp.errors import PgmcpError
from tests.cluster import ThrowawayCluster
from tests.witness import Witness, witnessing

TABLES = """
CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, x int);
CREATE TABLE IF NOT EXISTS later (id int REFERENCES t DEFERRABLE INITIALLY DEFERRED);
TRUNCATE t, later
"""


@asynccontextmanager
async def watching_tables(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Witness]:
    """Lend a witness of two empty tables, t and later, which refers to t when it commits."""
    async with witnessing(cluster, database) as looking:
        await looking.connection.execute(TABLES)
        yield looking


def full(error: PgmcpError) -> str:
    """Return the error as the client reads it."""
    return "\n".join(error.lines())
