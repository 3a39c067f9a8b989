"""
Where each kind of statement belongs: by parse-tree node.

Owns the rules; knows no SQL text and no server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["read", "write", "ddl", "admin"]
LEVELS: tuple[Level, ...] = ("read", "write", "ddl", "admin")  # each contains those before it
Tool = Literal["pg_query", "pg_schema", "pg_tx", "pg_admin"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """Say which tool runs a kind of statement, at which level, or what to use instead."""

    tool: Tool | None
    level: Level
    refusal: str = ""


READ = Rule(tool="pg_query", level="read")
WRITE = Rule(tool="pg_query", level="write")
DDL = Rule(tool="pg_schema", level="ddl")


def _admin(action: str) -> Rule:
    return Rule(tool="pg_admin", level="admin", refusal=f"Use pg_admin action={action}.")


def _refused(instead: str) -> Rule:
    return Rule(tool=None, level="admin", refusal=instead)


NO_SESSION = "Settings of a session do not outlive a call. "
OPERATOR = "The operator runs it with psql."

RULES: dict[str, Rule] = {
    **dict.fromkeys(("SelectStmt", "VariableShowStmt", "ExplainStmt"), READ),
    **dict.fromkeys(
        (
            "InsertStmt",
            "UpdateStmt",
            "DeleteStmt",
            "MergeStmt",
            "TruncateStmt",
            "CallStmt",
            "LockStmt",
            "ConstraintsSetStmt",
        ),
        WRITE,
    ),
    **dict.fromkeys(("GrantStmt", "GrantRoleStmt"), _admin("grant or action=revoke")),
    "VacuumStmt": _admin("vacuum or action=analyze"),
    "ReindexStmt": _admin("reindex"),
    "ClusterStmt": _admin("vacuum with full=true"),
    "AlterSystemStmt": _admin("set"),
    "CreatedbStmt": _admin("create_database"),
    "DropdbStmt": _admin("drop_database"),
    **dict.fromkeys(
        ("AlterDatabaseStmt", "AlterDatabaseSetStmt", "AlterDatabaseRefreshCollStmt"),
        _admin("set with database"),
    ),
    "CreateRoleStmt": _admin("create_role"),
    **dict.fromkeys(("AlterRoleStmt", "AlterRoleSetStmt"), _admin("alter_role")),
    "DropRoleStmt": _admin("drop_role"),
    "CreateExtensionStmt": _admin("create_extension"),
    **dict.fromkeys(
        ("AlterExtensionStmt", "AlterExtensionContentsStmt"), _admin("create_extension")
    ),
    "DoStmt": _refused(
        "Send its statements one by one, or create a function with pg_schema and call it."
    ),
    "CopyStmt": _refused("Read with SELECT and write with INSERT … SELECT FROM unnest($1, …)."),
    "VariableSetStmt": _refused(
        NO_SESSION
        + "timeout_seconds limits a statement, pg_tx begin takes isolation, "
        + "pg_admin action=set changes the server's settings."
    ),
    "DiscardStmt": _refused(NO_SESSION + "There is nothing to discard."),
    **dict.fromkeys(
        ("ListenStmt", "UnlistenStmt"), _refused("A call cannot wait for notifications: poll.")
    ),
    "NotifyStmt": _refused(OPERATOR),
    **dict.fromkeys(
        ("PrepareStmt", "ExecuteStmt", "DeallocateStmt"),
        _refused("Send the statement itself with params; the gateway prepares it."),
    ),
    **dict.fromkeys(
        ("DeclareCursorStmt", "FetchStmt", "ClosePortalStmt"),
        _refused("Send the SELECT itself; max_rows bounds it, and WHERE key > … continues it."),
    ),
    **dict.fromkeys(
        (
            "LoadStmt",
            "CheckPointStmt",
            "CreateTableSpaceStmt",
            "DropTableSpaceStmt",
            "AlterTableSpaceOptionsStmt",
            "AlterTableMoveAllStmt",
            "CreateSubscriptionStmt",
            "AlterSubscriptionStmt",
            "DropSubscriptionStmt",
            "DropOwnedStmt",
            "ReassignOwnedStmt",
            "CreatePLangStmt",
            "AlterCollationStmt",
        ),
        _refused(OPERATOR),
    ),
}

# DROP, RENAME and OWNER TO arrive as general nodes that name the kind of object.
OBJECTS: dict[str, Rule] = {
    "OBJECT_ROLE": _admin("alter_role"),
    **dict.fromkeys(
        (
            "OBJECT_DATABASE",
            "OBJECT_EXTENSION",
            "OBJECT_TABLESPACE",
            "OBJECT_SUBSCRIPTION",
            "OBJECT_LANGUAGE",
        ),
        _refused(OPERATOR),
    ),
}
OBJECT_KEYS = ("removeType", "renameType", "objectType", "objtype")

# BEGIN, COMMIT and their kin are one node, told apart by its kind.
TRANSACTIONS = {
    "TRANS_STMT_BEGIN": "Begin a transaction with pg_tx action=begin.",
    "TRANS_STMT_START": "Begin a transaction with pg_tx action=begin.",
    "TRANS_STMT_COMMIT": "Finish the transaction with pg_tx action=commit.",
    "TRANS_STMT_ROLLBACK": "End the transaction with pg_tx action=rollback.",
    "TRANS_STMT_SAVEPOINT": "Use pg_tx action=savepoint.",
    "TRANS_STMT_RELEASE": "Use pg_tx action=release.",
    "TRANS_STMT_ROLLBACK_TO": "Use pg_tx action=rollback_to.",
}


def rule_of(kind: str, body: dict[str, object]) -> Rule:
    """Return the rule for a top-level node; what is in no list is DDL, PostgreSQL's majority."""
    if kind == "TransactionStmt":
        refusal = TRANSACTIONS.get(str(body.get("kind")))
        return Rule(tool="pg_tx", level="read", refusal=refusal) if refusal else _refused(OPERATOR)
    if kind == "DropStmt" and body.get("removeType") == "OBJECT_EXTENSION":
        return _admin("drop_extension")
    if kind not in RULES:
        for key in OBJECT_KEYS:
            if (rule := OBJECTS.get(str(body.get(key)))) is not None:
                return rule
    return RULES.get(kind, DDL)


USE_TERMINATE = "Use pg_admin action=terminate or action=cancel with the pid."
DENIED_FUNCTIONS: dict[str, str] = {
    "pg_terminate_backend": USE_TERMINATE,
    "pg_cancel_backend": USE_TERMINATE,
    "pg_reload_conf": "Use pg_admin action=reload.",
    "set_config": NO_SESSION + "pg_admin action=set changes the server's settings.",
    "pg_stat_statements_reset": "Use pg_admin action=reset_statistics.",
    "pg_notify": OPERATOR,
    "pg_rotate_logfile": OPERATOR,
    "pg_switch_wal": OPERATOR,
    "pg_promote": OPERATOR,
    "pg_export_snapshot": OPERATOR,
    "pg_import_system_collations": OPERATOR,
    **dict.fromkeys(("lo_creat", "lo_create", "lo_export", "lo_from_bytea", "lo_import"), OPERATOR),
    **dict.fromkeys(("lo_open", "lo_put", "lo_unlink", "loread", "lowrite"), OPERATOR),
}
DENIED_PREFIXES: tuple[tuple[str, str], ...] = (
    ("pg_stat_reset", "Use pg_admin action=reset_statistics."),
    ("pg_advisory_lock", "A session's lock would not outlive the call: pg_advisory_xact_lock."),
    ("pg_try_advisory_lock", "A session's lock would not outlive the call: use …_xact_lock."),
    ("pg_advisory_unlock", "A session's lock would not outlive the call: use …_xact_lock."),
    ("dblink", OPERATOR),
    ("lo_truncate", OPERATOR),
    ("pg_replication_origin_", OPERATOR),
    ("pg_create_", OPERATOR),
    ("pg_drop_replication", OPERATOR),
    ("pg_logical_", OPERATOR),
    ("pg_copy_", OPERATOR),
    ("pg_wal_replay_", OPERATOR),
    ("pg_file_", OPERATOR),
    ("pg_backup_", OPERATOR),
)


def denied_function(name: str) -> str | None:
    """Return what to use instead of a function with effects beyond its call, if it is one."""
    if name in DENIED_FUNCTIONS:
        return DENIED_FUNCTIONS[name]
    return next((hint for prefix, hint in DENIED_PREFIXES if name.startswith(prefix)), None)
