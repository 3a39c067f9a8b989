"""
Where each kind of statement belongs: by parse-tree node.

Owns the rules; knows no SQL text and no server. A kind that is in no table here is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pgmcp.denied import NO_SESSION, OPERATOR

Level = Literal["read", "write", "ddl", "admin"]
LEVELS: tuple[Level, ...] = ("read", "write", "ddl", "admin")  # each contains those before it
Tool = Literal["pg_query", "pg_schema", "pg_tx", "pg_admin"]
Node = dict[str, Any]  # Any: a node of libpg_query's JSON tree


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """
    Say which tool runs a kind of statement, at which level, or what to use instead.

    *why* is the reason for a level above the kind's usual one, as a sentence.
    """

    tool: Tool | None
    level: Level
    refusal: str = ""
    why: str = ""


READ = Rule(tool="pg_query", level="read")
WRITE = Rule(tool="pg_query", level="write")
DDL = Rule(tool="pg_schema", level="ddl")


def beyond(why: str) -> Rule:
    """Return the rule of a definition that a database's owner could not make."""
    return Rule(tool="pg_schema", level="admin", why=why)


def administered(action: str) -> Rule:
    """Return the rule of what an action of pg_admin does."""
    return Rule(tool="pg_admin", level="admin", refusal=f"Use pg_admin action={action}.")


def refused(instead: str) -> Rule:
    """Return the rule of what no tool runs."""
    return Rule(tool=None, level="admin", refusal=instead)


REACHES_OUT = "It lets statements reach another server."
SUPERUSERS = "PostgreSQL leaves it to superusers."
SPACES = "CheckPoint CreateTableSpace DropTableSpace AlterTableSpaceOptions AlterTableMoveAll"
SUBSCRIPTIONS = "CreateSubscription AlterSubscription DropSubscription"


def _kinds(names: str, rule: Rule) -> dict[str, Rule]:
    return {f"{name}Stmt": rule for name in names.split()}


# What the role that owns a database may do in it is DDL: these do not ask for a superuser, and
# what they reach is in the database. `definitions` looks into those that have two sides.
DEFINED = (
    "AlterCollation AlterDomain AlterEnum AlterFunction AlterObjectDepends AlterObjectSchema "
    "AlterOperator AlterOwner AlterPolicy AlterPublication AlterSeq AlterStats "
    "AlterTSConfiguration AlterTSDictionary AlterTable Comment CompositeType Create CreateCast "
    "CreateConversion CreateDomain CreateEnum CreateForeignTable CreateFunction CreatePolicy "
    "CreatePublication CreateRange CreateSchema CreateSeq CreateStats CreateTableAs CreateTrig "
    "Define Drop Index RefreshMatView Rename Rule View"
)
RULES: dict[str, Rule] = {
    **_kinds("Select VariableShow Explain", READ),
    **_kinds("Insert Update Delete Merge Truncate Call Lock ConstraintsSet", WRITE),
    **_kinds(DEFINED, DDL),
    **_kinds(
        "CreateForeignServer AlterForeignServer CreateFdw AlterFdw CreateUserMapping "
        "AlterUserMapping DropUserMapping ImportForeignSchema",
        beyond(REACHES_OUT),
    ),
    **_kinds("CreateEventTrig AlterEventTrig", beyond("It runs at everybody's DDL.")),
    **_kinds(
        "CreateAm CreateOpClass CreateOpFamily AlterOpFamily AlterType CreateTransform",
        beyond(SUPERUSERS),
    ),
    "SecLabelStmt": beyond("A label decides what others may see."),
    **_kinds("Grant GrantRole AlterDefaultPrivileges", administered("grant or action=revoke")),
    "VacuumStmt": administered("vacuum or action=analyze"),
    "ReindexStmt": administered("reindex"),
    "ClusterStmt": administered("vacuum with full=true"),
    "AlterSystemStmt": administered("set"),
    "CreatedbStmt": administered("create_database"),
    "DropdbStmt": administered("drop_database"),
    **_kinds(
        "AlterDatabase AlterDatabaseSet AlterDatabaseRefreshColl", administered("set with database")
    ),
    "CreateRoleStmt": administered("create_role"),
    **_kinds("AlterRole AlterRoleSet", administered("alter_role")),
    "DropRoleStmt": administered("drop_role"),
    **_kinds(
        "CreateExtension AlterExtension AlterExtensionContents CreatePLang",
        administered("create_extension"),
    ),
    "DoStmt": refused(
        "Send its statements one by one, or create a function with pg_schema and call it."
    ),
    "CopyStmt": refused("Read with SELECT and write with INSERT … SELECT FROM unnest($1, …)."),
    "VariableSetStmt": refused(
        NO_SESSION
        + "timeout_seconds limits a statement, pg_tx begin takes isolation, "
        + "pg_admin action=set changes the server's settings."
    ),
    "DiscardStmt": refused(NO_SESSION + "There is nothing to discard."),
    **_kinds("Listen Unlisten", refused("A call cannot wait for notifications: poll.")),
    **_kinds(
        "Prepare Execute Deallocate",
        refused("Send the statement itself with params; the gateway prepares it."),
    ),
    **_kinds(
        "DeclareCursor Fetch ClosePortal",
        refused("Send the SELECT itself; max_rows bounds it, and WHERE key > … continues it."),
    ),
    **_kinds(f"Notify Load DropOwned ReassignOwned {SPACES} {SUBSCRIPTIONS}", refused(OPERATOR)),
}

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
TWO_PHASES = (
    "A prepared transaction outlives everything here. Finish yours with pg_tx action=commit; "
    "those of others are the operator's, with psql."
)


def transaction_rule(body: Node) -> Rule:
    """Return the rule of a TransactionStmt."""
    refusal = TRANSACTIONS.get(str(body.get("kind")))
    return Rule(tool="pg_tx", level="read", refusal=refusal) if refusal else refused(TWO_PHASES)
