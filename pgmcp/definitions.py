"""
Which definitions go beyond what the owner of a database may do in it.

Owns the look inside DDL for that; what a kind is at most otherwise is `kinds`'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pgmcp.denied import OPERATOR, SYSTEM_SCHEMAS
from pgmcp.kinds import (
    REACHES_OUT,
    RULES,
    SUPERUSERS,
    Node,
    Rule,
    administered,
    beyond,
    refused,
    transaction_rule,
)

# Languages that PostgreSQL lets everybody use, as their code cannot leave the database.
TRUSTED = frozenset(
    {"sql", "plpgsql", "plperl", "pltcl", "plv8", "plls", "plcoffee", "pljs", "pllua", "plrust"}
) | {"java"}
OWNERS_RIGHTS = "SECURITY DEFINER code runs with its owner's rights, whoever calls it."
OPERATORS = refused(OPERATOR)
# DROP, RENAME, OWNER TO, SET SCHEMA and COMMENT name the kind of their object in one of these.
OBJECT_KEYS = ("removeType", "renameType", "objectType", "objtype")
OBJECTS: dict[str, Rule] = {
    "OBJECT_ROLE": administered("alter_role"),
    "OBJECT_EXTENSION": administered("create_extension"),
    **dict.fromkeys(
        ("OBJECT_DATABASE", "OBJECT_TABLESPACE", "OBJECT_SUBSCRIPTION", "OBJECT_LANGUAGE"),
        OPERATORS,
    ),
    **dict.fromkeys(("OBJECT_FDW", "OBJECT_FOREIGN_SERVER"), beyond(REACHES_OUT)),
    **dict.fromkeys(
        (
            "OBJECT_ACCESS_METHOD",
            "OBJECT_EVENT_TRIGGER",
            "OBJECT_OPCLASS",
            "OBJECT_OPFAMILY",
            "OBJECT_PARAMETER_ACL",
            "OBJECT_TRANSFORM",
            "OBJECT_TSPARSER",
            "OBJECT_TSTEMPLATE",
        ),
        beyond(SUPERUSERS),
    ),
}
# A comment changes nothing but itself; these are on objects that all databases share.
SHARED = ("OBJECT_ROLE", "OBJECT_TABLESPACE", "OBJECT_SUBSCRIPTION")
# These name, beside what they make, something that they use.
USING = ("CreateCastStmt", "CreateConversionStmt", "CreateTrigStmt", "AlterTSConfigurationStmt")


def rule_of(kind: str, body: Node) -> Rule:
    """Return the rule for a statement by itself; what is inside it may ask for more."""
    if kind == "TransactionStmt":
        return transaction_rule(body)
    rule = RULES.get(kind)
    if rule is None:
        return refused("pgmcp does not know this kind of statement. " + OPERATOR)
    if rule.tool != "pg_schema":
        return rule
    if (inside := INSIDE.get(kind)) is not None and (more := inside(body)) is not None:
        return more
    if kind not in USING and any(name in SYSTEM_SCHEMAS for name in _schemas(body)):
        return beyond("It changes PostgreSQL's own schemas.")
    return rule


def _by_object(body: Node) -> Rule | None:
    found = (OBJECTS.get(str(body.get(key))) for key in OBJECT_KEYS)
    return next((rule for rule in found if rule is not None), None)


def _drop(body: Node) -> Rule | None:
    if body.get("removeType") in ("OBJECT_EXTENSION", "OBJECT_LANGUAGE"):
        return administered("drop_extension")
    return _by_object(body)


def _comment(body: Node) -> Rule | None:
    return beyond("All databases share the object.") if body.get("objtype") in SHARED else None


def _function(body: Node) -> Rule | None:
    """Judge CREATE and ALTER FUNCTION by their options."""
    options = {found["defname"]: found.get("arg") for found in options_of(body)}
    language = text_of(options.get("language"))
    if language is not None and language not in TRUSTED:
        return beyond(f'Code in language "{language}" can leave the database.')
    if _is_true(options.get("security")):
        return beyond(OWNERS_RIGHTS)
    if _is_true(options.get("leakproof")) or "support" in options:
        return beyond(SUPERUSERS)
    return None


def options_of(body: Node) -> list[Node]:
    """Return the options of CREATE FUNCTION or the actions of ALTER FUNCTION."""
    found: list[Node] = body.get("options") or body.get("actions") or []
    return [option["DefElem"] for option in found]


def text_of(node: Node | None) -> str | None:
    """Return a String node's text."""
    return None if node is None else node.get("String", {}).get("sval", "")


def _is_true(node: Node | None) -> bool:
    return node is not None and bool(node["Boolean"].get("boolval"))


def _cast(body: Node) -> Rule | None:
    return None if "func" in body or body.get("inout") else beyond(SUPERUSERS)


def _define(body: Node) -> Rule | None:
    if body.get("kind") == "OBJECT_TYPE":  # a base type; its functions are C
        return beyond(SUPERUSERS)
    return _by_object({"objectType": body.get("kind")})


def _publication(body: Node) -> Rule | None:
    found = [item["PublicationObjSpec"]["pubobjtype"] for item in body.get("pubobjects", [])]
    if body.get("for_all_tables") or any("SCHEMA" in kind for kind in found):
        return beyond(SUPERUSERS)
    return None


def _foreign_table(body: Node) -> Rule | None:
    """Find the options with which file_fdw reads a file or runs a program."""
    commands = [command["AlterTableCmd"] for command in body.get("cmds", [])]
    lists = [body.get("options", [])]
    lists += [
        command.get("def", {}).get("List", {}).get("items", [])
        for command in commands
        if command.get("subtype") == "AT_GenericOptions"
    ]
    names = {option["DefElem"]["defname"] for found in lists for option in found}
    return beyond("It reaches the server's files.") if names & {"program", "filename"} else None


def _schemas(body: Node) -> Iterator[str]:
    """Yield the schemas in which a definition makes or changes something."""
    for value in body.values():
        if isinstance(value, dict):
            yield value.get("schemaname", "")
            yield from _first_of(value.get("objname", []))
            yield from _first_of(_listed(value))
        elif isinstance(value, list):
            yield from _first_of(value)
            for item in value:
                yield from _first_of(_listed(item))
    yield str(body.get("schemaname", ""))
    yield str(body.get("newschema", ""))


def _listed(node: Node) -> list[Node]:
    """Return the names that a node of an object has, whichever form it takes."""
    for kind, key in (("List", "items"), ("ObjectWithArgs", "objname"), ("TypeName", "names")):
        if kind in node:
            names: list[Node] = node[kind].get(key, [])
            return names
    return []


def _first_of(names: list[Node]) -> Iterator[str]:
    if len(names) > 1 and all("String" in name for name in names):
        yield names[0]["String"].get("sval", "")


INSIDE: dict[str, Callable[[Node], Rule | None]] = {
    **dict.fromkeys(
        ("RenameStmt", "AlterOwnerStmt", "AlterObjectSchemaStmt", "AlterObjectDependsStmt"),
        _by_object,
    ),
    "DropStmt": _drop,
    "CommentStmt": _comment,
    **dict.fromkeys(("CreateFunctionStmt", "AlterFunctionStmt"), _function),
    "CreateCastStmt": _cast,
    "DefineStmt": _define,
    **dict.fromkeys(("CreatePublicationStmt", "AlterPublicationStmt"), _publication),
    **dict.fromkeys(("CreateForeignTableStmt", "AlterTableStmt"), _foreign_table),
}
