"""
What a statement would change beyond recall, read from libpg_query's JSON.

Owns Target, and the small readers of nodes that others share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pgmcp.titles import title_of

Node = dict[str, Any]  # Any: a node of libpg_query's JSON tree

CHANGES = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")
MERGED = {"CMD_DELETE": "DELETE", "CMD_UPDATE": "UPDATE"}
Along = Literal["", "truncated", "deleted", "dropped"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """
    Name one object that a destructive statement would change beyond recall.

    *verb* is what happens to it ("DELETE without WHERE"); *catalog* says how PostgreSQL
    resolves *names*: relation, function, type, schema, part (the last name belongs to the
    relation before it) or other. *arguments* are a function's, None where it gives none.
    *along* says how more than what is named would go; *only* leaves partitions and heirs alone.
    """

    verb: str
    catalog: str
    names: tuple[str, ...]
    arguments: tuple[str, ...] | None = None
    missing_ok: bool = False
    along: Along = ""
    only: bool = False


Targets = list[tuple[int, Target]]  # each with its place in the text


def add_targets(targets: Targets, kind: str, value: Node) -> None:
    """Add to *targets* what a statement of *kind* destroys, each with its place in the text."""
    if (visitor := VISITORS.get(kind)) is not None:
        visitor(targets, value)


def _visit_change(targets: Targets, verb: str, value: Node) -> None:
    where, relation = value.get("whereClause"), value.get("relation", {})
    if where is not None and _aims(where, relation):
        return
    what = "without WHERE" if where is None else "with a WHERE that names no column"
    along: Along = "deleted" if verb == "DELETE" else ""
    _add_relation(targets, f"{verb} {what}", relation, along=along)


def _visit_merge(targets: Targets, value: Node) -> None:
    """Take a MERGE that changes whatever it matches, ON true, for a change without WHERE."""
    relation = value.get("relation", {})
    if _aims(value.get("joinCondition", {}), relation):
        return
    for item in value.get("mergeWhenClauses", []):
        clause = item["MergeWhenClause"]
        verb = MERGED.get(clause.get("commandType", ""))
        if verb is not None and not _aims(clause.get("condition", {}), relation):
            along: Along = "deleted" if verb == "DELETE" else ""
            what = f"{verb} by a MERGE that names no column"
            _add_relation(targets, what, relation, along=along)
            return


def _aims(where: Node, relation: Node) -> bool:
    """
    Tell whether a condition can tell rows of *relation* apart: `true`, 1 = 1 and $1 cannot.

    Inside a sub-select, what is qualified as another table's column cannot either.
    """
    own = {relation.get("relname"), relation.get("alias", {}).get("aliasname")}
    todo: list[tuple[Any, bool]] = [(where, False)]  # Any: nodes, lists and scalars of the JSON
    while todo:
        current, is_inside = todo.pop()
        if isinstance(current, dict):
            if "CurrentOfExpr" in current:
                return True
            if (column := current.get("ColumnRef")) is not None:
                fields = column.get("fields", [])
                first = fields[0].get("String", {}).get("sval") if fields else None
                if not is_inside or len(fields) == 1 or first in own:
                    return True
            todo += [(value, is_inside or key == "subselect") for key, value in current.items()]
        elif isinstance(current, list):
            todo += [(item, is_inside) for item in current]
    return False


def _visit_truncate(targets: Targets, value: Node) -> None:
    cascades = value.get("behavior") == "DROP_CASCADE"
    along: Along = "truncated" if cascades else ""
    for relation in value.get("relations", []):
        verb = "TRUNCATE CASCADE" if cascades else "TRUNCATE"
        _add_relation(targets, verb, relation["RangeVar"], along=along)


def _visit_drop(targets: Targets, value: Node) -> None:
    for place, found in enumerate(value.get("objects", [])):
        targets.append((place, _dropped(value, found)))


def _add_relation(targets: Targets, verb: str, relation: Node, *, along: Along) -> None:
    names = relation_names(relation)
    only = not relation.get("inh")
    target = Target(verb=verb, catalog="relation", names=names, along=along, only=only)
    targets.append((relation.get("location", 0), target))


def relation_names(relation: Node) -> tuple[str, ...]:
    """Return a RangeVar's names, outermost first."""
    keys = ("catalogname", "schemaname", "relname")
    return tuple(relation[key] for key in keys if relation.get(key))


def _visit_alter_table(targets: Targets, value: Node) -> None:
    relation = value.get("relation", {})
    names = relation_names(relation)
    for command in value.get("cmds", []):
        body = command["AlterTableCmd"]
        cascades = body.get("behavior") == "DROP_CASCADE"
        if body.get("subtype") == "AT_DropColumn":
            target = Target(
                verb=f"DROP COLUMN{' CASCADE' if cascades else ''}",
                catalog="part",
                names=(*names, body.get("name", "")),
                along="dropped" if cascades else "",
            )
        elif cascades:
            target = Target(verb="ALTER TABLE … CASCADE", catalog="relation", names=names)
        else:
            continue
        targets.append((relation.get("location", 0), target))


RELATIONS = {"TABLE", "VIEW", "INDEX", "SEQUENCE", "MATVIEW", "FOREIGN_TABLE"}
FUNCTIONS = {"FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE"}
PARTS = {"TRIGGER", "POLICY", "RULE"}


def _dropped(statement: Node, found: Node) -> Target:
    kind = str(statement.get("removeType", "")).removeprefix("OBJECT_")
    catalog, arguments = "other", None
    names = _names(found)
    if kind in RELATIONS:
        catalog = "relation"
    elif kind in FUNCTIONS:
        catalog = "function"
        arguments = _arguments(found["ObjectWithArgs"])
    elif kind in ("TYPE", "DOMAIN"):
        catalog = "type"
    elif kind == "SCHEMA":
        catalog = "schema"
    elif kind in PARTS:
        catalog = "part"
    cascade = " CASCADE" if statement.get("behavior") == "DROP_CASCADE" else ""
    return Target(
        verb=f"{title_of('DropStmt', statement)}{cascade}",
        catalog=catalog,
        names=names,
        arguments=arguments,
        missing_ok=bool(statement.get("missing_ok")),
        along="dropped" if cascade else "",
    )


def _names(found: Node) -> tuple[str, ...]:
    kind, body = next(iter(found.items()))
    if kind == "String":
        return (body.get("sval", ""),)
    key = {"List": "items", "ObjectWithArgs": "objname", "TypeName": "names"}.get(kind, "items")
    names: list[str] = []
    for item in body.get(key, []):
        names += _names(item) if "TypeName" in item else (item["String"].get("sval", ""),)
    return tuple(names)


def _arguments(function: Node) -> tuple[str, ...] | None:
    if function.get("args_unspecified"):
        return None
    return tuple(type_name(item["TypeName"]) for item in function.get("objargs", []))


def type_name(node: Node) -> str:
    """Return a TypeName as text that PostgreSQL's regtype input understands."""
    quoted = ('"' + name.replace('"', '""') + '"' for name in _names({"TypeName": node}))
    return ".".join(quoted) + "[]" * len(node.get("arrayBounds", []))


VISITORS: dict[str, Callable[[Targets, Node], None]] = {
    "UpdateStmt": lambda targets, value: _visit_change(targets, "UPDATE", value),
    "DeleteStmt": lambda targets, value: _visit_change(targets, "DELETE", value),
    "MergeStmt": _visit_merge,
    "TruncateStmt": _visit_truncate,
    "DropStmt": _visit_drop,
    "AlterTableStmt": _visit_alter_table,
}
