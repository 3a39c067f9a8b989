"""
Answers of several queries, where one that fails leaves a row instead of hiding the others.

Owns which parts make up `health` and `wal`, and their order.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pgmcp.errors import QueryFailed
from pgmcp.results import Result
from pgmcp.tools.monitor.pattern import like, matches
from pgmcp.tools.monitor.reading import PART_LIMIT, Reader, rest
from pgmcp.tools.reach import remark

if TYPE_CHECKING:
    from pgmcp.database import Bounds, Lease
    from pgmcp.results import Row
    from pgmcp.tools.base import Call

HEALTH_COLUMNS = ("check", "status", "value", "threshold", "hint")
WAL_COLUMNS = ("item", "value", "hint")
STATUSES = ("crit", "warn", "unknown", "ok")  # the order of the answer

HEALTH = (
    "server",
    "connections",
    "blocked_sessions",
    "oldest_transaction",
    "idle_in_transaction",
    "transaction_ids",
    "multixact_ids",
    "dangerous_settings",
    "pending_restart",
    "checksum_failures",
    "archiver",
    "replication_slots",
    "standbys",
    "wal_directory",
    "database_size",
    "cache_hits",
    "temporary_files",
    "deadlocks",
    "dead_rows",
    "never_vacuumed",
    "sequences",
    "invalid_indexes",
    "unused_indexes",
    "collation_versions",
    "statement_statistics",
)
WAL = ("wal", "wal_volume", "wal_checkpoints", "wal_archiver", "wal_directory")
TOTAL_LIMIT = PART_LIMIT * len(HEALTH) + timedelta(seconds=5)


async def health(call: Call, database: str | None, pattern: str | None, bounds: Bounds) -> Result:
    """Run every check whose name matches; the worst come first."""
    started, withheld = time.perf_counter(), 0

    async def work(lease: Lease) -> list[Row]:
        nonlocal withheld
        reader = await Reader.enter(call, lease, like(pattern), PART_LIMIT)
        withheld = reader.withheld
        rows: list[Row] = []
        for name in HEALTH:
            found = await reader.part(f"health_{name}", HEALTH_COLUMNS)
            if isinstance(found, list):
                rows += found
            else:
                reason, hint = _reason(found)
                rows.append((name.replace("_", " "), "unknown", reason, None, hint))
        return rows

    found = await call.databases.read(database, work, timeout=TOTAL_LIMIT, login="monitor")
    rows = [row for row in found if matches(pattern, row[0] or "")]
    rows.sort(key=lambda row: STATUSES.index(row[1] or "unknown"))
    counted = Counter(row[1] for row in rows)
    verdict = ", ".join(f"{counted[status]} {status}" for status in STATUSES if counted[status])
    remarks = [verdict, *remark(withheld)] if verdict else [*remark(withheld)]
    return _result(HEALTH_COLUMNS, rows, bounds, remarks=remarks, started=started)


async def wal(call: Call, database: str | None, pattern: str | None, bounds: Bounds) -> Result:
    """List where the write-ahead log stands, how fast it grows and where it goes."""
    started = time.perf_counter()

    async def work(lease: Lease) -> list[Row]:
        reader = await Reader.enter(call, lease, like(pattern), PART_LIMIT)
        rows: list[Row] = []
        for name in WAL:
            found = await reader.part(name, WAL_COLUMNS)
            if isinstance(found, list):
                rows += found
            else:
                rows.append((name.removeprefix("wal_"), *_reason(found)))
        return rows

    found = await call.databases.read(database, work, timeout=TOTAL_LIMIT, login="monitor")
    rows = [row for row in found if matches(pattern, row[0] or "")]
    return _result(WAL_COLUMNS, rows, bounds, remarks=[], started=started)


def _reason(failure: QueryFailed | str) -> tuple[str, str | None]:
    """Return why a part has no rows, and what would mend it."""
    if isinstance(failure, str):
        return failure, "the server is busy, or a lock is held: action=locks"
    return f"{failure.report.sqlstate}: {failure.report.message}", failure.hint


def _result(
    columns: tuple[str, ...],
    rows: list[Row],
    bounds: Bounds,
    *,
    remarks: list[str],
    started: float,
) -> Result:
    result = Result.of(
        columns,
        rows,
        max_rows=bounds.max_rows,
        max_bytes=bounds.max_bytes,
        milliseconds=(time.perf_counter() - started) * 1000,
    )
    more = rest(len(result.rows), bounds) if result.more else ()
    return replace(result, remarks=(*remarks, *more))
