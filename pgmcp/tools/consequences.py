"""
What somebody should know before saying yes: how many rows, which locks, and who holds them now.

Owns the looking and its words; leaves no lock behind and decides nothing.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pgmcp.database import Lease
from pgmcp.errors import QueryFailed, StatementTimeout, visible
from pgmcp.grammar import Target
from pgmcp.sql import load
from pgmcp.tools.savepoint import go_back

COUNTING = timedelta(seconds=1)  # for all counts of one question
COUNT_LOCK = timedelta(milliseconds=100)  # who waits for a lock to count would add to a queue
SAVEPOINT = "pgmcp_count"
HOLDERS = 5  # told of
NAMED = 5  # tables of one lock
IDENTIFIER = re.compile(r'"(?:[^"]|"")*"')
FOUR_DIGITS = 0xFFFF  # the highest character of SQL's short escape
WRITING, GENTLE, ALONE = "RowExclusiveLock", "ShareUpdateExclusiveLock", "AccessExclusiveLock"
LOCKS = {
    WRITING: "ROW EXCLUSIVE on {}: others can read, and wait where they change the same rows",
    GENTLE: "SHARE UPDATE EXCLUSIVE on {}: others can read and write",
    ALONE: "ACCESS EXCLUSIVE on {}: nobody else can read or write until it is done",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """Name one relation that a statement would change, and the lock that it takes for that."""

    name: str
    oid: str
    mode: str
    only: bool = False


def mode_of(target: Target, *, concurrently: bool) -> str:
    """Return the lock that what happens to *target* needs on its relation."""
    if target.verb.startswith(("UPDATE", "DELETE")):
        return WRITING
    return GENTLE if concurrently else ALONE


async def rows_of(lease: Lease, subjects: Sequence[Subject]) -> Mapping[str, str]:
    """
    Return how many rows each relation has, in words, by its oid; those that have none are left out.

    Counted where that is cheap and calls nobody's code, else PostgreSQL's estimate.
    """
    version = lease.server_version
    words: dict[str, str] = {}
    countable: list[Subject] = []
    for subject in dict.fromkeys(subjects):
        only = "t" if subject.only else "f"
        (row,) = await lease.rows(load("confirm", "rows", version), subject.oid, only)
        if row["rows"] is not None:
            words[subject.oid] = f"about {row['rows']} rows"
        if row["is_countable"] == "t":
            countable.append(subject)
    for oid, count in (await _counts(lease, countable)).items():
        words[oid] = f"{count} row{'' if count == '1' else 's'}"
    return words


async def _counts(lease: Lease, subjects: Sequence[Subject]) -> Mapping[str, str]:
    """Count within the time for it, behind a savepoint: what is locked meanwhile is given back."""
    counts: dict[str, str] = {}
    if not subjects or not lease.in_transaction:
        return counts
    until = time.monotonic() + COUNTING.total_seconds()
    await lease.command(f"SAVEPOINT {SAVEPOINT}")
    try:
        for subject in subjects:
            left = timedelta(seconds=until - time.monotonic())
            if left < COUNT_LOCK:
                break
            await lease.limit_time(left, COUNT_LOCK)
            only = "ONLY " if subject.only else ""
            count = await lease.value(f"SELECT pg_catalog.count(*) FROM {only}{subject.name}")  # noqa: S608
            counts[subject.oid] = count or "0"
    except (QueryFailed, StatementTimeout):
        pass  # locked, large, or not for this login: the estimate serves
    finally:
        so = "Nothing was done, and the connection is given up."
        await asyncio.shield(go_back(lease, SAVEPOINT, of="a count", so=so))
    return counts


async def locks_of(lease: Lease, subjects: Sequence[Subject]) -> list[str]:
    """Return, a line each, the locks that would be taken and who is in their way now."""
    lines: list[str] = []
    for mode, text in LOCKS.items():
        meant = [subject for subject in subjects if subject.mode == mode]
        if not meant:
            continue
        names = listed([*dict.fromkeys(readable(subject.name) for subject in meant)], NAMED)
        lines.append(f"lock: {text.format(names)}")
        sql = load("confirm", "holders", lease.server_version)
        holders = await lease.rows(sql, [subject.oid for subject in meant], mode)
        lines += [_in_the_way(holder) for holder in holders[:HOLDERS]]
        if len(holders) > HOLDERS:
            lines.append(f"in its way: {len(holders) - HOLDERS} more; pg_monitor action=locks")
    return lines


def _in_the_way(holder: Mapping[str, str | None]) -> str:
    """Say who holds what, as far as the login may see it."""
    facts = [f"pid {holder['pid']}" if holder["pid"] else "a prepared transaction"]
    if holder["role"]:
        facts.append(f"role {quoted(holder['role'])}")
    if holder["application"]:
        facts.append(f"application {quoted(holder['application'])}")
    if holder["state"]:
        facts.append(holder["state"])
    if holder["seconds"] is not None:
        facts.append(f"in a transaction for {holder['seconds']} s")
    certain = holder["is_certain"] == "t"
    way = "in its way" if certain else "in its way where it has changed or locked rows"
    return f"{way}: {', '.join(facts)}, holds {readable(holder['holds'] or '')}"


def listed(names: Sequence[str], most: int) -> str:
    """Return *names* comma-separated, the first *most* of them, and how many are left out."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def readable(names: str) -> str:
    r"""
    Return names as SQL on one line: a quoted one with control characters as U&"a\000Ab".

    Both spellings mean the same name to PostgreSQL, but only one of them can forge a line.
    """
    return names if names.isprintable() else visible(IDENTIFIER.sub(_escaped, names))


def _escaped(found: re.Match[str]) -> str:
    if found.group().isprintable():
        return found.group()
    return "U&" + "".join(map(_sql_escape, found.group()))


def _sql_escape(letter: str) -> str:
    if letter.isprintable():
        return "\\\\" if letter == "\\" else letter
    code = ord(letter)
    return f"\\{code:04X}" if code <= FOUR_DIGITS else f"\\+{code:06X}"


def quoted(text: str) -> str:
    """Return somebody's words in quotes on one line, so that they end where they end."""
    return '"' + visible(text.replace('"', "'")) + '"'
