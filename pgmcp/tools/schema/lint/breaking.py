"""
The rules about what clients lose and what a table cannot grow out of.

Owns the last two of the eight findings; they hold whether or not the table has rows.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgmcp.grammar import Node
from pgmcp.statement import Statement
from pgmcp.tools.schema.lint.finding import Catalogue, Finding, Table
from pgmcp.tools.schema.lint.nodes import (
    SERIALS,
    added_columns,
    added_constraints,
    commands,
    constraints_of,
    strings,
    type_name,
)

ENDS = {"int2": 32_767, "int4": 2_147_483_647}
LISTED = 8  # dependants that a finding names


def removed_or_renamed(piece: Statement, known: Catalogue) -> Iterator[Finding]:
    """Find DROP TABLE, DROP COLUMN and RENAME of what somebody uses, or may use."""
    if piece.kind == "DropStmt" and piece.node.get("removeType") == "OBJECT_TABLE":
        for dropped in piece.node.get("objects", []):
            name = tuple(strings(dropped.get("List", {}).get("items", [])))
            table = None if name in known.created else known.tables.get(name)
            if table is not None:
                yield _dropped_table(table)
        return
    table = known.table(piece.node.get("relation", {}))
    if table is None:
        return
    for subtype, body in commands(piece):
        column = table.columns.get(body.get("name", ""))
        if subtype == "AT_DropColumn" and column is not None:
            yield Finding(
                rule="ban-drop-column",
                object=f"{table.shown}.{body['name']}",
                why=f"its values are gone, and clients that name it fail.{_users(column.users)}",
                instead="stop all clients from using it first; drop it a release later.",
            )
    if piece.kind == "RenameStmt":
        yield from _renamed(piece.node, table)


def _dropped_table(table: Table) -> Finding:
    return Finding(
        rule="ban-drop-table",
        object=table.shown,
        why=f"its rows are gone, and clients that name it fail. {table.size()}."
        f"{_users(table.users)}",
        instead="rename it first and wait; keep a dump (pg_admin action=backup).",
    )


def _renamed(node: Node, table: Table) -> Iterator[Finding]:
    if node.get("renameType") == "OBJECT_COLUMN" and node.get("relationType") == "OBJECT_TABLE":
        column = table.columns.get(node.get("subname", ""))
        if column is not None:
            yield Finding(
                rule="renaming-column",
                object=f"{table.shown}.{node['subname']}",
                why="clients and function bodies that use the old name fail at once; views follow "
                f"by themselves.{_users(column.users)}",
                instead="add the new column, keep both filled, move the clients, drop the old one.",
            )
    elif node.get("renameType") == "OBJECT_TABLE":
        yield Finding(
            rule="renaming-table",
            object=table.shown,
            why="clients and function bodies that use the old name fail at once; views follow by "
            f"themselves.{_users(table.users)}",
            instead="rename it and create a view of the old name in the same transaction.",
        )


def _users(users: tuple[str, ...]) -> str:
    if not users:
        return ""
    more = f" and {len(users) - LISTED} more" if len(users) > LISTED else ""
    return f" PostgreSQL knows of {', '.join(users[:LISTED])}{more}."


def small_key(piece: Statement, known: Catalogue) -> Iterator[Finding]:
    """
    Find a primary key that ends at two thousand million.

    A key that is also a foreign key has the type of what it refers to, and one of several
    columns seldom counts: both are left alone.
    """
    if piece.kind == "CreateStmt":
        relation = ".".join(
            piece.node["relation"][key]
            for key in ("schemaname", "relname")
            if key in piece.node["relation"]
        )
        elements = piece.node.get("tableElts", [])
        columns = [element["ColumnDef"] for element in elements if "ColumnDef" in element]
        tables = [element["Constraint"] for element in elements if "Constraint" in element]
    else:
        table = known.table(piece.node.get("relation", {}))
        relation = table.shown if table else ""
        columns, tables = list(added_columns(piece)), list(added_constraints(piece))
        columns += _existing(table, tables)
    keys = [strings(entry.get("keys", [])) for entry in tables if _is(entry, "CONSTR_PRIMARY")]
    references = [strings(entry.get("fk_attrs", [])) for entry in tables]
    for column in columns:
        given, name = constraints_of(column), column["colname"]
        bare = SERIALS.get(type_name(column), type_name(column))
        is_key = "CONSTR_PRIMARY" in given or [name] in keys
        refers = "CONSTR_FOREIGN" in given or [name] in references
        if is_key and bare in ENDS and not refers:
            yield Finding(
                rule="prefer-bigint-over-int",
                object=f"{relation}.{name}".strip("."),
                why=f"the key ends at {ENDS[bare]}, and inserts that fail count too; changing it "
                "later rewrites this table and all that refer to it.",
                instead=f"{name} bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY.",
            )


def _existing(table: Table | None, constraints: list[Node]) -> list[Node]:
    """Return ColumnDefs of the table's columns that a new PRIMARY KEY names."""
    if table is None:
        return []
    named = {
        key
        for entry in constraints
        if _is(entry, "CONSTR_PRIMARY")
        for key in strings(entry.get("keys", []))
    }
    return [
        {
            "colname": name,
            "typeName": {"names": [{"String": {"sval": column.typname}}]},
        }
        for name, column in table.columns.items()
        if name in named
    ]


def _is(constraint: Node, kind: str) -> bool:
    return constraint.get("contype") == kind
