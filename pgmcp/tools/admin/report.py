"""
How an action tells what it did, and how the lists are read.

Owns the one-row report and the pattern of the lists; changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pgmcp.database import Bounds, Lease
from pgmcp.results import Result, escape
from pgmcp.sql import load
from pgmcp.statement import catalogue
from pgmcp.tools.admin.params import AdminParams
from pgmcp.tools.base import Call
from pgmcp.tools.reach import narrow, remark

Cells = Mapping[str, str | None]
NOTICES_SHOWN = 20


def done(cells: Cells, *, remarks: Sequence[str] = (), notices: Sequence[str] = ()) -> Result:
    """Return one row: what was done, by the name of each fact."""
    result = Result.of(list(cells), [list(cells.values())], remarks=[*map(escape, remarks)])
    return replace(result, notices=_bounded(notices))


def table(
    rows: Sequence[Cells], *, remarks: Sequence[str] = (), notices: Sequence[str] = ()
) -> Result:
    """Return *rows*, which must not be empty and have the same names."""
    cells = [list(row.values()) for row in rows]
    result = Result.of(list(rows[0]), cells, remarks=[*map(escape, remarks)])
    return replace(result, notices=_bounded(notices))


def _bounded(notices: Sequence[str]) -> tuple[str, ...]:
    left = len(notices) - NOTICES_SHOWN
    more = (f"{left} more notices",) if left > 0 else ()
    return (*notices[:NOTICES_SHOWN], *more)


async def listing(call: Call, params: AdminParams, action: str) -> Result:
    """Run the SQL of *action*, narrowed to params.name, in which * stands for anything."""
    bounds = Bounds.of(call.settings.limits, params.max_rows)

    async def work(lease: Lease) -> Result:
        withheld = await narrow(call, lease) if action in ("databases", "setting") else 0
        await lease.value(
            "SELECT pg_catalog.set_config('pgmcp.pattern', $1, true)", like(params.name)
        )
        sql = load("admin", action, lease.server_version)
        result = await lease.run(catalogue(sql), bounds=bounds)
        return replace(result, remarks=(*result.remarks, *remark(withheld)))

    return await call.databases.read(params.database, work, login="admin", level="admin")


def like(name: str | None) -> str:
    """Return the LIKE pattern in lower case for *name*; empty for everything."""
    if name is None:
        return ""
    escaped = name.lower()
    for special in ("\\", "%", "_"):
        escaped = escaped.replace(special, "\\" + special)
    return escaped.replace("*", "%")


def counted(count: int, what: str) -> str:
    """Return "1 row" or "3 rows"."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def first_of(names: Sequence[str], most: int) -> str:
    """Return *names* comma-separated, the first *most* of them, and how many are left out."""
    shown = ", ".join(names[:most])
    left = len(names) - most
    return f"{shown} and {left} more" if left > 0 else shown
