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
from pgmcp.kinds import Level
from pgmcp.logins import Login
from pgmcp.results import Result
from pgmcp.statement import Statement
from pgmcp.titles import action_of, title_of
from pgmcp.tools.base import Answer, Call, Params, Tool, answer
from pgmcp.tools.confirm import require
from pgmcp.tools.explain import explaining
from pgmcp.tools.gaps import add_gap
from pgmcp.tools.nearest import add_nearest
from pgmcp.tools.reach import refuse_whole_server

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
UPDATE or DELETE without WHERE and TRUNCATE ask your human, or need confirm. DDL: pg_schema. \
Names unknown? pg_schema first. A string parameter is PostgreSQL's text form of any type; a list \
is an array.
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
    call.record.statements, call.record.is_explained = (statement,), params.explain != "none"
    level = _require_access(call, params, statement)
    _require_here(statement, params)
    refuse_whole_server(call, statement)
    values = params.params or []
    try:
        if params.explain != "none":
            result = await _explain(call, params, statement, timeout=timeout, bounds=bounds)
        elif params.session_id is not None:
            async with call.transactions.borrow(
                params.session_id,
                level=statement.level,
                database=params.database,
                timeout=timeout,
            ) as lease:
                await require(call, lease, statement, params.confirm)
                result = await _run_on(lease, call, statement, values, bounds)
        elif params.mode == "write":
            result = await _write(call, params, statement, timeout=timeout, bounds=bounds)
        else:
            result = await call.databases.read(
                params.database,
                lambda lease: _run_on(lease, call, statement, values, bounds, login=level),
                timeout=timeout,
                login=level,
                level=level,
            )
    except PgmcpError as error:
        _forget_portal(error)
        database = _database_of(call, params)
        await add_nearest(call, database, error, relations=statement.relations)
        login = call.transactions.mode_of(params.session_id) or level
        await add_gap(call, database, error, login=login, statement=statement)
        raise
    return answer(result, params.format)


async def _run_on(  # noqa: PLR0913, PLR0917 — a statement, and where it runs
    lease: Lease,
    call: Call,
    statement: Statement,
    values: list[Any],  # Any: JSON
    bounds: Bounds,
    login: Login = "read",
) -> Result:
    """Run a statement, unless that would be a read which runs somebody else's code."""
    await call.definers.check(lease, statement, reading=call.databases.read, login=login)
    return await lease.run(statement, values, bounds=bounds)


async def _write(
    call: Call, params: QueryParams, statement: Statement, *, timeout: timedelta, bounds: Bounds
) -> Result:
    """Run a statement that is a transaction by itself; what PostgreSQL refuses leaves nothing."""
    try:
        async with call.databases.write(params.database, timeout=timeout) as lease:
            await require(call, lease, statement, params.confirm)
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
    return call.transactions.database_of(params.session_id) or params.database


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


def _require_access(call: Call, params: QueryParams, statement: Statement) -> Level:
    """
    Return the level that the call needs; refuse it where the caller has less.

    This comes before any advice to use another mode or tool. What nobody may do, and a handle
    that is unknown, is told to everybody alike.
    """
    level, what = statement.level, title_of(statement.kind, statement.node)
    if level == "read" and params.mode == "write":
        level, what = "write", "mode=write"
    elif statement.kind == "ExplainStmt" and not statement.node["query"].keys().isdisjoint(CHANGES):
        level = "write"  # PostgreSQL plans a change only for who may make it
    database = call.transactions.database_of(params.session_id)
    is_known = params.session_id is None or database is not None
    if is_known and statement.tool not in (None, "pg_tx"):
        call.databases.require(level, database or params.database, what)
    return level


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
    analyzes, as_json = params.explain == "analyze", params.format == "json"
    prefix = explaining(statement, analyze=analyzes, json=as_json)
    explained = replace(
        statement,
        sql=prefix + statement.sql,
        kind="ExplainStmt",
        wrap="",
        targets=(),
    )

    async def work(lease: Lease) -> Result:
        login: Login = "read" if lease.is_kept else statement.level
        try:
            return await _run_on(lease, call, explained, params.params or [], bounds, login)
        except QueryFailed as error:
            _point_into(error, statement, len(prefix))
            raise

    if params.session_id is not None:
        async with call.transactions.borrow(
            params.session_id, level="read", database=params.database, timeout=timeout
        ) as lease:
            return await work(lease)
    if params.explain == "plan" or statement.level == "read":
        return await call.databases.read(
            params.database,
            work,
            timeout=timeout,
            login=statement.level,
            level=statement.level,
        )
    return await call.databases.attempt(params.database, work, timeout=timeout)


DDL = " DDL: pg_schema."
READING = """\
Run one SQL statement that reads; nothing is ever changed. Put values in params and write $1, $2 \
in sql. The answer is a header line, tab-separated rows (\\N is NULL) and a last line saying how \
many rows, and whether more exist. session_id (from pg_tx) lets several statements see one \
snapshot. Names unknown? pg_schema first. A string parameter is PostgreSQL's text form of any \
type; a list is an array.
Example: sql="SELECT id, total FROM shop.orders WHERE customer_id = $1 ORDER BY id", params=[42]"""


def offered(level: Level) -> Tool:
    """Return the tool as callers of *level* see it."""
    if level in ("ddl", "admin"):
        return TOOL
    if level == "write":
        return replace(TOOL, description=DESCRIPTION.replace(DDL, ""))
    return replace(
        TOOL,
        description=READING,
        hidden=frozenset({"mode", "confirm"}),
        read_only=True,
        destructive=False,
        idempotent=True,
    )


TOOL = Tool(
    name="pg_query",
    title="Query PostgreSQL",
    description=DESCRIPTION,
    params=QueryParams,
    run=run,
    read_only=False,
    destructive=True,
)
