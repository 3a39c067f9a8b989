"""
What a kind of statement is called in SQL, from its parse-tree node.

Owns the names; comments or odd spacing in the caller's text do not reach them.
"""

from __future__ import annotations

import re
from typing import Any

Node = dict[str, Any]  # Any: a node of libpg_query's JSON tree

TITLES = {
    "AlterDefaultPrivilegesStmt": "ALTER DEFAULT PRIVILEGES",
    "AlterObjectSchemaStmt": "ALTER … SET SCHEMA",
    "AlterEnumStmt": "ALTER TYPE",
    "AlterEventTrigStmt": "ALTER EVENT TRIGGER",
    "AlterOwnerStmt": "ALTER … OWNER TO",
    "AlterTableSpaceOptionsStmt": "ALTER TABLESPACE",
    "CheckPointStmt": "CHECKPOINT",
    "ClosePortalStmt": "CLOSE",
    "CommentStmt": "COMMENT",
    "CompositeTypeStmt": "CREATE TYPE",
    "ConstraintsSetStmt": "SET CONSTRAINTS",
    "CreateAmStmt": "CREATE ACCESS METHOD",
    "CreateEventTrigStmt": "CREATE EVENT TRIGGER",
    "CreateOpClassStmt": "CREATE OPERATOR CLASS",
    "CreateOpFamilyStmt": "CREATE OPERATOR FAMILY",
    "CreateEnumStmt": "CREATE TYPE",
    "CreateRangeStmt": "CREATE TYPE",
    "CreateSeqStmt": "CREATE SEQUENCE",
    "CreateStatsStmt": "CREATE STATISTICS",
    "CreateStmt": "CREATE TABLE",
    "CreateTableAsStmt": "CREATE TABLE AS",
    "CreateTableSpaceStmt": "CREATE TABLESPACE",
    "CreateTrigStmt": "CREATE TRIGGER",
    "CreatedbStmt": "CREATE DATABASE",
    "DeclareCursorStmt": "DECLARE CURSOR",
    "DefineStmt": "CREATE",
    "DropTableSpaceStmt": "DROP TABLESPACE",
    "DropdbStmt": "DROP DATABASE",
    "GrantRoleStmt": "GRANT",
    "IndexStmt": "CREATE INDEX",
    "LockStmt": "LOCK TABLE",
    "RefreshMatViewStmt": "REFRESH MATERIALIZED VIEW",
    "RenameStmt": "ALTER … RENAME",
    "RuleStmt": "CREATE RULE",
    "SecLabelStmt": "SECURITY LABEL",
    "VariableSetStmt": "SET",
    "VariableShowStmt": "SHOW",
    "ViewStmt": "CREATE VIEW",
}
TRANSACTION = {"TRANS_STMT_BEGIN": "BEGIN", "TRANS_STMT_START": "START TRANSACTION"}
CREATES = re.compile(r"Create|Index|View|Rule|Composite|Define")


def title_of(kind: str, node: Node) -> str:
    """Return the statement's name in SQL, such as CREATE TABLE."""
    if kind == "TransactionStmt":
        found = str(node.get("kind", ""))
        return TRANSACTION.get(found, found.removeprefix("TRANS_STMT_").replace("_", " "))
    if kind == "DropStmt":
        return "DROP " + str(node.get("removeType", "")).removeprefix("OBJECT_").replace("_", " ")
    if kind == "SelectStmt" and _makes_a_table(node):
        return "SELECT INTO"
    if kind == "VariableSetStmt" and str(node.get("kind", "")).startswith("VAR_RESET"):
        return "RESET"
    if kind == "GrantStmt":
        return "GRANT" if node.get("is_grant") else "REVOKE"
    if kind == "VacuumStmt":
        return "VACUUM" if node.get("is_vacuumcmd") else "ANALYZE"
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", kind.removesuffix("Stmt")).upper()
    return TITLES.get(kind, words)


def _makes_a_table(node: Node) -> bool:
    """Tell SELECT INTO; of a UNION, the leftmost SELECT says it."""
    while "larg" in node:
        node = node["larg"].get("SelectStmt", node["larg"])
    return "intoClause" in node


def action_of(kind: str) -> str:
    """Return the action of pg_schema that runs a kind of statement."""
    if kind == "DropStmt":
        return "drop"
    return "create" if CREATES.match(kind) else "alter"
