"""
Where a statement belongs, from its kind and from all that is inside it.

Owns the order of the questions; the lists that answer them are in kinds, definitions and denied.
"""

from __future__ import annotations

from collections.abc import Iterable

from pgmcp.definitions import rule_of
from pgmcp.denied import NO_SESSION, OPERATOR, WRITING, denied_function, denied_table, is_system
from pgmcp.grammar import CHANGES, Node
from pgmcp.kinds import LEVELS, Rule, refused
from pgmcp.tree import Tree

EXPLAINED = ("SelectStmt", *CHANGES)  # EXPLAIN ANALYZE runs these; READ ONLY or a rollback holds
PLANNED = (*EXPLAINED, "CreateTableAsStmt", "DeclareCursorStmt", "RefreshMatViewStmt")
QUERIES = ("SelectStmt", *CHANGES)
# A definition may hold these besides what it could be itself: a function's SET, its RETURN, and
# what its body or a rule does.
HELD = (*QUERIES, "ReturnStmt", "VariableSetStmt")


def judge(kind: str, body: Node, tree: Tree, bodies: Iterable[Tree] = ()) -> Rule:
    """
    Return the rule of a statement; *bodies* are what the SQL texts inside it hold.

    What no tool runs stays so, whatever else is inside.
    """
    rule = rule_of(kind, body)
    if rule.tool not in ("pg_query", "pg_schema"):
        return rule
    for found in (tree, *bodies):
        if (instead := _denied(found)) is not None:
            return refused(instead)
    if rule.tool == "pg_schema":
        return _define(rule, tree, bodies)
    return _query(kind, rule, tree)


def _denied(tree: Tree) -> str | None:
    """Return why nobody may send a statement with these names, if so."""
    for (schema, name), arguments in tree.functions.items():
        if (instead := denied_function((schema, name), arguments)) is not None:
            return f"It calls {name}(). {instead}"
    for name in tree.attributes:
        # PostgreSQL takes (x).f for f(x) where x has no field of that name.
        if (instead := denied_function((None, name), 1)) is not None:
            return f"It calls {name}(), written as a column. {instead}"
    for table in tree.tables:
        if (instead := denied_table(table)) is not None:
            return f"It reads {table[1]}. {instead}"
    for table in tree.changed:
        if is_system(table):
            instead = NO_SESSION if table[1] == "pg_settings" else ""
            return f"It changes {table[1]}, which is PostgreSQL's own. {instead}{OPERATOR}"
    return None


def _query(kind: str, rule: Rule, tree: Tree) -> Rule:
    """Look past the outer kind: what is inside may write, lock or make a table."""
    if tree.into:
        return Rule(
            tool="pg_schema",
            level="ddl",
            refusal="SELECT INTO makes a table: CREATE TABLE … AS in pg_schema action=create.",
        )
    allowed = PLANNED if kind == "ExplainStmt" else QUERIES
    strange = [inner for inner, _ in tree.kinds[1:] if inner not in allowed]
    if strange:
        return rule_of(strange[0], {}) if strange[0] == "ExecuteStmt" else refused(OPERATOR)
    called = {name for _, name in tree.functions} | tree.selected
    writes = bool(tree.changes) or tree.locks or not WRITING.isdisjoint(called)
    if kind == "ExplainStmt" and tree.analyze:
        if tree.explained not in EXPLAINED:
            return refused("EXPLAIN ANALYZE would run it: leave ANALYZE out.")
        if writes:
            instead = "Send the statement itself with explain=analyze: it is rolled back."
            return Rule(tool=None, level="write", refusal=instead)
    if writes and rule.level == "read" and kind != "ExplainStmt":
        return Rule(tool="pg_query", level="write")
    return rule


def _define(rule: Rule, tree: Tree, bodies: Iterable[Tree]) -> Rule:
    """Raise a definition to the level of what it holds, and refuse what nothing may run."""
    inner = [*tree.kinds[1:], *(found for body in bodies for found in body.kinds)]
    for kind, body in inner:
        if kind in HELD:
            continue
        inside = rule_of(kind, body)
        if inside.tool not in ("pg_query", "pg_schema"):
            return refused(f"A statement inside it is not allowed there. {inside.refusal}")
        if LEVELS.index(inside.level) > LEVELS.index(rule.level):
            rule = inside
    return rule
