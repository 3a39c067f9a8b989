"""
Which changes of a column's type leave the rows as they are.

Owns that one judgement; where it is not sure, the rows count as touched.
"""

from __future__ import annotations

import re

from pgmcp.grammar import Node
from pgmcp.tools.schema.lint.finding import Column
from pgmcp.tools.schema.lint.nodes import type_modifiers, type_name

MODIFIERS = re.compile(r"\(([0-9, -]+)\)")
# Binary-coercible pairs of pg_cast that keep the values' order, so that indexes stay, too.
SAME_BYTES = {("varchar", "text"), ("text", "varchar"), ("cidr", "inet")}
SCALED = 2  # numeric(precision, scale)


def keeps_rows(column: Column, wanted: Node, name: str) -> bool:
    """
    Tell whether ALTER COLUMN TYPE to the ColumnDef *wanted* needs no scan and no rewrite.

    Source: PostgreSQL manual, ALTER TABLE, Notes, and ATColumnChangeRequiresRewrite.
    """
    if not _is_the_column(wanted.get("raw_default"), name):
        return False
    new = type_name(wanted)
    new_modifiers, old_modifiers = type_modifiers(wanted), _modifiers(column.type)
    if new != column.typname:
        return (column.typname, new) in SAME_BYTES and not new_modifiers
    if new_modifiers == old_modifiers or not new_modifiers:
        return new != "bpchar" or new_modifiers == old_modifiers
    if not old_modifiers:
        return False
    if new in ("varchar", "varbit", "timestamp", "timestamptz", "time", "timetz"):
        return new_modifiers[0] >= old_modifiers[0]
    if new == "numeric":
        return (
            _scale(new_modifiers) == _scale(old_modifiers) and new_modifiers[0] >= old_modifiers[0]
        )
    return False


def _modifiers(shown: str) -> tuple[int, ...]:
    match = MODIFIERS.search(shown)
    return tuple(int(part) for part in match[1].split(",")) if match else ()


def _scale(modifiers: tuple[int, ...]) -> int:
    return modifiers[1] if len(modifiers) == SCALED else 0


def _is_the_column(expression: Node | None, name: str) -> bool:
    """Tell whether USING is absent or only the column, perhaps cast as the new type is."""
    if expression is None:
        return True
    if "TypeCast" in expression:
        return _is_the_column(expression["TypeCast"].get("arg"), name)
    fields = expression.get("ColumnRef", {}).get("fields", [])
    return [field.get("String", {}).get("sval") for field in fields] == [name]
