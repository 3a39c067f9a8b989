"""
pg_schema: what a database holds, and changing it.

Owns the description and the choice of the action; each action has its own module.
"""

from __future__ import annotations

from dataclasses import replace

from pgmcp.errors import CallerError
from pgmcp.kinds import Level
from pgmcp.tools.base import Answer, Call, Tool, check_action
from pgmcp.tools.schema.ddl import change
from pgmcp.tools.schema.describe import describe
from pgmcp.tools.schema.listing import list_objects, search
from pgmcp.tools.schema.params import ACTIONS, CHANGING, SchemaParams

DESCRIPTION = """\
See and change what a database holds. list: tables and views, one row each (kind and schema show \
more; system schemas only when named). describe: all one needs to write SQL for an object. search: \
names and comments by pattern (* or % is anything). create, alter and drop run the DDL in sql, one \
or more statements in one transaction; dry_run runs them, rolls back and reports locks, rewrites, \
what CASCADE takes along and lint findings. drop, DROP COLUMN and CASCADE need confirm. DDL waits \
3 s for a lock at most; CONCURRENTLY stands alone. session_id: a pg_tx with mode="ddl".
Example: action="describe", name="shop.orders\""""


READING = """\
See what a database holds. list: tables and views, one row each (kind and schema show more; \
system schemas only when named). describe: all one needs to write SQL for an object: columns, \
keys, indexes, comments, definitions. search: names and comments by pattern (* or % is anything). \
session_id reads inside a transaction of pg_tx.
Example: action="describe", name="shop.orders\""""


async def run(call: Call, params: SchemaParams) -> Answer:
    """Carry out one action."""
    if params.action in CHANGING:
        require_ddl(call, params)
    check_action(params, params.action, ACTIONS[params.action])
    for field, value in (("name", params.name), ("schema", params.schema_)):
        if value is not None and "\0" in value:
            raise CallerError(f"{field}: {value!r} holds a NUL, which no name can. Remove it.")
    if params.action == "list":
        return await list_objects(call, params)
    if params.action == "search":
        return await search(call, params)
    if params.action == "describe":
        return await describe(call, params)
    try:
        return await change(call, params, params.action)
    finally:
        call.definers.forget()


def require_ddl(call: Call, params: SchemaParams) -> None:
    """Refuse who may not change a schema there; a handle that is unknown is told elsewhere."""
    database = call.transactions.database_of(params.session_id)
    if params.session_id is None or database is not None:
        what = f"pg_schema action={params.action}"
        call.databases.require("ddl", database or params.database, what)


def offered(level: Level) -> Tool:
    """Return the tool as callers of *level* see it."""
    if level in ("ddl", "admin"):
        return TOOL
    return replace(
        TOOL,
        description=READING,
        hidden=frozenset({"sql", "dry_run", "confirm"}),
        choices={"action": tuple(action for action in ACTIONS if action not in CHANGING)},
        read_only=True,
        destructive=False,
        idempotent=True,
    )


TOOL = Tool(
    name="pg_schema",
    title="Schema",
    description=DESCRIPTION,
    params=SchemaParams,
    run=run,
    read_only=False,
    destructive=True,
)
