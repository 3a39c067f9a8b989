"""
pg_schema: what a database holds, and changing it.

Owns the description and the choice of the action; each action has its own module.
"""

from __future__ import annotations

from pgmcp.errors import CallerError
from pgmcp.tools.base import Answer, Call, Tool, check_action
from pgmcp.tools.schema.ddl import change
from pgmcp.tools.schema.describe import describe
from pgmcp.tools.schema.listing import list_objects, search
from pgmcp.tools.schema.params import ACTIONS, SchemaParams

DESCRIPTION = """\
See and change what a database holds. list: tables and views, one row each (kind and schema show \
more; system schemas only when named). describe: all one needs to write SQL for an object. search: \
names and comments by pattern (* or % is anything). create, alter and drop run the DDL in sql, one \
or more statements in one transaction; dry_run runs them, rolls back and reports locks, rewrites, \
what CASCADE takes along and lint findings. drop, DROP COLUMN and CASCADE need confirm. DDL waits \
3 s for a lock at most; CONCURRENTLY stands alone. session_id: a pg_tx with mode="ddl".
Example: action="describe", name="shop.orders\""""


async def run(call: Call, params: SchemaParams) -> Answer:
    """Carry out one action."""
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
    return await change(call, params, params.action)


TOOL = Tool(
    name="pg_schema",
    title="Schema",
    description=DESCRIPTION,
    params=SchemaParams,
    run=run,
    read_only=False,
    destructive=True,
)
