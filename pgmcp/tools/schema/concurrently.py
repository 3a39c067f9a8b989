"""
CONCURRENTLY: alone, outside transactions, with time, and with its ruins named.

Owns the one way of running DDL that PostgreSQL cannot roll back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pgmcp.database import Bounds, Lease
from pgmcp.database.quote import identifier
from pgmcp.errors import CallerError, PgmcpError
from pgmcp.grammar import relation_names
from pgmcp.results import Result
from pgmcp.statement import Statement
from pgmcp.tools.base import Call
from pgmcp.tools.confirm import require
from pgmcp.tools.schema.pieces import title_of
from pgmcp.tools.schema.reading import facts_of

if TYPE_CHECKING:
    from pgmcp.tools.schema.params import SchemaParams


def require_alone(pieces: Sequence[Statement], *, dry_run: bool, session_id: str | None) -> None:
    """Refuse CONCURRENTLY where PostgreSQL would: with others, in a transaction, in a dry run."""
    if len(pieces) > 1:
        raise CallerError(
            f"sql holds {len(pieces)} statements, one of them with CONCURRENTLY, which runs "
            "outside transactions and stands alone. Send it in a call of its own."
        )
    if session_id is not None:
        raise CallerError(
            "CONCURRENTLY runs outside transactions only. Leave session_id out; the transaction "
            "stays open."
        )
    if dry_run:
        raise CallerError(
            "CONCURRENTLY cannot be rolled back, so there is no dry run of it. Leave dry_run out, "
            "or try the statement without CONCURRENTLY to see what it would do."
        )


async def run_concurrently(call: Call, params: SchemaParams, piece: Statement) -> Result:
    """
    Run *piece* with the longest limit: it lets others read and write.

    Raises:
        PgmcpError: its fate names an index that is left behind INVALID, and how to drop it.
    """
    limits = call.settings.limits
    async with call.databases.bare(
        params.database, timeout=limits.maintenance_timeout, level="ddl"
    ) as lease:
        await require(call, lease, piece, params.confirm)
        # It waits for older transactions to end, and that wait blocks nobody.
        await lease.command("SET lock_timeout = 0")
        table = _table_of(piece)
        before = {row["oid"] for row in await facts_of(lease, "invalid", table)}
        try:
            return await lease.run(piece, bounds=Bounds.of(limits))
        except PgmcpError as error:
            error.fate = await _ruins(lease, piece, table, before)
            raise


def _table_of(piece: Statement) -> str | None:
    names = relation_names(piece.node.get("relation", {})) if piece.kind == "IndexStmt" else ()
    return ".".join(identifier(name) for name in names) or None


async def _ruins(lease: Lease, piece: Statement, table: str | None, before: set[str]) -> str:
    """Say what the failed statement has left behind."""
    try:
        now = await facts_of(lease, "invalid", table)
    except PgmcpError:
        return (
            "unknown: the connection broke. An INVALID index may be left behind: "
            "pg_monitor action=indexes shows it."
        )
    left = [str(row["name"]) for row in now if row["oid"] not in before]
    if left:
        listed = ", ".join(left)
        return (
            f"none, but {listed} is left behind INVALID: it is not used and slows writing. Drop "
            f'it: pg_schema action=drop sql="DROP INDEX CONCURRENTLY {listed}" confirm="{listed}".'
        )
    if piece.kind == "AlterTableStmt":
        return (
            "none; if the partition is shown as pending, finish with ALTER TABLE … DETACH "
            "PARTITION … FINALIZE."
        )
    return f"none; {title_of(piece)} left nothing behind."
