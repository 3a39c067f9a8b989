"""
pg_query: one SQL statement, read or write, alone or inside a transaction.

Owns the tool's parameters and the way a statement takes; what may run is `statement`'s to say.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from pgmcp.database import Bounds, Lease
from pgmcp.errors import CallerError, PgmcpError, QueryFailed
from pgmcp.grammar import CHANGES
from pgmcp.results import Result
from pgmcp.statement import Statement
from pgmcp.titles import action_of, title_of
from pgmcp.tools.base import Answer, Call, Params, Tool, answer
from pgmcp.tools.confirm import require
from pgmcp.tools.nearest import add_nearest

JSON_TYPES = [
    {"type": "string"},
    {"type": "number"},
    {"type": "boolean"},
    {"type": "null"},
    {"type": "array", "items": {}},
    {"type": "object"},
]
Parameter = Annotated[Any, WithJsonSchema({"anyOf": JSON_TYPES})]  # Any: JSON

HELD = ("LockStmt", "ConstraintsSetStmt")  # without effect once their transaction has ended

DESCRIPTION = """\
Run one SQL statement. Put values in params and write $1, $2 in sql. The answer is a header line, \
tab-separated rows (\\N is NULL) and a last line saying how many rows, and whether more exist. \
Reading is the default and changes nothing; INSERT, UPDATE, DELETE, MERGE, TRUNCATE and CALL \
need mode="write" and commit at once unless session_id (from pg_tx) names a transaction. \
UPDATE or DELETE without WHERE and TRUNCATE need confirm. DDL: pg_schema. Names unknown? \
pg_schema first. A string parameter is PostgreSQL's text form of any type; a list is an array.
Example: sql="SELECT id, total FROM shop.orders WHERE customer_id = $1 ORDER BY id", params=[42]"""


class QueryParams(Params):
    """The parameters of pg_query, as on the wire."""

    sql: str = Field(description="One SQL statement.")
    params: list[Parameter] | None = Field(None, description="Values for $1, $2, … in order.")
    database: str | None = Field(None, description="The default one unless said.")
    mode: Literal["read", "write"] | None = Field(
        None, description="read (default) or write; inferred inside a transaction."
    )
    session_id: str | None = Field(None, description="Transaction from pg_tx action=begin.")
    max_rows: int | None = Field(None, ge=1, description="Most rows to return.")
    format: Literal["text", "json"] = Field("text", description="Form of the answer.")
    timeout_seconds: float | None = Field(None, ge=0.001, description="Limit of this statement.")
    explain: Literal["none", "plan", "analyze"] = Field(
        "none", description="Show the plan instead; analyze runs it and rolls back."
    )
    confirm: str | None = Field(None, description="Names to confirm, as a refusal printed them.")


async def run(call: Call, params: QueryParams) -> Answer:
    """Run the statement and render its result."""
    timeout = call_timeout(call, params.timeout_seconds)
    bounds = Bounds.of(call.settings.limits, params.max_rows)
    statement = await call.parser.parse_one(params.sql)
    _require_here(statement, params)
    values = params.params or []
    try:
        if params.explain != "none":
            result = await _explain(call, params, statement, timeout=timeout, bounds=bounds)
        elif params.session_id is not None:
            async with call.transactions.borrow(
                call.owner,
                params.session_id,
                level=statement.level,
                database=params.database,
                timeout=timeout,
            ) as lease:
                await require(lease, statement, params.confirm)
                result = await lease.run(statement, values, bounds=bounds)
        elif params.mode == "write":
            result = await _write(call, params, statement, timeout=timeout, bounds=bounds)
        else:
            result = await call.databases.read(
                params.database,
                lambda lease: lease.run(statement, values, bounds=bounds),
                timeout=timeout,
            )
    except PgmcpError as error:
        _forget_portal(error)
        database = _database_of(call, params)
        await add_nearest(call, database, error, relations=statement.relations)
        raise
    return answer(result, params.format)


async def _write(
    call: Call, params: QueryParams, statement: Statement, *, timeout: timedelta, bounds: Bounds
) -> Result:
    """Run a statement that is a transaction by itself; what PostgreSQL refuses leaves nothing."""
    try:
        async with call.databases.write(params.database, timeout=timeout) as lease:
            await require(lease, statement, params.confirm)
            return await lease.run(statement, params.params or [], bounds=bounds)
    except PgmcpError as error:
        if error.sqlstate and error.fate is None:
            error.fate = "rolled back; nothing was changed."
        raise


def _point_into(error: QueryFailed, statement: Statement, before: int) -> None:
    """Tell the place in what the caller sent, before which PostgreSQL got *before* characters."""
    place = max(error.report.position - before, 0)
    error.report, error.sql = replace(error.report, position=place), statement.sql


def _forget_portal(error: PgmcpError) -> None:
    """Leave out of PostgreSQL's context the name of what carries params."""
    if isinstance(error, QueryFailed) and error.report.context is not None:
        lines = error.report.context.split("\n")
        kept = [line for line in lines if not line.startswith("unnamed portal parameter ")]
        error.report = replace(error.report, context="\n".join(kept) or None)


def _database_of(call: Call, params: QueryParams) -> str | None:
    """Return the transaction's database, which a call inside it need not repeat."""
    mine = {found.handle: found.database for found in call.transactions.open_of(call.owner)}
    return mine.get(params.session_id or "", params.database)


def call_timeout(call: Call, seconds: float | None) -> timedelta:
    """
    Return the limit of one statement.

    Raises:
        CallerError: above the ceiling.
    """
    limits = call.settings.limits
    if seconds is None:
        return limits.timeout
    ceiling = limits.timeout_ceiling.total_seconds()
    if seconds > ceiling:
        raise CallerError(
            f"timeout_seconds: {seconds:g} is above {ceiling:g}. Ask for less at a time."
        )
    return timedelta(seconds=seconds)


def _require_here(statement: Statement, params: QueryParams) -> None:
    """Refuse what belongs to another tool, and writing that was not asked for."""
    if statement.tool != "pg_query":
        what = title_of(statement.kind, statement.node)
        if statement.tool is None:
            raise CallerError(f"{what} is not run here. {statement.refusal}")
        instead = statement.refusal or f"Use pg_schema action={action_of(statement.kind)}."
        raise CallerError(f"{what} is not a query. {instead}")
    if statement.kind in HELD and params.session_id is None and params.explain == "none":
        raise CallerError(
            f"{title_of(statement.kind, statement.node)} lasts until the end of its transaction, "
            "which would be this call: use it inside session_id (pg_tx action=begin mode=write)."
        )
    inferred = params.mode is None and params.session_id is not None
    may_write = params.mode == "write" or inferred or params.explain == "plan"
    if statement.level == "write" and not may_write:
        raise CallerError(_needs_write(statement))
    if params.session_id is not None and params.explain == "analyze":
        raise CallerError(
            "explain=analyze rolls back, so it runs outside transactions only. Leave session_id "
            "out, or use explain=plan."
        )


def _needs_write(statement: Statement) -> str:
    title = title_of(statement.kind, statement.node)
    return f'{title} changes data or locks rows. Repeat the call with mode="write".'


async def _explain(
    call: Call, params: QueryParams, statement: Statement, *, timeout: timedelta, bounds: Bounds
) -> Result:
    """Show the plan; what runs for analyze is rolled back, whatever it changed."""
    options = "ANALYZE, BUFFERS, VERBOSE" if params.explain == "analyze" else "VERBOSE"
    if params.format == "json":
        options += ", FORMAT JSON"
    if statement.kind == "ExplainStmt":
        raise CallerError("sql is an EXPLAIN already. Send the statement itself, or no explain.")
    if statement.kind not in ("SelectStmt", *CHANGES):
        title = title_of(statement.kind, statement.node)
        raise CallerError(
            f"{title} has no plan. explain is for SELECT, INSERT, UPDATE, DELETE and MERGE."
        )
    prefix = f"EXPLAIN ({options}) "
    explained = replace(
        statement,
        sql=prefix + statement.sql,
        kind="ExplainStmt",
        wrap="",
        targets=(),
    )

    async def work(lease: Lease) -> Result:
        try:
            return await lease.run(explained, params.params or [], bounds=bounds)
        except QueryFailed as error:
            _point_into(error, statement, len(prefix))
            raise

    if params.session_id is not None:
        async with call.transactions.borrow(
            call.owner, params.session_id, level="read", database=params.database, timeout=timeout
        ) as lease:
            return await work(lease)
    if params.explain == "plan" or statement.level == "read":
        return await call.databases.read(params.database, work, timeout=timeout)
    return await call.databases.attempt(params.database, work, timeout=timeout)


TOOL = Tool(
    name="pg_query",
    title="Query PostgreSQL",
    description=DESCRIPTION,
    params=QueryParams,
    run=run,
    read_only=False,
    destructive=True,
)
