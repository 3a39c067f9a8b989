"""
pg_schema list and search: which objects there are, one row each.

Owns the default kinds; the queries are pgmcp/sql/schema, the pattern's rule is pg_monitor's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pgmcp.database import Bounds, Lease
from pgmcp.errors import CallerError
from pgmcp.results import Result
from pgmcp.sql import load
from pgmcp.statement import catalogue
from pgmcp.tools.base import Answer, Call, answer
from pgmcp.tools.monitor.pattern import like
from pgmcp.tools.schema.names import WIDER, resolve_schema
from pgmcp.tools.schema.reading import reading

if TYPE_CHECKING:
    from pgmcp.tools.schema.params import SchemaParams

# "What is here?" is answered with what one selects from; a named schema shows its code as well.
TABLES = ("table", "partitioned table", "foreign table", "view", "materialized view")
CODE = ("function", "procedure", "aggregate", "type", "domain")
KINDS = {"table": TABLES[:3], "view": TABLES[3:]}


async def list_objects(call: Call, params: SchemaParams) -> Answer:
    """List the objects of all schemas, or of one; by kind and pattern."""
    bounds = Bounds.of(call.settings.limits, params.max_rows)
    if params.kind == "column":
        raise CallerError(
            "action=list does not list columns. action=describe shows those of a table, "
            "action=search kind=column pattern=… finds them in all."
        )

    async def work(lease: Lease) -> Result:
        schema = None
        if params.schema_ is not None:
            schema = await resolve_schema(lease, params.schema_)
        kinds: tuple[str, ...] = (*TABLES, *CODE) if schema is not None else TABLES
        if params.kind is not None:
            kinds = KINDS.get(params.kind, (params.kind,))
        pattern = like(params.pattern) or None
        query = catalogue(load("schema", "list", lease.server_version))
        found = await lease.run(query, [schema, list(kinds), pattern], bounds=bounds)
        return _explained(found, params, bounds)

    result = await reading(call, work, database=params.database, session_id=params.session_id)
    return answer(result, params.format)


async def search(call: Call, params: SchemaParams) -> Answer:
    """Find what has the pattern in its name or comment, whatever kind it is."""
    bounds = Bounds.of(call.settings.limits, params.max_rows)
    wanted = params.pattern or ""

    async def work(lease: Lease) -> Result:
        schema = None
        if params.schema_ is not None:
            schema = await resolve_schema(lease, params.schema_)
        kinds = list(WIDER.get(params.kind, (params.kind,))) if params.kind is not None else None
        exact = wanted.strip("*%")
        query = catalogue(load("schema", "search", lease.server_version))
        found = await lease.run(query, [like(wanted), schema, kinds, exact], bounds=bounds)
        return _explained(found, params, bounds)

    result = await reading(call, work, database=params.database, session_id=params.session_id)
    return answer(result, params.format)


def _explained(result: Result, params: SchemaParams, bounds: Bounds) -> Result:
    """Say how to see more, or what an empty answer means."""
    if result.more:
        remark = "narrow it with schema, kind or pattern"
        if len(result.rows) == bounds.max_rows:
            remark += ", or raise max_rows"
        else:
            remark = f"cut at {bounds.max_bytes} bytes: {remark}"
        return replace(result, remarks=(remark,))
    if result.rows:
        return result
    if params.action == "search":
        remark = "nothing has this in its name or comment; a shorter pattern finds more"
    elif params.schema_ is None and params.kind is None and params.pattern is None:
        remark = "no tables or views yet; system schemas are listed when schema names them"
    else:
        remark = "nothing fits; leave pattern, kind or schema out to see more"
    return replace(result, remarks=(remark,))
