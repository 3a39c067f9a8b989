"""
What a statement returned, and how a client reads it.

Owns the nouns Column, Page and Result; knows no connection and no protocol.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

NULL = "\\N"
# COPY's text format: what could end a cell or a line, or be taken for an escape.
ESCAPES = str.maketrans(
    {
        "\\": "\\\\",
        "\t": "\\t",
        "\n": "\\n",
        "\r": "\\r",
        "\b": "\\b",
        "\f": "\\f",
        "\v": "\\v",
    }
)
SPECIAL = re.compile(r"[\\\t\n\r\x08\f\v]")
LINE_SPECIAL = re.compile(r"[\\\n\r\x08\f\v]")
INTEGERS = frozenset({"int2", "int4", "int8", "oid"})
FLOATS = frozenset({"float4", "float8"})
SAFE_INTEGER = 2**53  # larger ones lose digits in JSON's readers
NOTICES = 100  # shown of one statement
NOTICE_LENGTH = 1000  # characters
NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})

Row = Sequence[str | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """Name one column; *type* is PostgreSQL's short name, such as int4 or text[]."""

    name: str
    type: str


def escape(value: str | None) -> str:
    """Return one cell in COPY's text form, so that no value can forge a cell or a line."""
    if value is None:
        return NULL
    return value.translate(ESCAPES) if SPECIAL.search(value) else value


def line_of(row: Sequence[str | None]) -> str:
    """Return one row as a line of tab-separated cells."""
    try:
        line = "\t".join(row)  # type: ignore[arg-type]  # a None is what the except is for
    except TypeError:
        return "\t".join([escape(cell) for cell in row])
    if LINE_SPECIAL.search(line) is None and line.count("\t") == len(row) - 1:
        return line
    return "\t".join([escape(cell) for cell in row])


def size_of(line: str) -> int:
    """Return how many bytes a line takes, its end included."""
    return (len(line) if line.isascii() else len(line.encode())) + 1


class Page:
    """
    Collect rows until a limit of rows or bytes is reached.

    A cell longer than *max_cell* characters is cut and counted in *cut_cells*. The first row is
    always kept, so that a page is never empty because of its size; where it is too wide, its
    cells are cut shorter, and *max_cell* tells at what length.
    """

    def __init__(self, *, max_rows: int, max_bytes: int) -> None:
        self.max_rows = max_rows
        self.max_bytes = max_bytes
        self.max_cell = max_bytes
        self.rows: list[Row] = []
        self.lines: list[str] = []
        self.size = 0
        self.full = False
        self.full_by_bytes = False
        self.cut_cells = 0

    def add(self, records: Sequence[Row]) -> None:
        """Take rows in order until one does not fit; `full` is then true."""
        room = self.max_rows - len(self.rows)
        taken = records[:room] if len(records) > room else records
        if not self._add_plain(taken):
            self._add_each(taken)
        self.full = self.full or len(records) > room

    def _add_each(self, records: Sequence[Row]) -> None:
        for record in records:
            row, line = record, line_of(record)
            if len(line) > self.max_cell:
                row = tuple(map(self._cut, record))
                line = line_of(row)
            if self.size + size_of(line) > self.max_bytes:
                if self.rows:
                    self.full = self.full_by_bytes = True
                    return
                row = self._squeeze(record)
                line = line_of(row)
            self.size += size_of(line)
            self.rows.append(row)
            self.lines.append(line)

    def _add_plain(self, records: Sequence[Row]) -> bool:
        """
        Take all *records* at once where each fits as it is, which one look over their text tells.

        Ten times faster than row by row, and nearly all answers are of this kind.
        """
        if not records:
            return True
        nulls = 0
        try:
            lines = ["\t".join(record) for record in records]  # type: ignore[arg-type]
        except TypeError:  # a NULL
            nulls = sum([cell is None for record in records for cell in record])
            shown = [[NULL if cell is None else cell for cell in record] for record in records]
            lines = ["\t".join(cells) for cells in shown]
        text = "\n".join(lines)
        tabs = len(records) * (len(records[0]) - 1)
        size = size_of(text)
        if (
            self.size + size > self.max_bytes
            or text.count("\\") != nulls
            or any(special in text for special in "\r\b\f\v")
            or text.count("\n") != len(lines) - 1
            or text.count("\t") != tabs
            or max(map(len, lines)) > self.max_cell
        ):
            return False
        self.size += size
        self.rows += records
        self.lines += lines
        return True

    def _cut(self, cell: str | None) -> str | None:
        if cell is None or len(cell) <= self.max_cell:
            return cell
        self.cut_cells += 1
        return cell[: self.max_cell] + "…"

    def _squeeze(self, record: Row) -> Row:
        """Cut all cells at one length, the greatest with which the row fits."""
        low, high = 1, self.max_cell
        while low < high:
            self.max_cell = (low + high + 1) // 2
            if size_of(line_of(tuple(map(self._cut, record)))) <= self.max_bytes:
                low = self.max_cell
            else:
                high = self.max_cell - 1
        self.max_cell, self.cut_cells = low, 0
        return tuple(map(self._cut, record))


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """
    Hold what one statement returned.

    *rows* are PostgreSQL's own text, None for NULL, in server order. *row_count* is how many
    rows the statement returned or changed in all, None where that is not known because *more*
    exist. *tag* is the command tag ("UPDATE 3") of a statement without rows. *remarks* are
    further facts for the receipt.
    """

    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    lines: tuple[str, ...] = ()
    row_count: int | None = None
    more: bool = False
    milliseconds: float = 0.0
    tag: str = ""
    notices: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(  # noqa: PLR0913 — limits have defaults
        cls,
        columns: Sequence[str],
        rows: Sequence[Sequence[str | None]],
        *,
        max_rows: int = 5000,
        max_bytes: int = 24_000,
        milliseconds: float = 0.0,
        remarks: Sequence[str] = (),
    ) -> Result:
        """Build a report made in Python; every column has type text."""
        page = Page(max_rows=max_rows, max_bytes=max_bytes)
        page.add(rows)
        return cls(
            columns=tuple(Column(name=name, type="text") for name in columns),
            rows=tuple(page.rows),
            lines=tuple(page.lines),
            row_count=None if page.full else len(page.rows),
            more=page.full,
            milliseconds=milliseconds,
            remarks=tuple(remarks),
        )

    def receipt(self) -> str:
        """Return the last line: how many rows, how long, what was cut and how to go on."""
        if self.columns:
            shown = len(self.rows)
            count = f"{shown} row{'' if shown == 1 else 's'}"
            if self.more and self.row_count is None:
                count += " shown, more exist"
            elif self.more:
                count += f" of {self.row_count} shown"
        else:
            count = self.tag or "done"
        parts = [count, f"{self.milliseconds:.1f} ms", *self.remarks]
        return "-- " + ", ".join(parts)

    def as_text(self) -> str:
        """Return a header line, tab-separated rows in COPY's text form, notices, the receipt."""
        shown = []
        if self.columns:
            shown.append("\t".join(escape(column.name) for column in self.columns))
        shown += self.lines
        shown += [f"-- {escape(notice)}" for notice in kept_notices(self.notices)]
        shown.append(self.receipt())
        return "\n".join(shown)

    def as_json(self) -> dict[str, Any]:
        """Return the rows as arrays beside the columns; see `cell_of` for the values."""
        types = [column.type for column in self.columns]
        shown: dict[str, Any] = {
            "columns": [{"name": column.name, "type": column.type} for column in self.columns],
            "rows": [
                [cell_of(kind, cell) for kind, cell in zip(types, row, strict=True)]
                for row in self.rows
            ],
            "row_count": len(self.rows) if self.columns else self.row_count,
            "more": self.more,
            "milliseconds": round(self.milliseconds, 1),
        }
        if self.more and self.row_count is not None:
            shown["total_rows"] = self.row_count
        if self.tag:
            shown["command"] = self.tag
        if self.notices:
            shown["notices"] = kept_notices(self.notices)
        if self.remarks:
            shown["remarks"] = list(self.remarks)
        return shown


def kept_notices(notices: Sequence[str]) -> list[str]:
    """Return the notices that an answer shows: a loop can raise any number, of any length."""
    kept = [
        notice if len(notice) <= NOTICE_LENGTH else notice[:NOTICE_LENGTH] + "…"
        for notice in notices[:NOTICES]
    ]
    if len(notices) > NOTICES:
        kept.append("more notices are left out")
    return kept


def json_text(structured: object) -> str:
    """Return *structured* as compact JSON."""
    return orjson.dumps(structured).decode()


def cell_of(kind: str, cell: str | None) -> bool | int | float | str | None:
    """
    Return one cell as JSON: bool, integers up to 2^53 and finite floats as such.

    All else, NaN, json, numeric and larger integers included, is PostgreSQL's text as a string,
    because JSON's readers would change it.
    """
    if cell is None:
        return None
    if kind == "bool":
        return cell == "t"
    if kind in INTEGERS:
        number = int(cell)
        return number if abs(number) <= SAFE_INTEGER else cell
    if kind in FLOATS and cell not in NOT_FINITE:
        return float(cell)
    return cell
