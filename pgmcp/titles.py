"""
What a kind of statement is called in SQL, from its parse-tree node.

Owns the names; comments or odd spacing in the caller's text do not reach them.
"""

from __future__ import annotations

import re
from typing import Any

Node = dict[str, Any]  # Any: a node of libpg_query's JSON tree

TITLES = {
    "AlterDatabaseRefreshCollStmt": "ALTER DATABASE",
    "AlterDatabaseSetStmt": "ALTER DATABASE",
    "AlterDefaultPrivilegesStmt": "ALTER DEFAULT PRIVILEGES",
    "AlterEnumStmt": "ALTER TYPE",
    "AlterEventTrigStmt": "ALTER EVENT TRIGGER",
    "AlterExtensionContentsStmt": "ALTER EXTENSION",
    "AlterFdwStmt": "ALTER FOREIGN DATA WRAPPER",
    "AlterForeignServerStmt": "ALTER SERVER",
    "AlterObjectDependsStmt": "ALTER … DEPENDS ON EXTENSION",
    "AlterObjectSchemaStmt": "ALTER … SET SCHEMA",
    "AlterOpFamilyStmt": "ALTER OPERATOR FAMILY",
    "AlterOwnerStmt": "ALTER … OWNER TO",
    "AlterRoleSetStmt": "ALTER ROLE",
    "AlterSeqStmt": "ALTER SEQUENCE",
    "AlterStatsStmt": "ALTER STATISTICS",
    "AlterTSConfigurationStmt": "ALTER TEXT SEARCH CONFIGURATION",
    "AlterTSDictionaryStmt": "ALTER TEXT SEARCH DICTIONARY",
    "AlterTableMoveAllStmt": "ALTER … ALL IN TABLESPACE",
    "AlterTableSpaceOptionsStmt": "ALTER TABLESPACE",
    "CheckPointStmt": "CHECKPOINT",
    "ClosePortalStmt": "CLOSE",
    "CommentStmt": "COMMENT",
    "CompositeTypeStmt": "CREATE TYPE",
    "ConstraintsSetStmt": "SET CONSTRAINTS",
    "CreateAmStmt": "CREATE ACCESS METHOD",
    "CreateEventTrigStmt": "CREATE EVENT TRIGGER",
    "CreateFdwStmt": "CREATE FOREIGN DATA WRAPPER",
    "CreateForeignServerStmt": "CREATE SERVER",
    "CreateOpClassStmt": "CREATE OPERATOR CLASS",
    "CreateOpFamilyStmt": "CREATE OPERATOR FAMILY",
    "CreateEnumStmt": "CREATE TYPE",
    "CreatePLangStmt": "CREATE LANGUAGE",
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
OBJECTS = {  # where the node's word for a kind of object is not SQL's
    "FDW": "FOREIGN DATA WRAPPER",
    "FOREIGN_SERVER": "SERVER",
    "MATVIEW": "MATERIALIZED VIEW",
    "OPCLASS": "OPERATOR CLASS",
    "OPFAMILY": "OPERATOR FAMILY",
    "STATISTIC_EXT": "STATISTICS",
    "TSCONFIGURATION": "TEXT SEARCH CONFIGURATION",
    "TSDICTIONARY": "TEXT SEARCH DICTIONARY",
    "TSPARSER": "TEXT SEARCH PARSER",
    "TSTEMPLATE": "TEXT SEARCH TEMPLATE",
}
TRANSACTION = {
    "TRANS_STMT_BEGIN": "BEGIN",
    "TRANS_STMT_START": "START TRANSACTION",
    "TRANS_STMT_PREPARE": "PREPARE TRANSACTION",
}
CREATES = re.compile(r"Create|Index|View|Rule|Composite|Define|Import")


def title_of(kind: str, node: Node) -> str:
    """Return the statement's name in SQL, such as CREATE TABLE."""
    if kind == "TransactionStmt":
        found = str(node.get("kind", ""))
        return TRANSACTION.get(found, found.removeprefix("TRANS_STMT_").replace("_", " "))
    if kind == "DropStmt":
        return f"DROP {_object(node.get('removeType'))}"
    if kind == "DefineStmt":
        return f"CREATE {_object(node.get('kind'))}"
    if kind == "CreateTableAsStmt" and node.get("objtype") == "OBJECT_MATVIEW":
        return "CREATE MATERIALIZED VIEW"
    if kind == "CreateFunctionStmt" and node.get("is_procedure"):
        return "CREATE PROCEDURE"
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


def _object(kind: object) -> str:
    word = str(kind).removeprefix("OBJECT_")
    return OBJECTS.get(word, word.replace("_", " "))


def _makes_a_table(node: Node) -> bool:
    """Tell SELECT INTO; of a UNION, the leftmost SELECT says it."""
    while "larg" in node:
        node = node["larg"].get("SelectStmt", node["larg"])
    return "intoClause" in node


def action_of(kind: str) -> str:
    """Return the action of pg_schema that runs a kind of statement."""
    if kind in ("DropStmt", "DropUserMappingStmt"):
        return "drop"
    return "create" if CREATES.match(kind) else "alter"
