"""
The parameters of pg_schema, and which action takes which.

Owns the names on the wire; carries nothing out.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pgmcp.tools.base import Params, Takes

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
CHANGING = tuple(action for action, takes in ACTIONS.items() if takes is CHANGE)

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
