"""
How pg_schema reads the catalogue: on a lease of its own, or inside the caller's transaction.

Owns the choice of the lease and the shape of facts; the queries are pgmcp/sql/schema.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import orjson

from pgmcp.database import Lease
from pgmcp.sql import load
from pgmcp.tools.base import Call
from pgmcp.tools.schema.page import Facts, without_nothing

T = TypeVar("T")


async def reading(
    call: Call,
    work: Callable[[Lease], Awaitable[T]],
    *,
    database: str | None,
    session_id: str | None,
) -> T:
    """Run *work* read only, or in the transaction *session_id*, which sees its own changes."""
    call.record.level = "read"
    if session_id is None:
        return await call.databases.read(database, work)
    async with call.transactions.borrow(session_id, level="read", database=database) as lease:
        return await work(lease)


async def facts_of(lease: Lease, query: str, *args: object) -> list[Facts]:
    """
    Run pgmcp/sql/schema/*query*.sql; each row comes as a JSON object with types kept.

    PostgreSQL builds the JSON, so that arrays and booleans need no parsing here.
    None and empty lists are left out.
    """
    sql = load("schema", query, lease.server_version).strip().rstrip(";")
    wrapped = f"SELECT pg_catalog.row_to_json(_fact)::text AS fact FROM (\n{sql}\n) AS _fact"  # noqa: S608 — our own file
    rows = await lease.rows(wrapped, *args)
    return [without_nothing(orjson.loads(row["fact"] or "{}")) for row in rows]


async def fact_of(lease: Lease, query: str, *args: object) -> Facts:
    """Return the first row of *query*; empty where the object is gone meanwhile."""
    found = await facts_of(lease, query, *args)
    return found[0] if found else {}
