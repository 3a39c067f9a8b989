"""
The parameters of pg_admin, and which action takes which.

Owns the names on the wire; carries nothing out.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pgmcp.errors import CallerError
from pgmcp.tools.admin.names import check_length
from pgmcp.tools.base import Params, Takes, check_action

Action = Literal[
    "databases",
    "create_database",
    "drop_database",
    "roles",
    "create_role",
    "alter_role",
    "drop_role",
    "grant",
    "revoke",
    "extensions",
    "create_extension",
    "drop_extension",
    "vacuum",
    "analyze",
    "reindex",
    "setting",
    "set",
    "reset",
    "reload",
    "cancel",
    "terminate",
    "reset_statistics",
    "backup",
]

# What is always one name; `table` may have its schema before it, and in some actions `name` is a
# pattern or a setting's name.
NAMES = frozenset({"database", "schema_", "owner", "template", "to"})
NAMING = frozenset(
    {
        "create_database",
        "drop_database",
        "create_role",
        "alter_role",
        "drop_role",
        "create_extension",
        "drop_extension",
    }
)
TARGET = ("database", "schema_", "table")
ACTIONS: dict[Action, Takes] = {
    "databases": Takes(may=("name", "max_rows")),
    "create_database": Takes(needs=("name",), may=("owner", "template", "attributes")),
    "drop_database": Takes(needs=("name",), may=("full", "confirm")),
    "roles": Takes(may=("name", "max_rows")),
    "create_role": Takes(needs=("name",), may=("attributes",)),
    "alter_role": Takes(needs=("name",), may=("attributes", "to")),
    "drop_role": Takes(needs=("name",), may=("database", "confirm")),
    "grant": Takes(needs=("on", "to"), may=("privileges", "attributes", "owner", "database")),
    "revoke": Takes(
        needs=("on", "to"),
        may=("privileges", "attributes", "owner", "database", "full", "confirm"),
    ),
    "extensions": Takes(may=("database", "name", "full", "max_rows")),
    "create_extension": Takes(needs=("name",), may=("database", "schema_", "value", "full")),
    "drop_extension": Takes(needs=("name",), may=("database", "full", "confirm")),
    "vacuum": Takes(may=(*TARGET, "full", "attributes")),
    "analyze": Takes(may=TARGET),
    "reindex": Takes(may=(*TARGET, "name", "full")),
    "setting": Takes(needs=("name",), may=("database", "max_rows")),
    "set": Takes(needs=("name", "value"), may=("database", "to")),
    "reset": Takes(needs=("name",), may=("database", "to")),
    "reload": Takes(),
    "cancel": Takes(needs=("pid",), may=("backend_start",)),
    "terminate": Takes(needs=("pid",), may=("backend_start", "confirm")),
    "reset_statistics": Takes(may=(*TARGET, "name")),
    "backup": Takes(may=TARGET),
}


class AdminParams(Params):
    """The parameters of pg_admin, as on the wire."""

    action: Action = Field(description="What to do.")
    database: str | None = Field(None, description="The default one unless said.")
    # BaseModel has a method called schema, hence the underscore here and the alias on the wire.
    schema_: str | None = Field(None, alias="schema", min_length=1, description="A schema.")
    table: str | None = Field(None, min_length=1, description="A table, with or without schema.")
    name: str | None = Field(
        None, min_length=1, description="What it is about; in lists * is anything."
    )
    owner: str | None = Field(
        None, min_length=1, description="Owner of a new database, maker of future objects."
    )
    template: str | None = Field(None, min_length=1, description="Database to copy.")
    attributes: list[str] | None = Field(
        None, description='Options in SQL words, such as "LOGIN", "CONNECTION LIMIT 5".'
    )
    privileges: list[str] | None = Field(None, description='Such as "SELECT", "ALL".')
    on: str | None = Field(
        None, description="table s.t, all tables in schema s, schema s, role r, …"
    )
    to: str | None = Field(None, description="The role that gets, loses or has it; or PUBLIC.")
    value: str | None = Field(None, description="A setting's value, or an extension's version.")
    pid: int | None = Field(None, ge=1, le=2**31 - 1, description="A session's process id.")
    backend_start: str | None = Field(None, description="That session's start, as listed.")
    full: bool | None = Field(
        None, description="VACUUM FULL, plain REINDEX, CASCADE, FORCE; list all."
    )
    max_rows: int | None = Field(None, ge=1, description="Most rows to list.")
    format: Literal["text", "json"] = Field("text", description="Form of the answer.")
    confirm: str | None = Field(None, description="Value that a refusal printed, to go ahead.")


# What all databases share counts as the default one's, also where the action looks at another.
SHARED = frozenset({"create_database", "drop_database", "drop_role"})
BUILT_IN = ("template0", "template1")  # copied where no template is named: part of every server


def places_of(params: AdminParams) -> tuple[str | None, ...]:
    """Return the databases in which *params* need the permission; None is the default one."""
    places = [params.database]
    if params.action in SHARED:
        places.append(None)
    if params.action in ("create_database", "drop_database"):
        places.append(params.name)
        if params.template not in BUILT_IN:
            places.append(params.template)
    return tuple(dict.fromkeys(places))


def names_of(params: AdminParams) -> list[str]:
    """Return what *params* are about, for the journal: names only, no value, no attribute."""
    whole = ".".join(each for each in (params.schema_, params.table) if each)
    given = (whole, params.name, params.on, params.to, params.owner)
    backend = [f"pid {params.pid}"] if params.pid is not None else []
    return [*(each for each in given if each), *backend]


def check(params: AdminParams) -> None:
    """
    Refuse parameters that the action does not take, and text that no name or value can be.

    Raises:
        CallerError: names the parameter.
    """
    takes = ACTIONS[params.action]
    check_action(params, params.action, Takes(needs=takes.needs, may=(*takes.may, "format")))
    for name in params.model_fields_set:
        given = getattr(params, name)
        for text in given if isinstance(given, list) else [given]:
            if isinstance(text, str):
                _check_text(name.removesuffix("_"), text)
                if name in NAMES or (name == "name" and params.action in NAMING):
                    check_length(name.removesuffix("_"), text)


def _check_text(parameter: str, text: str) -> None:
    if "\0" in text:
        raise CallerError(
            f"{parameter} holds a NUL at character {text.index(chr(0)) + 1}, which PostgreSQL's "
            "text cannot. Remove it."
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CallerError(
            f"{parameter} holds a lone surrogate at character {error.start + 1}, which is no "
            "Unicode text. Send well-formed UTF-8."
        ) from error
