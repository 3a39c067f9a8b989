"""
What the operator keeps closed to reading and writing: patterns of schemas and tables.

Owns their meaning, and the warning of one that names nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase

from pgmcp.provision.step import Options, Plan, Row


def is_excepted(options: Options, database: str, schema: str, name: str | None = None) -> bool:
    """Tell whether the operator keeps a schema, or a table by itself or its schema, closed."""
    return any(_matching(options, database, schema, name))


def _matching(
    options: Options, database: str, schema: str, name: str | None = None
) -> Iterator[str]:
    names = [f"{database}.{schema}", *([f"{database}.{schema}.{name}"] if name else [])]
    for pattern in options.excepted:
        if any(fnmatchcase(full, pattern) for full in names):
            yield pattern


def plan_excepted(
    schemas: Sequence[Row], relations: Sequence[Row], database: str, options: Options
) -> Plan:
    """Do nothing, and tell which patterns name something in *database*."""
    found = {
        pattern
        for row in (*schemas, *relations)
        for pattern in _matching(options, database, str(row["schema"]), row.get("name"))
    }
    return Plan(matched=frozenset(found))


def meant_for(options: Options, database: str) -> frozenset[str]:
    """Return the patterns whose first part fits *database*, whatever is in it."""
    return frozenset(
        pattern for pattern in options.excepted if fnmatchcase(database, pattern.partition(".")[0])
    )


def unmatched(options: Options, matched: Collection[str], chosen: Sequence[str]) -> tuple[str, ...]:
    """
    Return a warning of each pattern that names nothing: what it should close is open.

    A run over named databases, which *chosen* then are, says nothing of patterns for others.
    """
    asked = options.excepted
    if options.databases:
        found = frozenset[str]().union(*(meant_for(options, name) for name in chosen))
        asked = tuple(pattern for pattern in asked if pattern in found)
    return tuple(
        f"except {pattern!r} names no schema and no table here, so it keeps nothing closed. Write "
        "DATABASE.SCHEMA or DATABASE.SCHEMA.TABLE, spelt as in the catalogs"
        for pattern in asked
        if pattern not in matched
    )
