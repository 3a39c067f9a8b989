"""
How a caller's SELECT is sent: through an outer one that bounds it on the server.

Owns the noun Plan and the wrapping; it builds text and runs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgmcp.database.codecs import SHORT_TYPES
from pgmcp.results import Column
from pgmcp.statement import Statement

SHORT_BYTES = 64  # what a cell of a short type takes at most, as a rule
FETCH_ALL_BYTES = 32 << 20  # rows whose largest possible size is below this come in one message
CHUNK = 512  # rows at most that a cursor takes at a time
CHUNK_BYTES = 8 << 20  # and what they may take at most
ALIAS = "_pgmcp"
UNGUARDED = frozenset(
    {"record", "anyarray", "unknown", "cstring", "record[]"}
)  # no CASE takes them
MOST_COLUMNS = 1664  # PostgreSQL's limit of a select list
# Where a cast to text says something else than the type's own text form: it strips the padding
# of char(n), and shows xml's stored encoding.
OUTPUT = {"bpchar": "bpcharout", "xml": "xml_out"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """
    Say what is sent for a statement.

    The caller's text begins *offset* characters into *sent*. *bounded* is true where all rows
    together cannot exceed FETCH_ALL_BYTES, so that no cursor is needed; *chunk* is how many rows a
    cursor takes at first. The last *guards* columns of every row are empty; they have the types
    of the cells that are sent as text, so that PostgreSQL itself notices when one has changed.
    """

    sent: str
    columns: tuple[Column, ...]
    guards: int = 0
    offset: int = 0
    chunk: int = 64
    bounded: bool = False

    def position(self, position: int) -> int:
        """Translate a position in *sent* into one in the caller's text; both count from 1."""
        return max(0, position - self.offset)


def make_plan(
    statement: Statement, columns: Sequence[Column], *, limit: int | None, max_cell: int
) -> Plan:
    """
    Decide how *statement* is sent.

    A SELECT with a *limit*, or with cells that may be long, goes through an outer SELECT. The
    limit in there, instead of one on the cursor, lets PostgreSQL plan for few rows and still
    use parallel workers.
    """
    if not columns and statement.wrap == "select":
        return _count_of(statement)
    long = not all(column.type in SHORT_TYPES for column in columns)
    if not columns or statement.wrap != "select" or (limit is None and not long):
        return Plan(sent=statement.sql, columns=tuple(columns))
    names = [f"c{number}" for number in range(len(columns))]
    cells = ", ".join(
        name
        if column.type in SHORT_TYPES
        else f"pg_catalog.left({_text_of(name, column.type)}, {max_cell + 1})"
        for name, column in zip(names, columns, strict=True)
    )
    guards = [
        f"CASE WHEN false THEN {name} END"
        for name, column in zip(names, columns, strict=True)
        if column.type not in SHORT_TYPES | UNGUARDED
    ]
    if len(names) + len(guards) > MOST_COLUMNS:
        guards = []
    cells = ", ".join([cells, *guards])
    before = f"SELECT {cells} FROM (\n"  # noqa: S608 — names are ours, the rest was parsed
    after = f"\n) AS {ALIAS}({', '.join(names)})"
    if limit is not None:
        after += f" LIMIT {limit}"
    width = sum(_width(column.type, max_cell) for column in columns)
    return Plan(
        sent=before + statement.sql + after,
        columns=tuple(columns),
        guards=len(guards),
        offset=len(before),
        chunk=max(1, min(CHUNK, CHUNK_BYTES // max(1, width))),
        bounded=limit is not None and limit * width <= FETCH_ALL_BYTES,
    )


def _count_of(statement: Statement) -> Plan:
    """Count rows without columns: they tell nothing else, and all of them would fill the memory."""
    before = "SELECT pg_catalog.count(*) FROM (\n"
    return Plan(
        sent=f"{before}{statement.sql}\n) AS {ALIAS}",
        columns=(Column(name="rows", type="int8"),),
        offset=len(before),
        bounded=True,
    )


def _width(kind: str, max_cell: int) -> int:
    """Count a numeric by a quarter: it can be long, but in full, sums would lose the workers."""
    if kind in SHORT_TYPES:
        return SHORT_BYTES
    return max_cell // 4 if kind == "numeric" else max_cell


def _text_of(name: str, kind: str) -> str:
    if "." in kind:
        # A user may have given the type a cast to text of his own; %s is its output function.
        return (
            f"CASE WHEN pg_catalog.num_nulls({name}) = 0 THEN pg_catalog.format('%s', {name}) END"
        )
    if (output := OUTPUT.get(kind)) is not None:
        return f"pg_catalog.textin(pg_catalog.{output}({name}))"
    return f"{name}::pg_catalog.text"
