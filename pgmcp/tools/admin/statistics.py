"""
Counters set back to nothing: a database's, a table's, a shared view's, or the statements'.

Owns the resets; what autovacuum has counted goes with them.
"""

from __future__ import annotations

from pgmcp.database import Lease
from pgmcp.database.quote import qualified
from pgmcp.errors import CallerError
from pgmcp.results import Result
from pgmcp.sql import load
from pgmcp.tools.admin.params import AdminParams
from pgmcp.tools.admin.relations import INDEX_KINDS, TABLE_KINDS, find_relation
from pgmcp.tools.admin.report import done
from pgmcp.tools.admin.standing import execute_hint, hinting, needing, own_name
from pgmcp.tools.base import Call

STATEMENTS = "pg_stat_statements"
# The words of pg_stat_reset_shared, with the major version that brought each.
SHARED = {
    "archiver": 15,
    "bgwriter": 15,
    "checkpointer": 17,
    "io": 16,
    "recovery_prefetch": 15,
    "slru": 17,
    "wal": 15,
}
# What pg_stat_statements_reset takes, the last since its version 1.11. Values of exactly these
# types leave no room for another function of that name.
RESETTING = (
    ("0::pg_catalog.oid", "oid"),
    ("d.oid", "oid"),
    ("0::pg_catalog.int8", "bigint"),
    ("false", "boolean"),
)
VERSIONS_PER_MAJOR = 10_000
AFTERWARDS = "autovacuum counts dead rows anew: ANALYZE tables that change much"


async def reset_statistics(call: Call, params: AdminParams) -> Result:
    """Reset the whole database's counters, or those of one table or of what params.name says."""
    if params.name is not None and (params.table or params.schema_):
        raise CallerError("name and table are two different things to reset. Give one of them.")
    if params.schema_ is not None and params.table is None:
        raise CallerError("schema needs table: one table's counters are reset, or the database's.")
    async with call.databases.write(params.database, level="admin") as lease:
        if params.name is not None:
            if params.name != STATEMENTS:  # the server's, not this database's
                call.databases.require("admin", None, f"pg_admin reset_statistics {params.name}")
            return await _named(lease, params.name)
        if params.table is not None:
            return await _table(lease, params.schema_, params.table)
        what = f'all counters of database "{lease.database}"'
        return await _run(lease, what, "pg_stat_reset()", "SELECT pg_catalog.pg_stat_reset()")


async def _table(lease: Lease, schema: str | None, name: str) -> Result:
    relation = await find_relation(
        lease, schema, name, kinds=TABLE_KINDS | INDEX_KINDS, what="table or index"
    )
    return await _run(
        lease,
        f"the counters of {relation.identity}",
        "pg_stat_reset_single_table_counters(oid)",
        "SELECT pg_catalog.pg_stat_reset_single_table_counters($1::pg_catalog.oid)",
        relation.oid,
    )


async def _named(lease: Lease, name: str) -> Result:
    major = lease.server_version // VERSIONS_PER_MAJOR
    if name == STATEMENTS:
        return await _statements(lease)
    if SHARED.get(name, major + 1) > major:
        known = [word for word, since in SHARED.items() if since <= major]
        raise CallerError(
            f'name: "{name}" is not resettable on PostgreSQL {major}. Known here are: '
            f"{', '.join((STATEMENTS, *known))}."
        )
    return await _run(
        lease,
        f'the shared counters "{name}"',
        "pg_stat_reset_shared(text)",
        "SELECT pg_catalog.pg_stat_reset_shared($1)",
        name,
    )


async def _statements(lease: Lease) -> Result:
    """Reset this database's statements only; other databases keep theirs."""
    found = await lease.rows(load("admin", "statements_extension", lease.server_version))
    if not found:
        raise CallerError(
            f'pg_stat_statements is not installed in database "{lease.database}". '
            "pg_admin action=create_extension name=pg_stat_statements installs it."
        )
    function = qualified(str(found[0]["schema"]), "pg_stat_statements_reset")
    count = int(found[0]["arguments"] or 0)
    values = ", ".join(value for value, _ in RESETTING[:count])
    types = ", ".join(kind for _, kind in RESETTING[:count])
    return await _run(
        lease,
        f'the statements of database "{lease.database}"',
        f"pg_stat_statements_reset({types})",
        f"SELECT {function}({values}) FROM pg_catalog.pg_database AS d "  # noqa: S608 — quoted
        "WHERE d.datname = pg_catalog.current_database()",
    )


async def _run(lease: Lease, what: str, function: str, sql: str, *args: str) -> Result:
    who = await own_name(lease)
    hint = execute_hint(lease, function, who)
    with hinting(needing(hint)):
        await lease.value(sql, *args)
    remarks = () if "statements" in function or "shared" in function else (AFTERWARDS,)
    return done({"change": "reset", "what": what}, remarks=remarks)
