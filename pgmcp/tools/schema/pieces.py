"""
The pieces of a call's DDL: what each is called, and which action it belongs to.

Owns the check before anything runs; runs nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pgmcp import titles
from pgmcp.errors import CallerError
from pgmcp.grammar import Node, relation_names
from pgmcp.kinds import LEVELS, Level
from pgmcp.statement import Statement

Action = Literal["create", "alter", "drop"]
ACTIONS: dict[str, Action] = {  # where the node's name does not tell
    "DropUserMappingStmt": "drop",
    "ImportForeignSchemaStmt": "create",
    "SelectStmt": "create",  # SELECT INTO; the gate sends no other here
}
CREATED = {  # where the node of a CREATE has the new object's name
    "CreateStmt": "relation",
    "ViewStmt": "view",
    "CompositeTypeStmt": "typevar",
    "CreateSeqStmt": "sequence",
    "CreateEnumStmt": "typeName",
    "CreateDomainStmt": "domainname",
    "CreateFunctionStmt": "funcname",
}
SHOWN = 80  # characters of a piece that an error or a list shows


def check_pieces(pieces: Sequence[Statement], action: Action) -> None:
    """
    Refuse *pieces* unless pg_schema may run them under *action*.

    Raises:
        CallerError: none, or one that belongs to another tool or action, which it names.
    """
    if not pieces:
        raise CallerError("sql holds no statement. Send the DDL, such as CREATE TABLE …")
    created: set[tuple[str, ...]] = set()
    for number, piece in enumerate(pieces, start=1):
        where = f" (statement {number} of {len(pieces)})" if len(pieces) > 1 else ""
        if piece.tool != "pg_schema":
            instead = piece.refusal or f"Use {piece.tool}."
            raise CallerError(f"{title_of(piece)}{where} is not DDL for pg_schema. {instead}")
        belongs = action_of(piece)
        if belongs == "create":
            created |= created_names(piece)
        if belongs == action or (action == "create" and names_in(piece) & created):
            continue
        together = (
            " To do both in one transaction: pg_tx action=begin mode=ddl, then one call each."
            if len(pieces) > 1
            else ""
        )
        raise CallerError(
            f"{title_of(piece)}{where} belongs to action={belongs}, not action={action}. "
            f"Repeat the call with action={belongs}.{together}"
        )


def level_of(pieces: Sequence[Statement]) -> Level:
    """Return the level that runs all of *pieces*."""
    return max((piece.level for piece in pieces), key=LEVELS.index)


def action_of(piece: Statement) -> Action:
    """Return the action that runs a statement of this kind."""
    if piece.kind in ACTIONS:
        return ACTIONS[piece.kind]
    found = titles.action_of(piece.kind)
    return "drop" if found == "drop" else "create" if found == "create" else "alter"


def title_of(piece: Statement) -> str:
    """Return what a statement is, as SQL spells it, such as CREATE INDEX."""
    return titles.title_of(piece.kind, piece.node)


def created_names(piece: Statement) -> set[tuple[str, ...]]:
    """Return the objects that a statement creates, as it spells their names."""
    node = piece.node
    if piece.kind == "CreateSchemaStmt":
        return {(node.get("schemaname", ""),)}
    if piece.kind == "IndexStmt":
        # An index is made in its table's schema, but spelled without one.
        schema, name = relation_names(node.get("relation", {}))[:-1], node.get("idxname", "")
        return {(name,), (*schema, name)}
    if piece.kind in ("CreateTableAsStmt", "SelectStmt"):
        into = node.get("into") or node.get("intoClause") or {}
        return {relation_names(into.get("rel", {}))}
    key = CREATED.get(piece.kind)
    if key is None:
        return set()
    found = node.get(key)
    return {relation_names(found) if isinstance(found, dict) else _strings(found or [])}


def names_in(piece: Statement) -> set[tuple[str, ...]]:
    """Return the object that an ALTER or COMMENT is about, and for a column its table."""
    node = piece.node
    names: set[tuple[str, ...]] = set()
    for key in ("relation", "sequence"):
        if isinstance(node.get(key), dict):
            names.add(relation_names(node[key]))
    spelled = _spelled(node.get("object"))
    names |= {spelled, spelled[:-1]}
    for key in ("typeName", "typename"):
        if isinstance(node.get(key), list):
            names.add(_strings(node[key]))
    return names - {()}


def _spelled(node: Node | None) -> tuple[str, ...]:
    """Return the names that an object's node spells, whichever form it has."""
    if not node:
        return ()
    kind, body = next(iter(node.items()))
    if kind == "String":
        return (body.get("sval", ""),)
    key = {"List": "items", "ObjectWithArgs": "objname", "TypeName": "names"}.get(kind)
    return _strings(body.get(key, [])) if key else ()


def _strings(nodes: list[Node]) -> tuple[str, ...]:
    names: list[str] = []
    for node in nodes:
        names += _spelled(node)
    return tuple(names)


def spelled_names(pieces: Sequence[Statement]) -> list[str]:
    """Return the names of what *pieces* make, for the journal."""
    return sorted(".".join(name) for piece in pieces for name in created_names(piece))
