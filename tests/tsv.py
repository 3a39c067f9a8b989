"""
Reading an answer in text form: COPY's escapes undone, the receipt taken off.

Written from the manual of COPY, not from pgmcp's encoder, so that each tests the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Hold an answer's cells, None for NULL, and its last line without the dashes."""

    header: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    receipt: str


def read(text: str) -> Table:
    """Take an answer without notices apart."""
    header, *lines, receipt = text.split("\n")
    assert receipt.startswith("-- ")
    return Table(
        header=tuple(unescape(name) for name in header.split("\t")),
        rows=tuple(cells_of(line) for line in lines),
        receipt=receipt.removeprefix("-- "),
    )


def cells_of(line: str) -> tuple[str | None, ...]:
    r"""Return one line's cells; \N alone is NULL."""
    return tuple(None if cell == r"\N" else unescape(cell) for cell in line.split("\t"))


def unescape(cell: str) -> str:
    """Undo COPY's backslashes: a letter of its list, or the character itself."""
    return ESCAPE.sub(lambda found: LETTERS.get(found[1], found[1]), cell)
