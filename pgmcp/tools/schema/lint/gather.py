"""
What the rules need of the catalogue, read before the DDL runs.

Owns which tables and functions are asked for; judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from pgmcp.database import Lease
from pgmcp.database.quote import identifier
from pgmcp.grammar import relation_names
from pgmcp.statement import Statement
from pgmcp.tools.schema.lint.finding import Catalogue, Column, Name, Table
from pgmcp.tools.schema.lint.nodes import added_columns, calls, commands, constraints_of, strings
from pgmcp.tools.schema.page import Facts
from pgmcp.tools.schema.pieces import created_names
from pgmcp.tools.schema.reading import facts_of


async def gather(lease: Lease, pieces: Sequence[Statement]) -> Catalogue:
    """Return what exists of all that *pieces* name; what does not exist is left out."""
    named = {name for piece in pieces for name in _relations(piece)}
    spelled = {".".join(identifier(part) for part in name[-2:]): name for name in named}
    rows = await facts_of(lease, "lint_tables", list(spelled))
    tables: dict[Name, Table] = {}
    for row in rows:
        needed = _needs_users(pieces, spelled[row["asked"]])
        tables[spelled[row["asked"]]] = await _table(lease, row, needed)
    called = {name for piece in pieces for name in _calls(piece)}
    volatile = await facts_of(lease, "lint_functions", sorted(called)) if called else []
    return known_to(
        pieces,
        tables=tables,
        volatile=frozenset(str(row["name"]) for row in volatile),
        server_version=lease.server_version,
    )


def known_to(
    pieces: Sequence[Statement],
    *,
    tables: dict[Name, Table],
    volatile: frozenset[str],
    server_version: int,
) -> Catalogue:
    """Return the catalogue with what *pieces* themselves create and validate."""
    return Catalogue(
        tables=tables,
        created=frozenset(name for piece in pieces for name in _created(piece, tables)),
        validated=frozenset(name for piece in pieces for name in _validated(piece)),
        volatile=volatile,
        server_version=server_version,
    )


def _relations(piece: Statement) -> set[Name]:
    names = set()
    if isinstance(piece.node.get("relation"), dict):
        names.add(relation_names(piece.node["relation"]))
    if piece.kind == "DropStmt" and piece.node.get("removeType") == "OBJECT_TABLE":
        for dropped in piece.node.get("objects", []):
            names.add(tuple(strings(dropped.get("List", {}).get("items", []))))
    return names - {()}


def _created(piece: Statement, tables: dict[Name, Table]) -> set[Name]:
    """IF NOT EXISTS creates nothing where the table is there already."""
    if not piece.node.get("if_not_exists"):
        return created_names(piece)
    return {name for name in created_names(piece) if name not in tables}


def _validated(piece: Statement) -> set[Name]:
    if any(subtype == "AT_ValidateConstraint" for subtype, _ in commands(piece)):
        return {relation_names(piece.node["relation"])}
    return set()


def _calls(piece: Statement) -> set[str]:
    found: set[str] = set()
    for column in added_columns(piece):
        found |= calls(constraints_of(column).get("CONSTR_DEFAULT", {}).get("raw_expr"))
    return found


def _needs_users(pieces: Sequence[Statement], name: Name) -> set[str]:
    """Return the columns whose dependants a rule names; an empty name stands for the table."""
    wanted: set[str] = set()
    for piece in pieces:
        if name not in _relations(piece):
            continue
        if piece.kind == "DropStmt":
            wanted.add("")
        if piece.kind == "RenameStmt":
            wanted.add(piece.node.get("subname", ""))
        for subtype, body in commands(piece):
            if subtype in ("AT_DropColumn", "AT_AlterColumnType"):
                wanted.add(body.get("name", ""))
    return wanted


async def _table(lease: Lease, row: Facts, needed: set[str]) -> Table:
    columns = {}
    for entry in row.get("columns", []):
        name = entry["name"]
        users = await _users(lease, row["oid"], entry["number"]) if name in needed else ()
        columns[name] = Column(
            type=entry["type"],
            typname=entry["typname"],
            not_null=entry["not_null"],
            proven=entry["proven"],
            users=users,
        )
    return Table(
        shown=row["shown"],
        kind=row["kind"],
        bytes=row.get("bytes"),
        rows=row.get("rows"),
        columns=columns,
        users=await _users(lease, row["oid"], 0) if "" in needed else (),
    )


async def _users(lease: Lease, oid: str, column: int) -> tuple[str, ...]:
    found = await facts_of(lease, "dependants", "pg_class", oid, column)
    users = [f"{user['kind']} {user['name']}" for user in found]
    if column == 0:
        references = await facts_of(lease, "referenced_by", oid)
        users += [f"foreign key {key['name']} of {key['table']}" for key in references]
    return tuple(users)
