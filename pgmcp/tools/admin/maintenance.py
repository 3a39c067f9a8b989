"""
Upkeep of tables: VACUUM and ANALYZE.

Owns both commands, outside transactions as VACUUM needs it; REINDEX is next door.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pgmcp.database import Lease
from pgmcp.errors import AccessDenied
from pgmcp.results import Result
from pgmcp.sql import load
from pgmcp.tools.admin.attributes import chosen
from pgmcp.tools.admin.params import AdminParams
from pgmcp.tools.admin.relations import TABLE_KINDS, Relation, find_relation, tables_of
from pgmcp.tools.admin.report import counted, done, first_of, table
from pgmcp.tools.admin.standing import become_owner, own_name
from pgmcp.tools.admin.watch import with_progress
from pgmcp.tools.base import Call

VACUUM_WORDS = ("ANALYZE", "FREEZE", "SKIP_LOCKED")
SINCE_MAINTAIN = 170000  # the privilege MAINTAIN and the role pg_maintain
SKIPPED_NAMED = 5


async def vacuum(call: Call, params: AdminParams) -> Result:
    """Give dead rows' space back; params.full rewrites the table under an exclusive lock."""
    words = [*(["FULL"] if params.full else []), *chosen(params.attributes or (), VACUUM_WORDS)]
    options = f" ({', '.join(words)})" if words else ""
    return await _maintain(call, params, f"VACUUM{options}")


async def analyze(call: Call, params: AdminParams) -> Result:
    """Count anew what the planner knows of the tables."""
    return await _maintain(call, params, "ANALYZE")


async def _maintain(call: Call, params: AdminParams, command: str) -> Result:
    async with call.databases.bare(
        params.database, timeout=call.settings.limits.maintenance_timeout
    ) as lease:
        if params.table is None and params.schema_ is None:
            await with_progress(call, lease, command, lease.command(command))
            return _whole(lease, command)
        relations = await _relations(lease, params)
        able = [relation for relation in relations if relation.may_maintain]
        if not able:
            verb = command.partition(" ")[0]
            raise AccessDenied(
                f"{verb} would skip {relations[0].identity}: the gateway's role "
                f"{await own_name(lease)} neither owns nor maintains it.",
                hint=maintain_hint(lease, await own_name(lease), relations[0]),
            )
        rows = [await _one(call, lease, command, relation) for relation in able]
        skipped = [relation.identity for relation in relations if not relation.may_maintain]
        remarks = [f"not owned, so left out: {first_of(skipped, SKIPPED_NAMED)}"] if skipped else []
        return table(rows, remarks=remarks, notices=lease.notices)


async def _relations(lease: Lease, params: AdminParams) -> Sequence[Relation]:
    if params.table is None:
        return await tables_of(lease, params.schema_ or "")
    relation = await find_relation(
        lease, params.schema_, params.table, kinds=TABLE_KINDS, what="table"
    )
    return [relation]


async def _one(
    call: Call, lease: Lease, command: str, relation: Relation
) -> Mapping[str, str | None]:
    """Run *command* on one table; return its state before and after."""
    state = load("admin", "relation_state", lease.server_version)
    before = (await lease.rows(state, relation.oid))[0]
    sql = f"{command} {relation.identity}"
    await with_progress(call, lease, sql, lease.command(sql))
    after = (await lease.rows(state, relation.oid))[0]
    return {
        "command": command,
        "table": relation.identity,
        "size_before": before["size"],
        "size_after": after["size"],
        "rows": after["rows"],
        "dead_rows_before": before["dead_rows"],
    }


def _whole(lease: Lease, command: str) -> Result:
    """Report on the whole database; PostgreSQL warns of each table that it skipped."""
    skipped = [notice for notice in lease.notices if notice.startswith("WARNING")]
    cells = {"command": command, "database": lease.database}
    if not skipped:
        return done(cells)
    remark = f"{counted(len(skipped), 'table')} skipped: not owned by the gateway's role"
    return done(cells, remarks=(remark,), notices=skipped)


def maintain_hint(lease: Lease, who: str, relation: Relation) -> str:
    """Return which GRANT would let the gateway maintain *relation*."""
    owner = become_owner(
        relation.owner, who, f"TABLE {relation.identity}", superuser=relation.owner_is_superuser
    )
    if lease.server_version >= SINCE_MAINTAIN:
        return (
            f"GRANT MAINTAIN ON {relation.identity} TO {who}; or GRANT pg_maintain TO {who}; for "
            f"all tables, or {owner}"
        )
    return f"below PostgreSQL 17 only the owners of table and database may: {owner}"
