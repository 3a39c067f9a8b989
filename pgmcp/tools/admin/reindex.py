"""
Indexes built anew: one, a table's, a schema's or a database's.

Owns REINDEX, CONCURRENTLY unless asked otherwise, and names what a failed one leaves behind.
"""

from __future__ import annotations

from dataclasses import dataclass

from pgmcp.database import Lease
from pgmcp.database.quote import identifier
from pgmcp.errors import AccessDenied, CallerError, PgmcpError
from pgmcp.results import Result
from pgmcp.sql import load
from pgmcp.tools.admin.maintenance import maintain_hint
from pgmcp.tools.admin.params import AdminParams
from pgmcp.tools.admin.relations import INDEX_KINDS, TABLE_KINDS, Relation, find_relation
from pgmcp.tools.admin.report import done
from pgmcp.tools.admin.standing import hinting, needing, own_name
from pgmcp.tools.admin.watch import with_progress
from pgmcp.tools.base import Call


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Say what is rebuilt: the word of REINDEX, the name as SQL, and the relation if it is one."""

    word: str
    name: str
    relation: Relation | None = None


async def reindex(call: Call, params: AdminParams) -> Result:
    """Rebuild indexes; params.full does it plainly, faster but with writers locked out."""
    concurrently = params.full is not True
    async with call.databases.bare(
        params.database, timeout=call.settings.limits.maintenance_timeout
    ) as lease:
        scope = await _scope(lease, params)
        who = await own_name(lease)
        if scope.relation is not None and not scope.relation.may_maintain:
            raise AccessDenied(
                f"REINDEX of {scope.name} is not the gateway's to do: its role {who} neither owns "
                "nor maintains it.",
                hint=maintain_hint(lease, who, scope.relation),
            )
        before = await _size(lease, scope)
        known = await _invalid(lease)
        if concurrently:
            # It waits for old transactions without being in anybody's way.
            await lease.command("SET lock_timeout = 0")
        sql = f"REINDEX {scope.word}{' CONCURRENTLY' * concurrently} {scope.name}"
        try:
            with hinting(needing(f"only the owner reindexes a {scope.word.lower()}.")):
                await with_progress(call, lease, sql, lease.command(sql))
        except PgmcpError as error:
            if concurrently:
                await _tell_leftovers(call, lease.database, error, known)
            raise
        after = await _size(lease, scope)
        notices = list(lease.notices)
    cells: dict[str, str | None] = {"command": sql, "database": lease.database}
    if scope.relation is not None:
        cells |= {"index_size_before": before, "index_size_after": after}
    return done(cells, notices=notices)


async def _scope(lease: Lease, params: AdminParams) -> Scope:
    if params.name is not None and params.table is not None:
        raise CallerError("name is one index and table all indexes of a table. Give one of them.")
    if params.name is not None:
        found = await find_relation(
            lease, params.schema_, params.name, kinds=INDEX_KINDS, what="index"
        )
        return Scope(word="INDEX", name=found.identity, relation=found)
    if params.table is not None:
        found = await find_relation(
            lease, params.schema_, params.table, kinds=TABLE_KINDS, what="table"
        )
        return Scope(word="TABLE", name=found.identity, relation=found)
    if params.schema_ is not None:
        return Scope(word="SCHEMA", name=identifier(params.schema_))
    return Scope(word="DATABASE", name=identifier(lease.database))


async def _size(lease: Lease, scope: Scope) -> str | None:
    if scope.relation is None:
        return None
    return await lease.value(load("admin", "index_size", lease.server_version), scope.name)


async def _invalid(lease: Lease) -> set[str]:
    sql = load("admin", "invalid_indexes", lease.server_version)
    return {str(row["identity"]) for row in await lease.rows(sql)}


async def _tell_leftovers(call: Call, database: str, error: PgmcpError, known: set[str]) -> None:
    """Add to *error* the indexes that the failed command left invalid."""
    try:
        left = sorted(
            await call.databases.read(database, _invalid, login="admin", level="admin") - known
        )
    except PgmcpError:
        return  # the caller has one error already
    if left:
        drops = " ".join(f"DROP INDEX CONCURRENTLY {name};" for name in left)
        error.hint = (
            f"{error.hint or ''} It left behind invalid indexes, which cost writes and serve no "
            f"query; the old ones still work. Drop each with pg_schema action=drop: {drops}"
        ).strip()
