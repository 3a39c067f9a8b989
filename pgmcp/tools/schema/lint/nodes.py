"""
How the rules read libpg_query's tree: columns, constraints, types and calls.

Owns the reading of nodes; judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pgmcp.grammar import Node
from pgmcp.statement import Statement

SERIALS = {
    "serial": "int4",
    "serial4": "int4",
    "smallserial": "int2",
    "serial2": "int2",
    "bigserial": "int8",
    "serial8": "int8",
}


def commands(piece: Statement) -> Iterator[tuple[str, Node]]:
    """Yield the subtype and body of each command of an ALTER TABLE."""
    if piece.kind == "AlterTableStmt" and piece.node.get("objtype") == "OBJECT_TABLE":
        for command in piece.node.get("cmds", []):
            body = command["AlterTableCmd"]
            yield body.get("subtype", ""), body


def added_columns(piece: Statement) -> Iterator[Node]:
    """Yield the ColumnDef of each ADD COLUMN."""
    for subtype, body in commands(piece):
        if subtype == "AT_AddColumn":
            yield body["def"]["ColumnDef"]


def added_constraints(piece: Statement) -> Iterator[Node]:
    """Yield each constraint that an ALTER TABLE adds to the table as a whole."""
    for subtype, body in commands(piece):
        if subtype == "AT_AddConstraint":
            yield body["def"]["Constraint"]


def constraints_of(column: Node) -> dict[str, Node]:
    """Return a ColumnDef's constraints by kind, such as CONSTR_NOTNULL."""
    return {
        entry["Constraint"]["contype"]: entry["Constraint"]
        for entry in column.get("constraints", [])
    }


def type_name(column: Node) -> str:
    """Return a ColumnDef's type as pg_type spells it: int4, _text for an array."""
    node = column.get("typeName", {})
    names = node.get("names", [])
    name = str(names[-1]["String"].get("sval", "")) if names else ""
    return ("_" if node.get("arrayBounds") else "") + name


def type_modifiers(column: Node) -> tuple[int, ...]:
    """Return the numbers in parentheses after a type; a zero has no key in the tree."""
    found = []
    for entry in column.get("typeName", {}).get("typmods", []):
        constant = entry.get("A_Const", {})
        if "ival" in constant:
            found.append(int(constant["ival"].get("ival", 0)))
    return tuple(found)


def is_serial(column: Node) -> bool:
    """Tell whether a column counts by itself, which makes a value for each row."""
    return type_name(column) in SERIALS


def strings(nodes: list[Node]) -> list[str]:
    """Return the texts of String nodes, such as a constraint's keys."""
    return [str(node["String"].get("sval", "")) for node in nodes if "String" in node]


def calls(expression: object) -> set[str]:
    """Return the names of all functions that an expression calls."""
    found: set[str] = set()
    todo: list[Any] = [expression]  # Any: nodes, lists and scalars of the JSON
    while todo:
        current = todo.pop()
        if isinstance(current, list):
            todo.extend(current)
        elif isinstance(current, dict):
            for key, value in current.items():
                if key == "FuncCall":
                    found.update(strings(value.get("funcname", []))[-1:])
                todo.append(value)
    return found


def is_null(expression: Node | None) -> bool:
    """Tell whether a default is none at all."""
    return expression is None or bool(expression.get("A_Const", {}).get("isnull"))
