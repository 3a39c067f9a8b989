"""
How pgmcp's catalogue queries run: with a safe search path, a short lock wait, and a pattern.

Owns the noun Reader; the queries are files in pgmcp/sql/monitor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pgmcp.database.quote import identifier
from pgmcp.errors import QueryFailed, StatementTimeout
from pgmcp.sql import load
from pgmcp.statement import catalogue
from pgmcp.tools.reach import narrow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pgmcp.database import Bounds, Lease
    from pgmcp.results import Result, Row
    from pgmcp.tools.base import Call

TOOL = "monitor"
INSUFFICIENT_PRIVILEGE = "42501"
LOCK_LIMIT = timedelta(seconds=2)  # a report that waits behind ALTER TABLE helps nobody
PART_LIMIT = timedelta(seconds=3)  # of one check, so that a slow one cannot hide the others

# A function lower(name) that somebody put into public would otherwise be called in place of
# PostgreSQL's, with the gateway's rights (CVE-2018-1058).
ENTER = """
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true) AS path,
       pg_catalog.set_config('jit', 'off', true) AS jit,
       pg_catalog.set_config('standard_conforming_strings', 'on', true) AS strings,
       pg_catalog.set_config('pgmcp.pattern', $1, true) AS pattern,
       pg_catalog.quote_ident(current_user) AS role,
       pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS sees_sessions,
       pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE') AS sees_settings
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """
    Run catalogue queries on one lease, in its transaction.

    *role* is the quoted name of the login role; the two claims are what pg_monitor would give it.
    *withheld* counts the databases that the reports say nothing of, as they are out of reach.
    """

    lease: Lease
    role: str
    sees_sessions: bool
    sees_settings: bool
    withheld: int = 0

    @classmethod
    async def enter(cls, call: Call, lease: Lease, pattern: str, limit: timedelta) -> Reader:
        """Prepare the transaction: *pattern* is LIKE's, *limit* that of each query."""
        await lease.limit_time(limit, LOCK_LIMIT)
        (row,) = await lease.rows(ENTER, pattern)
        return cls(
            lease=lease,
            role=row["role"] or "",
            sees_sessions=row["sees_sessions"] == "t",
            sees_settings=row["sees_settings"] == "t",
            withheld=await narrow(call, lease),
        )

    @property
    def grant(self) -> str:
        """Return the statement that shows this role everything."""
        return f"GRANT pg_monitor TO {self.role}"

    def sql(self, name: str, *, version: int | None = None, schema: str | None = None) -> str:
        """
        Return the query *name* for this server.

        *version* overrides the server's, where an extension's decides; *schema* stands for
        `public`, where an extension lives elsewhere.
        """
        text = load(TOOL, name, version or self.lease.server_version)
        return text if schema is None else text.replace("public.", f"{identifier(schema)}.")

    async def listing(self, sql: str, bounds: Bounds) -> Result:
        """Run *sql* for the client; where rows are left out, say how to reach them."""
        result = await self.lease.run(catalogue(sql), (), bounds=bounds)
        return replace(result, remarks=rest(len(result.rows), bounds)) if result.more else result

    async def part(self, name: str, columns: Sequence[str]) -> list[Row] | QueryFailed | str:
        """
        Run one part of a report and return its rows, or why there are none.

        The transaction stays usable, so that one failing part hides no other.
        """
        await self.lease.command("SAVEPOINT part")
        try:
            rows = await self.lease.rows(self.sql(name))
        except QueryFailed as error:
            await self.lease.command("ROLLBACK TO SAVEPOINT part")
            if error.report.sqlstate != INSUFFICIENT_PRIVILEGE:
                return error
            return QueryFailed(error.report, sql=error.sql, hint=self.grant)
        except StatementTimeout:
            await self.lease.command("ROLLBACK TO SAVEPOINT part")
            return f"no answer within {PART_LIMIT.total_seconds():.0f} s"
        await self.lease.command("RELEASE SAVEPOINT part")
        return [tuple(row[column] for column in columns) for row in rows]


def rest(shown: int, bounds: Bounds) -> tuple[str, ...]:
    """Say how to reach the rows that a cut answer of *shown* rows left out."""
    if shown < bounds.max_rows:
        return (f"cut at {bounds.max_bytes} bytes: narrow pattern",)
    return ("raise max_rows or narrow pattern",)
