"""
What a parse tree contains, read from libpg_query's JSON.

Owns Tree and Target; one walk over every node, so that nothing hides in a corner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Node = dict[str, Any]  # Any: a node of libpg_query's JSON tree

CHANGES = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")
COUNTERS = ("nextval", "setval")  # functions that write, though they look like reading
AIMS = ("ColumnRef", "CurrentOfExpr")  # what chooses rows in a WHERE
Along = Literal["", "truncated", "deleted", "dropped"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """
    Name one object that a destructive statement would change beyond recall.

    *verb* is what happens to it ("DELETE without WHERE"); *catalog* says how PostgreSQL
    resolves *names*: relation, function, type, schema, part (the last name belongs to the
    relation before it) or other. *arguments* are a function's, None where it gives none.
    *along* says how more than what is named would go.
    """

    verb: str
    catalog: str
    names: tuple[str, ...]
    arguments: tuple[str, ...] | None = None
    missing_ok: bool = False
    along: Along = ""


@dataclass(kw_only=True, slots=True)
class Tree:
    """Collect what one walk over a statement finds."""

    changes: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    targets: list[tuple[int, Target]] = field(default_factory=list)
    relations: set[str] = field(default_factory=set)
    locks: bool = False
    star: bool = False
    into: bool = False
    analyze: bool = False
    explained: str = ""
    concurrently: bool = False
    cascade: bool = False


def walk(node: Node) -> Tree:
    """Visit every node below *node*, without recursion."""
    tree = Tree()
    todo: list[Any] = [node]  # Any: nodes, lists and scalars of the JSON
    while todo:
        current = todo.pop()
        if isinstance(current, list):
            todo.extend(current)
            continue
        for key, value in current.items():
            if isinstance(value, dict):
                _visit(tree, key, value)
                todo.append(value)
            elif isinstance(value, list):
                todo.append(value)
                if key == "lockingClause":
                    tree.locks = True
            elif key == "relname":
                tree.relations.add(value)
            elif value == "DROP_CASCADE":
                tree.cascade = True
            elif (key == "concurrent" and value) or value == "concurrently":
                tree.concurrently = True
    tree.targets.sort(key=lambda found: found[0])
    return tree


def _visit(tree: Tree, key: str, value: Node) -> None:
    if key in CHANGES:
        tree.changes.append(key)
    if (visitor := VISITORS.get(key)) is not None:
        visitor(tree, value)
    elif key == "intoClause":
        tree.into = True
    elif key == "A_Star":
        tree.star = True


def _visit_change(tree: Tree, verb: str, value: Node) -> None:
    where = value.get("whereClause")
    if where is not None and _aims(where):
        return
    what = "without WHERE" if where is None else "with a WHERE that names no column"
    along: Along = "deleted" if verb == "DELETE" else ""
    _add_relation(tree, f"{verb} {what}", value.get("relation", {}), along=along)


def _aims(where: Node) -> bool:
    """Tell whether a condition can tell rows apart: `true`, 1 = 1 and $1 cannot."""
    todo: list[Any] = [where]  # Any: nodes, lists and scalars of the JSON
    while todo:
        current = todo.pop()
        if isinstance(current, dict):
            if any(key in current for key in AIMS):
                return True
            todo.extend(current.values())
        elif isinstance(current, list):
            todo.extend(current)
    return False


def _visit_explain(tree: Tree, value: Node) -> None:
    options = [option["DefElem"] for option in value.get("options", [])]
    tree.analyze = any(_is_on(option) for option in options if option["defname"] == "analyze")
    tree.explained = next(iter(value["query"]))


def _is_on(option: Node) -> bool:
    """Read an option as PostgreSQL's defGetBoolean does: without a value it is on."""
    if "arg" not in option:
        return True
    value = next(iter(next(iter(option["arg"].values())).values()), False)
    return str(value).lower() not in ("off", "false", "0")


def _visit_truncate(tree: Tree, value: Node) -> None:
    cascades = value.get("behavior") == "DROP_CASCADE"
    along: Along = "truncated" if cascades else ""
    for relation in value.get("relations", []):
        verb = "TRUNCATE CASCADE" if cascades else "TRUNCATE"
        _add_relation(tree, verb, relation["RangeVar"], along=along)


def _visit_drop(tree: Tree, value: Node) -> None:
    for place, found in enumerate(value.get("objects", [])):
        tree.targets.append((place, _dropped(value, found)))


def _add_relation(tree: Tree, verb: str, relation: Node, *, along: Along) -> None:
    names = relation_names(relation)
    target = Target(verb=verb, catalog="relation", names=names, along=along)
    tree.targets.append((relation.get("location", 0), target))


def relation_names(relation: Node) -> tuple[str, ...]:
    """Return a RangeVar's names, outermost first."""
    keys = ("catalogname", "schemaname", "relname")
    return tuple(relation[key] for key in keys if relation.get(key))


def _visit_alter_table(tree: Tree, value: Node) -> None:
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
        tree.targets.append((relation.get("location", 0), target))


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
        verb=f"DROP {kind.replace('MATVIEW', 'MATERIALIZED VIEW').replace('_', ' ')}{cascade}",
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


def _last(names: list[Node]) -> str:
    return str(names[-1]["String"].get("sval", "")) if names else ""


VISITORS: dict[str, Callable[[Tree, Node], None]] = {
    "UpdateStmt": lambda tree, value: _visit_change(tree, "UPDATE", value),
    "DeleteStmt": lambda tree, value: _visit_change(tree, "DELETE", value),
    "FuncCall": lambda tree, value: tree.functions.append(_last(value.get("funcname", []))),
    "ExplainStmt": _visit_explain,
    "TruncateStmt": _visit_truncate,
    "DropStmt": _visit_drop,
    "AlterTableStmt": _visit_alter_table,
}
