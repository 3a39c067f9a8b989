"""
The rules about scans, rewrites and index builds under a lock.

Owns six of the eight findings: what makes everybody wait. Each is judged for tables that exist
and hold rows; on an empty table the lock is held for a moment only.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgmcp.grammar import relation_names
from pgmcp.statement import Statement
from pgmcp.tools.schema.lint.finding import PG18, Catalogue, Finding, Table
from pgmcp.tools.schema.lint.nodes import (
    added_columns,
    added_constraints,
    calls,
    commands,
    constraints_of,
    is_null,
    is_serial,
    strings,
)
from pgmcp.tools.schema.lint.types import keeps_rows

SCAN_BYTES = 10 * 1024 * 1024  # a scan of less takes milliseconds; SET NOT NULL is fine there
EXCLUSIVE = "ACCESS EXCLUSIVE, so that reading and writing wait"


def required_column(piece: Statement, known: Catalogue) -> Iterator[Finding]:
    """
    Find ADD COLUMN … NOT NULL without a value for the rows that exist: it cannot succeed.

    First of the eight: it fails in production after it has worked on an empty test table.
    """
    table = known.filled(piece.node.get("relation", {}))
    if table is None:
        return
    for column in added_columns(piece):
        given = constraints_of(column)
        default = given.get("CONSTR_DEFAULT", {}).get("raw_expr")
        fills = "CONSTR_GENERATED" in given or "CONSTR_IDENTITY" in given or is_serial(column)
        required = "CONSTR_NOTNULL" in given or "CONSTR_PRIMARY" in given
        if required and is_null(default) and not fills:
            yield Finding(
                rule="adding-required-field",
                object=f"{table.shown}.{column['colname']}",
                why=f"{table.size()}, which would have NULL there: it fails.",
                instead="give it a constant DEFAULT, or add it without NOT NULL, fill it, then "
                "SET NOT NULL.",
            )


def rewriting_column(piece: Statement, known: Catalogue) -> Iterator[Finding]:
    """
    Find ADD COLUMN with a value that differs by row: the whole table is written anew.

    A constant, or a stable call such as now(), costs nothing since PostgreSQL 11.
    """
    table = known.filled(piece.node.get("relation", {}))
    if table is None:
        return
    for column in added_columns(piece):
        given = constraints_of(column)
        volatile = calls(given.get("CONSTR_DEFAULT", {}).get("raw_expr")) & known.volatile
        stored = given.get("CONSTR_GENERATED", {}).get("generated_kind") == "s"
        reason = ""
        if volatile:
            reason = f"{min(volatile)}() gives another value for each row"
        elif is_serial(column) or "CONSTR_IDENTITY" in given:
            reason = "each row gets a number"
        elif stored:
            reason = "each row stores a computed value"
        if reason:
            yield Finding(
                rule="adding-field-with-default",
                object=f"{table.shown}.{column['colname']}",
                why=f"{reason}: the table is rewritten under {EXCLUSIVE}. {table.size()}.",
                instead="add the column without it, SET DEFAULT for new rows, fill the old ones in "
                "batches.",
                bytes=table.bytes or 0,
            )


def changed_type(piece: Statement, known: Catalogue) -> Iterator[Finding]:
    """Find ALTER COLUMN TYPE that PostgreSQL cannot do without touching every row."""
    table = known.filled(piece.node.get("relation", {}))
    if table is None:
        return
    for subtype, body in commands(piece):
        column = table.columns.get(body.get("name", ""))
        if subtype != "AT_AlterColumnType" or column is None:
            continue
        wanted = body["def"]["ColumnDef"]
        if keeps_rows(column, wanted, body["name"]):
            continue
        users = f" Views that use it refuse: {', '.join(column.users)}." if column.users else ""
        yield Finding(
            rule="changing-column-type",
            object=f"{table.shown}.{body['name']}",
            why=f"from {column.type} every row is converted or checked under {EXCLUSIVE}, and its "
            f"indexes are built anew. {table.size()}.{users}",
            instead="add a new column, keep it filled by a trigger, fill the old rows in batches, "
            "then swap the names.",
            bytes=table.bytes or 0,
        )


def validated_constraint(piece: Statement, known: Catalogue) -> Iterator[Finding]:
    """Find CHECK and FOREIGN KEY constraints that scan the table while they hold their lock."""
    table = known.filled(piece.node.get("relation", {}))
    if table is None:
        return
    for constraint in added_constraints(piece):
        if constraint.get("skip_validation") or not constraint.get("is_enforced"):
            continue
        if constraint["contype"] == "CONSTR_FOREIGN":
            yield _foreign_key(table, constraint.get("conname", ""), known)
        elif constraint["contype"] == "CONSTR_CHECK":
            yield _check(table, constraint.get("conname", ""))
    for column in added_columns(piece):
        given = constraints_of(column)
        if "CONSTR_CHECK" in given:
            yield _check(table, given["CONSTR_CHECK"].get("conname", ""))
        # PostgreSQL does not look for the keys of a column that is NULL everywhere.
        default = given.get("CONSTR_DEFAULT", {}).get("raw_expr")
        if "CONSTR_FOREIGN" in given and not is_null(default):
            yield _foreign_key(table, given["CONSTR_FOREIGN"].get("conname", ""), known)


def _foreign_key(table: Table, name: str, known: Catalogue) -> Finding:
    instead = "ADD CONSTRAINT … NOT VALID, and in a later call VALIDATE CONSTRAINT."
    if table.kind == "partitioned table" and known.server_version < PG18:
        instead = (
            "add it NOT VALID to each partition and VALIDATE there, then to the partitioned table, "
            "which takes NOT VALID foreign keys from PostgreSQL 18 on only."
        )
    return Finding(
        rule="adding-foreign-key-constraint",
        object=f"{table.shown} {name}".strip(),
        why="every row is looked up while SHARE ROW EXCLUSIVE is held on both tables, so that "
        f"writing to either waits. {table.size()}.",
        instead=instead,
        bytes=table.bytes or 0,
    )


def _check(table: Table, name: str) -> Finding:
    return Finding(
        rule="constraint-missing-not-valid",
        object=f"{table.shown} {name}".strip(),
        why=f"every row is checked under {EXCLUSIVE}. {table.size()}.",
        instead="ADD CONSTRAINT … NOT VALID, and in a later call VALIDATE CONSTRAINT, which lets "
        "others read and write.",
        bytes=table.bytes or 0,
    )


def built_index(piece: Statement, known: Catalogue) -> Iterator[Finding]:
    """Find CREATE INDEX without CONCURRENTLY."""
    if piece.kind != "IndexStmt" or piece.node.get("concurrent"):
        return
    table = known.filled(piece.node.get("relation", {}))
    if table is None:
        return
    instead = "CREATE INDEX CONCURRENTLY, in a call of its own."
    if table.kind == "partitioned table":
        if not piece.node["relation"].get("inh"):
            return  # ON ONLY builds nothing yet
        instead = (
            "CREATE INDEX … ON ONLY the partitioned table, CREATE INDEX CONCURRENTLY on each "
            "partition, then ALTER INDEX … ATTACH PARTITION."
        )
    yield Finding(
        rule="require-concurrent-index-creation",
        object=f"{table.shown} {piece.node.get('idxname', '')}".strip(),
        why=f"writing to the table waits until the index is built (SHARE lock). {table.size()}.",
        instead=instead,
        bytes=table.bytes or 0,
    )


def set_not_null(piece: Statement, known: Catalogue) -> Iterator[Finding]:
    """Find SET NOT NULL that has to scan a big table; a valid CHECK spares the scan (from 12)."""
    table = known.filled(piece.node.get("relation", {}))
    if table is None or (table.bytes is not None and table.bytes < SCAN_BYTES):
        return
    if relation_names(piece.node["relation"]) in known.validated:
        return
    names = [body.get("name", "") for kind, body in commands(piece) if kind == "AT_SetNotNull"]
    for constraint in added_constraints(piece):
        if constraint["contype"] == "CONSTR_NOTNULL" and not constraint.get("skip_validation"):
            names += strings(constraint.get("keys", []))
    check = "ADD CONSTRAINT … CHECK (column IS NOT NULL) NOT VALID"
    ending = ", VALIDATE CONSTRAINT in a later call, then SET NOT NULL and drop the check."
    if known.server_version >= PG18:
        check, ending = "ADD CONSTRAINT … NOT NULL column NOT VALID", ", VALIDATE CONSTRAINT later."
    for name in names:
        column = table.columns.get(name)
        if column is None or column.not_null or column.proven:
            continue
        yield Finding(
            rule="adding-not-nullable-field",
            object=f"{table.shown}.{name}",
            why=f"every row is checked under {EXCLUSIVE}. {table.size()}.",
            instead=check + ending,
            bytes=table.bytes or 0,
        )


def built_constraint(piece: Statement, known: Catalogue) -> Iterator[Finding]:
    """Find UNIQUE and PRIMARY KEY that build their index while everybody waits."""
    table = known.filled(piece.node.get("relation", {}))
    if table is None:
        return
    found = [
        constraint.get("conname", "")
        for constraint in added_constraints(piece)
        if constraint["contype"] in ("CONSTR_UNIQUE", "CONSTR_PRIMARY")
        and "indexname" not in constraint
    ]
    for column in added_columns(piece):
        given = constraints_of(column)
        if "CONSTR_UNIQUE" in given or "CONSTR_PRIMARY" in given:
            found.append(column["colname"])
    for name in found:
        yield Finding(
            rule="disallowed-unique-constraint",
            object=f"{table.shown} {name}".strip(),
            why=f"its index is built under {EXCLUSIVE}. {table.size()}.",
            instead="CREATE UNIQUE INDEX CONCURRENTLY in a call of its own, then ADD CONSTRAINT … "
            "UNIQUE (or PRIMARY KEY) USING INDEX.",
            bytes=table.bytes or 0,
        )
