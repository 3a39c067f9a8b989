"""
What a parse tree contains, read from libpg_query's JSON.

Owns Tree; one walk over every node, so that nothing hides in a corner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pgmcp.denied import Name
from pgmcp.grammar import CHANGES, Node, Target, add_targets

FLAGS = frozenset({"behavior", "concurrent", "defname"})
# The names that a WITH gives, each with its place among them; how many of them can be seen from
# here; and the WITH around it.
Scope = tuple[dict[str, int], int, "Scope | None"]


@dataclass(kw_only=True, slots=True)
class Tree:
    """
    Collect what one walk over a statement finds.

    *kinds* are the statements inside, with their nodes. Dictionaries are used as ordered sets,
    *functions* says how many arguments the call has that has fewest. *attributes* are the names
    behind a dot, which may be calls; *selected* those behind an expression, (x).f. *tables* leaves
    out what a WITH hides, *relations* does not; *changed* are the tables that are written to.
    """

    kinds: list[tuple[str, Node]] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    functions: dict[Name, int] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    selected: set[str] = field(default_factory=set)
    has_function_alias: bool = False
    operators: dict[str, None] = field(default_factory=dict)
    casts: dict[Name, None] = field(default_factory=dict)
    tables: dict[Name, None] = field(default_factory=dict)
    changed: list[Name] = field(default_factory=list)
    relations: set[str] = field(default_factory=set)
    targets: list[tuple[int, Target]] = field(default_factory=list)
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
    scopes: list[tuple[list[Node], Scope | None]] = [([node], None)]
    while scopes:
        todo, scope = scopes.pop()
        _walk(tree, todo, scope, scopes)
    tree.targets.sort(key=lambda found: found[0])
    return tree


def _walk(
    tree: Tree,
    todo: list[Node],
    scope: Scope | None,
    scopes: list[tuple[list[Node], Scope | None]],
) -> None:
    """Visit what one scope holds; put what has another aside."""
    visit = VISITORS.get
    while todo:
        current = todo.pop()
        if "withClause" in current:
            scopes.extend(_split(current, scope))
            continue
        for key, value in current.items():
            if type(value) is dict:
                if (visitor := visit(key)) is not None:
                    visitor(tree, value)
                elif key[-4:] == "Stmt" and key != "selectStmt":  # that is a field
                    tree.kinds.append((key, value))
                if "relname" in value:
                    _add_table(tree, key, value, scope)
                todo.append(value)
            elif type(value) is list and key != "lockedRels":  # names that FROM gives
                todo += value
            elif key in FLAGS:
                _add_flag(tree, key, value)


def _add_flag(tree: Tree, key: str, value: object) -> None:
    if value == "DROP_CASCADE":
        tree.cascade = True
    elif (key == "concurrent" and value) or value == "concurrently":
        tree.concurrently = True


def _split(node: Node, outer: Scope | None) -> Iterator[tuple[list[Node], Scope | None]]:
    """Yield the parts of a statement with WITH, each with the names that it sees."""
    clause = node["withClause"]
    parts = [part["CommonTableExpr"] for part in clause["ctes"]]
    names: dict[str, int] = {}
    for place, part in enumerate(parts):
        names.setdefault(part["ctename"], place)
    everything = len(parts)
    for place, part in enumerate(parts):
        yield [part], (names, everything if clause.get("recursive") else place, outer)
    rest = {key: value for key, value in node.items() if key != "withClause"}
    yield [rest], (names, everything, outer)


def _add_table(tree: Tree, key: str, value: Node, scope: Scope | None) -> None:
    name, schema = value["relname"], value.get("schemaname")
    tree.relations.add(name)
    # The target of a change has a field of its own; no WITH hides that.
    if key == "RangeVar" and schema is None:
        while scope is not None:
            names, seen, scope = scope
            if names.get(name, seen) < seen:
                return
    tree.tables[schema, name] = None


def _visit_call(tree: Tree, value: Node) -> None:
    names = value.get("funcname", [])
    count = len(value.get("args", ()))
    function = _name(names)
    tree.functions[function] = min(count, tree.functions.get(function, count))


def _name(names: list[Node]) -> Name:
    """Return the schema and the name that a list of String nodes spells."""
    texts = [found["String"].get("sval", "") for found in names if "String" in found]
    return (texts[-2] if len(texts) > 1 else None, texts[-1] if texts else "")


def _visit_use(key: str) -> Callable[[Tree, Node], None]:
    """Return a visitor of what uses a function without calling it now."""

    def visit(tree: Tree, value: Node) -> None:
        found = value.get(key, [])
        names = found if isinstance(found, list) else found.get("objname", [])
        if names:
            tree.functions.setdefault(_name(names), 0)

    return visit


def _visit_definition(tree: Tree, value: Node) -> None:
    """Take what a definition's options may name for a function: sfunc = f, function = 'f'."""
    options: list[Node] = value.get("definition") or value.get("params") or []
    for option in options:
        argument: Node = option["DefElem"].get("arg", {})
        if "TypeName" in argument:
            tree.functions.setdefault(_name(argument["TypeName"].get("names", [])), 0)
        elif "String" in argument:
            tree.functions.setdefault((None, argument["String"].get("sval", "")), 0)


def _visit_operator(key: str) -> Callable[[Tree, Node], None]:
    def visit(tree: Tree, value: Node) -> None:
        if names := value.get(key):
            schema, name = _name(names)
            tree.operators[f"{schema}.{name}" if schema else name] = None

    return visit


def _visit_type(tree: Tree, value: Node) -> None:
    tree.casts[_name(value.get("names", []))] = None


def _visit_attributes(key: str) -> Callable[[Tree, Node], None]:
    """Return a visitor of what may be a call in the form of a column: t.f for f(t)."""

    def visit(tree: Tree, value: Node) -> None:
        fields = value.get(key, [])
        found = fields[1:] if key == "fields" else fields
        names = [item["String"].get("sval", "") for item in found if "String" in item]
        tree.attributes.update(names)
        if key == "indirection":
            tree.selected.update(names)

    return visit


def _visit_range_function(tree: Tree, _value: Node) -> None:
    # Its alias may stand for a single value, and then a.f is f of a text or a number.
    tree.has_function_alias = True


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


def _visit_many(tree: Tree, value: Node) -> None:
    """Take the tables of TRUNCATE or LOCK."""
    tree.changed += [_relation(found["RangeVar"]) for found in value.get("relations", [])]


def _relation(value: Node) -> Name:
    return value.get("schemaname"), value.get("relname", "")


def _visit_into(tree: Tree, _value: Node) -> None:
    tree.into = True


def _visit_locks(tree: Tree, _value: Node) -> None:
    tree.locks = True


def _visit_star(tree: Tree, _value: Node) -> None:
    tree.star = True


def _statement(
    kind: str, visitor: Callable[[Tree, Node], None] | None = None
) -> Callable[[Tree, Node], None]:
    """Return the visitor of a statement: all of them are counted, some looked at."""

    def visit(tree: Tree, value: Node) -> None:
        tree.kinds.append((kind, value))
        if kind in CHANGES:
            tree.changes.append(kind)
            tree.changed.append(_relation(value.get("relation", {})))
        if visitor is not None:
            visitor(tree, value)
        add_targets(tree.targets, kind, value)

    return visit


VISITORS: dict[str, Callable[[Tree, Node], None]] = {
    **dict.fromkeys(("FuncCall", "funccall"), _visit_call),
    "ColumnRef": _visit_attributes("fields"),
    "A_Indirection": _visit_attributes("indirection"),
    "RangeFunction": _visit_range_function,
    "A_Expr": _visit_operator("name"),
    "SubLink": _visit_operator("operName"),
    "SortBy": _visit_operator("useOp"),
    "typeName": _visit_type,
    "TypeName": _visit_type,
    "intoClause": _visit_into,
    "LockingClause": _visit_locks,
    "A_Star": _visit_star,
    "CreateOpClassItem": _visit_use("name"),
    **{kind: _statement(kind) for kind in (*CHANGES, "DropStmt", "AlterTableStmt")},
    "ExplainStmt": _statement("ExplainStmt", _visit_explain),
    "TruncateStmt": _statement("TruncateStmt", _visit_many),
    "LockStmt": _statement("LockStmt", _visit_many),
    "CreateTrigStmt": _statement("CreateTrigStmt", _visit_use("funcname")),
    "CreateEventTrigStmt": _statement("CreateEventTrigStmt", _visit_use("funcname")),
    "CreateConversionStmt": _statement("CreateConversionStmt", _visit_use("func_name")),
    "CreateCastStmt": _statement("CreateCastStmt", _visit_use("func")),
    "DefineStmt": _statement("DefineStmt", _visit_definition),
    "CreateRangeStmt": _statement("CreateRangeStmt", _visit_definition),
}
