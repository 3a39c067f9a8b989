"""
What PostgreSQL's "permission denied" means where each level has a login role of its own.

Owns the sentence that names the gap and what closes it; grants nothing and never fails itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pgmcp.errors import PgmcpError, QueryFailed
from pgmcp.logins import ROLE_OF, Login
from pgmcp.sql import load
from pgmcp.statement import Statement
from pgmcp.tools.base import Call

INSUFFICIENT_PRIVILEGE = "42501"
DENIED = re.compile(r"permission denied for (?P<kind>[a-z -]+?) (?P<name>\S.*)")
OWNED = re.compile(r"must be owner of (?P<kind>[a-z -]+?) (?P<name>\S.*)")
RELATIONS = ("table", "view", "sequence", "materialized view", "foreign table", "relation")
# The kind of statement → the columns of lacking.sql that it needs, and the privilege's name.
READS = {"reads": "SELECT"}
NEEDED: Mapping[str, Mapping[str, str]] = {
    "InsertStmt": {"inserts": "INSERT"} | READS,
    "UpdateStmt": {"updates": "UPDATE"} | READS,
    "DeleteStmt": {"deletes": "DELETE"} | READS,
    "TruncateStmt": {"truncates": "TRUNCATE"},
    "MergeStmt": {"inserts": "INSERT", "updates": "UPDATE", "deletes": "DELETE"} | READS,
}
WRITES = {"inserts": "INSERT", "updates": "UPDATE", "deletes": "DELETE"} | READS
GRANTED = {  # what a level needs of objects that are no relations
    "schema": "USAGE",
    "function": "EXECUTE",
    "procedure": "EXECUTE",
    "type": "USAGE",
    "language": "USAGE",
    "foreign server": "USAGE",
}
Row = Mapping[str, str | None]


async def add_gap(
    call: Call, database: str | None, error: PgmcpError, *, login: Login, statement: Statement
) -> None:
    """
    Replace the hint of a lack of privilege by one that names the gap and who closes it.

    *login* is whose connection the statement ran on. With one login for every level nothing is
    added: that one is the operator's own choice.
    """
    if not isinstance(error, QueryFailed) or error.report.sqlstate != INSUFFICIENT_PRIVILEGE:
        return
    if not call.settings.server.logins.are_roles:
        return
    role, message = ROLE_OF[login], error.report.message
    if (owned := OWNED.fullmatch(message)) is not None:
        error.hint = (
            f"{role} does not own {owned['kind']} {owned['name']}; the operator closes the gap "
            "with: pgmcp provision, which makes it a member of the owner. What a superuser owns "
            f"needs ALTER {owned['kind'].upper()} {owned['name']} OWNER TO the database's owner."
        )
    elif (denied := DENIED.fullmatch(message)) is not None:
        kind, name = denied["kind"], denied["name"]
        rows = await _look(call, database, login, name) if kind in RELATIONS else []
        error.hint = _of_relation(role, rows, statement) if rows else _of_other(login, kind, name)


async def _look(call: Call, database: str | None, login: Login, name: str) -> Sequence[Row]:
    try:
        return await call.databases.read(
            database,
            lambda lease: lease.rows(load("query", "lacking", lease.server_version), name),
            login=login,
        )
    except PgmcpError:
        return []  # the caller has one error already


def _of_relation(role: str, rows: Sequence[Row], statement: Statement) -> str:
    """Name the first relation that lacks something, those that the statement spells first."""
    spelled = {schema for schema, _ in statement.tables if schema is not None}
    rows = sorted(rows, key=lambda row: row["schema"] not in spelled)
    wanted = NEEDED.get(statement.kind, WRITES if statement.level == "write" else READS)
    for row in rows:
        missing = [word for column, word in wanted.items() if row[column] != "t"]
        if row["is_sequence"] == "t" and row["reads"] != "t":
            return _gap(role, "USAGE", f"SEQUENCE {row['name']}")
        if row["is_sequence"] != "t" and missing:
            return _gap(role, ", ".join(missing), str(row["name"]))
    return (
        f"{role} itself has the privilege; the owner of a view or function that the statement uses "
        f"lacks it. The operator grants it to that owner."
    )


def _of_other(login: Login, kind: str, name: str) -> str:
    role, privilege = ROLE_OF[login], GRANTED.get(kind)
    if kind == "schema" and login in ("ddl", "admin"):
        privilege = "USAGE, CREATE"
    if privilege is None:
        return (
            f"{role} may not use {kind} {name}; the operator may close the gap with: pgmcp "
            "provision."
        )
    return _gap(role, privilege, f"{kind.upper()} {name}")


def _gap(role: str, privilege: str, on: str) -> str:
    may = f"{role} may not {privilege} {'on' if ' ' in on else 'from'} {on}"
    if privilege != "SELECT":
        may = f"{role} lacks {privilege} on {on}"
    return (
        f"{may}; the operator closes the gap with: pgmcp provision (or GRANT {privilege} ON {on} "
        f"TO {role})."
    )
