"""
The dry run: the DDL really runs, is looked at, and is rolled back.

Owns the trial and what it observes; `trial_report` writes it down. Not undone, because PostgreSQL
does not: what sequences counted, and what a function does outside the database.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from pgmcp.database import Bounds, Lease
from pgmcp.errors import QueryFailed, StatementTimeout
from pgmcp.settings import Limits
from pgmcp.statement import Statement
from pgmcp.tools.base import Answer, Call
from pgmcp.tools.savepoint import go_back
from pgmcp.tools.schema.failing import explain, whole_limit
from pgmcp.tools.schema.lint import Catalogue, Finding, lint
from pgmcp.tools.schema.lint.gather import gather
from pgmcp.tools.schema.lint.nodes import commands
from pgmcp.tools.schema.page import Page, size_text
from pgmcp.tools.schema.pieces import level_of
from pgmcp.tools.schema.reading import facts_of
from pgmcp.tools.schema.trial import Trial
from pgmcp.tools.schema.trial_report import lines_of, report_of

if TYPE_CHECKING:
    from pgmcp.tools.schema.params import SchemaParams

# Up to this size a rewrite or scan takes seconds, on a small machine too; beyond it the trial
# would itself be the outage that it is meant to predict.
TRIAL_BYTES = 256 * 1024 * 1024
SAVEPOINT = "pgmcp_dry_run"
REWRITING = {"AT_SetLogged", "AT_SetUnLogged", "AT_SetTableSpace", "AT_SetAccessMethod"}
REST = "Try fewer statements at a time."


async def dry_run(
    call: Call, params: SchemaParams, pieces: Sequence[Statement], *, lock_limit: timedelta
) -> Answer:
    """Try *pieces* in a transaction that is rolled back, or behind a savepoint of the caller's."""
    limits = call.settings.limits
    started = time.perf_counter()

    async def work(lease: Lease) -> Trial:
        return await _try(lease, pieces, limits, lock_limit)

    whole = whole_limit(pieces, limits.timeout, limits)
    if params.session_id is None:
        trial = await call.databases.attempt(
            params.database, work, timeout=whole, level=level_of(pieces)
        )
    else:
        async with call.transactions.borrow(
            params.session_id, level="ddl", database=params.database, timeout=whole
        ) as lease:
            trial = await work(lease)
    page = Page(lines=lines_of, max_bytes=limits.max_bytes, rest=REST)
    elapsed = (time.perf_counter() - started) * 1000
    return page.answer(report_of(trial), milliseconds=elapsed, format=params.format)


async def _try(
    lease: Lease, pieces: Sequence[Statement], limits: Limits, lock_limit: timedelta
) -> Trial:
    await lease.command(f"SAVEPOINT {SAVEPOINT}")
    try:
        # Behind the savepoint, so that going back to it restores the transaction's own limits,
        # and an error while looking does not abort the transaction.
        await lease.limit_time(limits.timeout, lock_limit)
        trial = await _observe(lease, pieces, limits)
    finally:
        so = "Its connection is given up, which rolls back, too."
        await asyncio.shield(go_back(lease, SAVEPOINT, of="the dry run", so=so))
    oids = sorted({str(row["oid"]) for row in trial.locks})
    trial.before = await facts_of(lease, "touched", oids) if oids else []
    return trial


async def _observe(lease: Lease, pieces: Sequence[Statement], limits: Limits) -> Trial:
    known = await gather(lease, pieces)
    trial = Trial(findings=lint(pieces, known))
    trial.skipped = _too_big(pieces, known, trial.findings)
    if trial.skipped:
        return trial
    held = {(row["oid"], row["mode"]) for row in await facts_of(lease, "locks")}
    await _run_pieces(lease, pieces, limits, trial)
    if trial.error is None:
        locks = await facts_of(lease, "locks")
        trial.locks = [row for row in locks if (row["oid"], row["mode"]) not in held]
    return trial


async def _run_pieces(
    lease: Lease, pieces: Sequence[Statement], limits: Limits, trial: Trial
) -> None:
    """Run until a piece fails; that PostgreSQL refuses one is a finding, not an error."""
    noted = len(lease.notices)
    for piece in pieces:
        try:
            done = await lease.run(piece, bounds=Bounds.of(limits))
        except (QueryFailed, StatementTimeout) as error:
            explain(error, piece, 1, 1, limits.timeout)
            trial.error, trial.failed = error, piece
            break
        trial.done.append((piece, done.tag, done.milliseconds))
    trial.notices = list(lease.notices[noted:])


def _too_big(pieces: Sequence[Statement], known: Catalogue, findings: Sequence[Finding]) -> str:
    """Say why the trial would hurt: it really scans and rewrites, and keeps the lock meanwhile."""
    touched = {finding.object: finding.bytes for finding in findings}
    for piece in pieces:
        table = known.filled(piece.node.get("relation", {}))
        if table is None or table.bytes is None:
            continue
        rewrites = any(subtype in REWRITING for subtype, _ in commands(piece))
        if rewrites or piece.kind == "RefreshMatViewStmt":
            touched[table.shown] = table.bytes
    total = sum(touched.values())
    if total <= TRIAL_BYTES:
        return ""
    return (
        f"it would scan or rewrite {size_text(total)} while it holds its locks; up to "
        f"{size_text(TRIAL_BYTES)} are tried. Read the findings, or try it on a copy"
    )
