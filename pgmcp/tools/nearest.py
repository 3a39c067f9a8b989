"""
What a misspelt name may have meant: the nearest names that exist.

Owns the look-up after an error; never fails itself.
"""

from __future__ import annotations

import asyncio
import re
from difflib import SequenceMatcher, get_close_matches

from pgmcp.errors import PgmcpError, QueryFailed
from pgmcp.sql import load
from pgmcp.tools.base import Call

SHOWN = 3
CUTOFF = 0.6  # difflib's measure; below it a name is no help
LISTS = {"42P01": "relations", "42703": "columns", "42883": "functions", "3F000": "schemas"}
NAMED = re.compile(r'"([^"]+)"|column (\S+) does|(?:function|procedure) (\S+?)\(')


async def add_nearest(
    call: Call,
    database: str | None,
    error: PgmcpError,
    *,
    relations: frozenset[str] | None = None,
) -> None:
    """
    Add the nearest existing names to the hint of an "undefined" error, if there are any.

    Columns are those of *relations*, the tables that the statement names; None: of all.
    """
    if not isinstance(error, QueryFailed) or error.report.sqlstate not in LISTS:
        return
    match = NAMED.search(error.report.message)
    if match is None:
        return
    wanted = next(group for group in match.groups() if group)
    action = LISTS[error.report.sqlstate]
    arguments = [None if relations is None else sorted(relations)] if action == "columns" else []
    try:
        names = await call.databases.read(
            database,
            lambda lease: lease.rows(load("query", action, lease.server_version), *arguments),
        )
    except PgmcpError:
        return  # the caller has one error already
    # Thousands of names take a tenth of a second to compare; others need not wait for it.
    near = await asyncio.to_thread(nearest, wanted, [str(row["name"]) for row in names])
    if near:
        plural = "names are" if len(near) > 1 else "name is"
        known = f"the nearest {plural} {', '.join(near)}."
        error.hint = f"{known} {error.hint or ''}".rstrip()


def nearest(wanted: str, names: list[str]) -> list[str]:
    """Return up to three of *names*, the likest first; schemas decide only between equals."""
    wanted = wanted.lower()
    by_last: dict[str, list[str]] = {}
    for name in names:
        by_last.setdefault(name.rpartition(".")[2].lower(), []).append(name)
    found: list[str] = []
    for match in get_close_matches(wanted.rpartition(".")[2], list(by_last), SHOWN, CUTOFF):
        found += sorted(by_last[match], key=lambda name: -_likeness(wanted, name))
    return found[:SHOWN]


def _likeness(wanted: str, name: str) -> float:
    return SequenceMatcher(None, wanted, name.lower()).ratio()
