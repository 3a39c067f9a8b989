"""
Which object a caller means by a name, found as PostgreSQL would find it.

Owns reading a name and choosing among objects; describes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgmcp.database import Lease
from pgmcp.errors import CallerError
from pgmcp.tools.nearest import nearest
from pgmcp.tools.schema.page import Facts, one_line
from pgmcp.tools.schema.reading import facts_of

PART = re.compile(r'\s*(?:"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[^".()]+?))\s*(?:\.|$)')
SIGNATURE = re.compile(r"^(?P<name>[^(]+)\((?P<arguments>.*)\)\s*$", re.DOTALL)
WIDER = {  # a general word for kinds that PostgreSQL keeps apart
    "table": ("table", "partitioned table", "foreign table", "partition"),
    "view": ("view", "materialized view"),
    "partition": ("partition", "partitioned table", "table"),
}
ALIASES = {
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "bool": "boolean",
    "float8": "double precision",
    "float4": "real",
    "decimal": "numeric",
    "varchar": "character varying",
    "char": "character",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
}
SHOWN = 12  # candidates that an error lists


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Name one object: *catalog* says which describer knows it, *also* what else has its name."""

    catalog: str
    oid: str
    kind: str
    shown: str
    also: tuple[str, ...] = ()


def parts_of(text: str) -> list[tuple[str, ...]]:
    """
    Read a dotted name; each part gives its spellings, the likeliest first.

    A quoted part is exactly what it says. A plain one is folded to lower case as PostgreSQL
    does, and then, because lists show names without quotes, taken as it is spelled.
    """
    parts: list[tuple[str, ...]] = []
    position = 0
    while position < len(text):
        match = PART.match(text, position)
        if match is None:
            return [(text,)]
        if match["quoted"] is not None:
            parts.append((match["quoted"].replace('""', '"'),))
        else:
            parts.append(tuple(dict.fromkeys((match["plain"].lower(), match["plain"]))))
        position = match.end()
    return parts or [(text,)]


def spellings(
    name: str, *, schema: str | None, database: str
) -> tuple[list[tuple[str | None, str]], str | None]:
    """Return the (schema, name) pairs that *name* may mean, in order, and its arguments."""
    signature = SIGNATURE.match(name)
    arguments = signature["arguments"] if signature else None
    parts = parts_of(signature["name"] if signature else name)
    if len(parts) == 3:  # noqa: PLR2004 — database.schema.name, or schema.table.column
        parts = parts[1:] if database in parts[0] else parts[:2]
    spaces: tuple[str | None, ...] = (None,) if schema is None else (schema,)
    if len(parts) == 2:  # noqa: PLR2004 — schema.name
        if schema is not None and schema not in parts[0]:
            return [(schema, name)], arguments
        spaces = parts[0] if schema is None else (schema,)
    pairs = [(space, last) for space in spaces for last in parts[-1]]
    if (spaces[0], name) not in pairs:
        pairs.append((None if schema is None else schema, name))
    return pairs, arguments


async def find(lease: Lease, name: str, *, schema: str | None, kind: str | None) -> Found:
    """
    Return the object that *name* means.

    What the search path finds wins over other schemas, a relation over a type, a type over a
    function.

    Raises:
        CallerError: nothing has the name (the nearest are listed), or several objects have it.
    """
    if schema is not None:
        schema = await resolve_schema(lease, schema)
    pairs, arguments = spellings(name, schema=schema, database=lease.database)
    for space, spelling in pairs:
        rows = await facts_of(lease, "find", space, spelling)
        rows = [row for row in rows if _fits(row, kind, arguments)]
        if rows:
            return _choose(name, rows)
    given = parts_of(name)
    if schema is not None and len(given) > 1 and schema not in given[0]:
        raise CallerError(
            f'schema="{schema}" and name="{one_line(name)}" name two schemas. Leave schema out, or '
            "give name without one."
        )
    raise await _nothing(lease, name, schema=schema, kind=kind)


async def resolve_schema(lease: Lease, schema: str) -> str:
    """Return the schema's exact name, or raise a CallerError with the nearest ones."""
    names = [str(row["name"]) for row in await facts_of(lease, "schemas")]
    given = parts_of(schema)
    for spelling in (*given[0], schema):
        if len(given) == 1 and spelling in names:
            return spelling
    near = nearest(schema, [found for found in names if not found.startswith("pg_")])
    raise CallerError(
        f'schema "{one_line(schema)}" does not exist in database "{lease.database}".'
        f"{_near(near)} List them: pg_schema action=list kind=schema."
    )


def _fits(row: Facts, kind: str | None, arguments: str | None) -> bool:
    if kind is not None and row["kind"] not in WIDER.get(kind, (kind,)):
        return False
    if arguments is None:
        return True
    return row["catalog"] == "routine" and _normal(row["arguments"]) == _normal(arguments)


def _normal(arguments: str) -> list[str]:
    """Return the argument types in one spelling, so that int fits integer."""
    types = [" ".join(part.lower().split()) for part in arguments.split(",") if part.strip()]
    normal = []
    for name in types:
        base, bracket, rest = name.partition("[")
        normal.append(ALIASES.get(base.strip(), base.strip()) + bracket + rest)
    return normal


def _choose(name: str, rows: list[Facts]) -> Found:
    own = [row for row in rows if row["visible"] and row["schema"] != "pg_catalog"]
    if not own and len({row["schema"] for row in rows}) == 1:
        own = rows
    candidates = own or rows
    first = [row for row in candidates if row["place"] == candidates[0]["place"]]
    if len(first) > 1:
        listed = ", ".join(f"{row['kind']} {one_line(row['shown'])}" for row in first[:SHOWN])
        more = f" and {len(first) - SHOWN} more" if len(first) > SHOWN else ""
        raise CallerError(
            f'"{one_line(name)}" means {len(first)} objects: {listed}{more}. Give name as one of '
            "these, with its schema and a function's argument types."
        )
    chosen = first[0]
    also = tuple(
        f"{row['kind']} {one_line(row['shown'])}" for row in rows if row["oid"] != chosen["oid"]
    )
    return Found(
        catalog=chosen["catalog"],
        oid=chosen["oid"],
        kind=chosen["kind"],
        shown=chosen["shown"],
        also=also[:SHOWN],
    )


async def _nothing(lease: Lease, name: str, *, schema: str | None, kind: str | None) -> CallerError:
    """Say that nothing has the name, and what was perhaps meant."""
    names = await facts_of(lease, "names", schema)
    wanted = set(parts_of(name)[-1])
    for row in names:
        if row["name"] in wanted and row["kind"]:
            return CallerError(
                f'"{one_line(name)}" is {row["kind"]} of {one_line(row["shown"])}. '
                f"Describe that: name={one_line(row['shown'])}."
            )
    known = [row["shown"] for row in names if not row["kind"]]
    where = f' in schema "{one_line(schema)}"' if schema else ""
    return CallerError(
        f'no {kind or "object"} is called "{one_line(name)}"{where} in database '
        f'"{lease.database}".{_near(nearest(name, known))} '
        "Look around: pg_schema action=search pattern=…"
    )


def _near(names: list[str]) -> str:
    if not names:
        return ""
    are = "names are" if len(names) > 1 else "name is"
    return f" The nearest {are} {', '.join(map(one_line, names))}."
