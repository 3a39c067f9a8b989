"""
pg_monitor's parameters, its actions and what they return.

Owns the way from a call to a result; what is read is in SQL files.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pgmcp.database import Bounds
from pgmcp.tools.base import Answer, Call, Params, Tool, answer
from pgmcp.tools.monitor import report
from pgmcp.tools.monitor.pattern import like
from pgmcp.tools.monitor.reading import Reader
from pgmcp.tools.monitor.statements import slow_queries_sql
from pgmcp.tools.reach import remark

if TYPE_CHECKING:
    from pgmcp.database import Lease
    from pgmcp.results import Result

DESCRIPTION = """\
See how PostgreSQL is doing; changes nothing. Start with health: each row is a check with status \
(crit, warn, unknown, ok) and what to do. connections, activity, locks (who waits for whom), \
replication, wal, databases, progress, settings (without pattern: those changed) are the \
server's; slow_queries, tables, indexes (unused, duplicate, invalid, missing for foreign keys), \
vacuum and sequences are one database's, and texts of queries show for that database only. \
pattern filters names: part of one, or with * the whole; case is ignored. Columns end in their \
unit: _bytes, _seconds, _ms, _percent.
Example: action="tables", pattern="shop.*\""""

SESSION_ACTIONS = frozenset({"connections", "activity", "locks", "slow_queries", "progress"})
# They tell of several databases, where the others tell of one or of the server alone.
SERVER_ACTIONS = frozenset(
    {"connections", "activity", "locks", "progress", "databases", "replication", "settings"}
)
SETTING_ACTIONS = frozenset({"settings"})


class MonitorParams(Params):
    """The parameters of pg_monitor, as on the wire."""

    action: Literal[
        "health",
        "connections",
        "activity",
        "locks",
        "slow_queries",
        "tables",
        "indexes",
        "databases",
        "replication",
        "wal",
        "vacuum",
        "progress",
        "settings",
        "sequences",
    ] = Field(description="What to look at.")
    database: str | None = Field(None, description="The default one unless said.")
    pattern: str | None = Field(
        None, min_length=1, max_length=200, description="Filter of names, such as shop.* or order."
    )
    max_rows: int | None = Field(None, ge=1, description="Most rows to return.")
    format: Literal["text", "json"] = Field("text", description="Form of the answer.")


async def run(call: Call, params: MonitorParams) -> Answer:
    """Carry out one action."""
    call.record.level = "read"
    bounds = Bounds.of(call.settings.limits, params.max_rows)
    if params.action == "health":
        result = await report.health(call, params.database, params.pattern, bounds)
    elif params.action == "wal":
        result = await report.wal(call, params.database, params.pattern, bounds)
    else:
        result = await _listing(call, params, bounds)
    return answer(result, params.format)


async def _listing(call: Call, params: MonitorParams, bounds: Bounds) -> Result:
    """Run the one query of an action, and say what the login role could not see."""
    pattern = like(params.pattern)

    async def work(lease: Lease) -> Result:
        reader = await Reader.enter(call, lease, pattern, call.settings.limits.timeout)
        if params.action == "slow_queries":
            sql = await slow_queries_sql(reader)
        else:
            sql = reader.sql(params.action)
        result = await reader.listing(sql, bounds)
        left_out = remark(reader.withheld) if params.action in SERVER_ACTIONS else ()
        return replace(
            result,
            remarks=(*result.remarks, *left_out),
            notices=(*result.notices, *_blind_spots(params.action, reader)),
        )

    return await call.databases.read(params.database, work, login="monitor")


def _blind_spots(action: str, reader: Reader) -> list[str]:
    if action in SESSION_ACTIONS and not reader.sees_sessions:
        return [f"what other roles do is hidden from {reader.role}; {reader.grant}"]
    if action in SETTING_ACTIONS and not reader.sees_settings:
        return [f"settings only for superusers are left out for {reader.role}; {reader.grant}"]
    return []


TOOL = Tool(
    name="pg_monitor",
    title="Watch PostgreSQL",
    description=DESCRIPTION,
    params=MonitorParams,
    run=run,
    read_only=True,
    destructive=False,
    idempotent=True,
)
