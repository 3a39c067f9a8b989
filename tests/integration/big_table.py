"""
A table that no answer holds, and what changes something while it is read.

Owns the gateway of the block; the tables are the test module's database's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pgmcp.settings import load
from tests import tsv
from tests.asking import Asker, asking
from tests.cluster import ThrowawayCluster

SETUP = """
CREATE TABLE big AS SELECT n AS id, repeat('x', 20) AS pad FROM generate_series(1, 200000) AS n;
CREATE TABLE log (id integer);
CREATE SEQUENCE counter;
CREATE FUNCTION note(n integer) RETURNS integer LANGUAGE sql VOLATILE
    AS 'INSERT INTO log VALUES (n) RETURNING id';
CREATE FUNCTION shout(n integer) RETURNS integer LANGUAGE plpgsql
    AS $$ BEGIN FOR i IN 1..n LOOP RAISE NOTICE 'line %', i; END LOOP; RETURN n; END $$;
ALTER TABLE big SET (parallel_workers = 2);
ANALYZE big;
"""


@asynccontextmanager
async def asking_big(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Asker]:
    """Make the tables and lend the way to call the tools."""
    await cluster.execute(SETUP, database=database)
    async with asking(load(environ=cluster.environment(database))) as made:
        yield made


async def one(asker: Asker, sql: str) -> str | None:
    """Return a query's only cell."""
    return tsv.read(await asker.text(sql=sql)).rows[0][0]
