"""
pg_schema: what a database holds, and changing it.

Owns the tool's parameters and the choice of the action; each action has its own module.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pgmcp.errors import CallerError
from pgmcp.tools.base import Answer, Call, Params, Takes, Tool, check_action
from pgmcp.tools.schema.ddl import change
from pgmcp.tools.schema.describe import describe
from pgmcp.tools.schema.listing import list_objects, search

DESCRIPTION = """\
See and change what a database holds. list: tables and views, one row each (kind and schema show \
more; system schemas only when named). describe: all one needs to write SQL for an object. search: \
names and comments by pattern (* or % is anything). create, alter and drop run the DDL in sql, one \
or more statements in one transaction; dry_run runs them, rolls back and reports locks, rewrites, \
what CASCADE takes along and lint findings. drop, DROP COLUMN and CASCADE need confirm. DDL waits \
3 s for a lock at most; CONCURRENTLY stands alone. session_id: a pg_tx with mode="ddl".
Example: action="describe", name="shop.orders\""""

READING = ("database", "session_id", "format")
CHANGE = Takes(needs=("sql",), may=("database", "dry_run", "session_id", "format", "confirm"))
ACTIONS = {
    "list": Takes(may=("schema_", "kind", "pattern", "max_rows", *READING)),
    "describe": Takes(needs=("name",), may=("schema_", "kind", *READING)),
    "search": Takes(needs=("pattern",), may=("schema_", "kind", "max_rows", *READING)),
    "create": CHANGE,
    "alter": CHANGE,
    "drop": CHANGE,
}

Kind = Literal[
    "table",
    "view",
    "materialized view",
    "partitioned table",
    "partition",
    "foreign table",
    "column",
    "index",
    "sequence",
    "function",
    "procedure",
    "aggregate",
    "type",
    "domain",
    "constraint",
    "trigger",
    "policy",
    "schema",
    "extension",
]


class SchemaParams(Params):
    """The parameters of pg_schema, as on the wire."""

    action: Literal["list", "describe", "search", "create", "alter", "drop"] = Field(
        description="What to do."
    )
    database: str | None = Field(None, description="The default one unless said.")
    # BaseModel has a method called schema, hence the underscore here and the alias on the wire.
    schema_: str | None = Field(None, alias="schema", min_length=1, description="Only this schema.")
    name: str | None = Field(
        None, min_length=1, description="What to describe: table, schema.table, function(types)."
    )
    kind: Kind | None = Field(None, description="Only objects of this kind.")
    pattern: str | None = Field(None, min_length=1, description="Part of a name; * is anything.")
    sql: str | None = Field(None, min_length=1, description="The DDL, one or more statements.")
    dry_run: bool | None = Field(None, description="Run the DDL, report, roll back.")
    session_id: str | None = Field(None, description="Transaction from pg_tx action=begin.")
    max_rows: int | None = Field(None, ge=1, description="Most rows to list.")
    format: Literal["text", "json"] = Field("text", description="Form of the answer.")
    confirm: str | None = Field(None, description="Names to confirm, as a refusal printed them.")


async def run(call: Call, params: SchemaParams) -> Answer:
    """Carry out one action."""
    try:
        check_action(params, params.action, ACTIONS[params.action])
    except CallerError as error:
        raise CallerError(error.message.replace("schema_", "schema")) from error
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
