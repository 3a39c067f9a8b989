"""
What a tool answered, and the questions a step asks of it.

Owns Reply and ScenarioFailed; knows no client and no server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NULL = "\\N"
UNESCAPED = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}


class ScenarioFailed(Exception):
    """The gateway did something else than the scenario tells; the message shows what."""


class ProtocolRefused(Exception):
    """The gateway refused a request as a whole, with a JSON-RPC error."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """
    Hold one answer.

    *asked* is the call in words, for failures. Rows come as the text shows them: cells separated
    by tabs below a header line, a receipt last.
    """

    asked: str
    text: str
    structured: Mapping[str, Any] | None = None  # Any: JSON
    is_error: bool = field(default=False)

    def wrong(self, what: str) -> ScenarioFailed:
        """Return the failure *what* of this answer, with the answer beside it."""
        return ScenarioFailed(f"{self.asked}\n{what}\nthe answer was:\n{self.text}")

    def shows(self, *fragments: str) -> Reply:
        """Insist that each of *fragments* is in the text."""
        for fragment in fragments:
            if fragment not in self.text:
                raise self.wrong(f"should show {fragment!r}")
        return self

    def hides(self, *fragments: str) -> Reply:
        """Insist that none of *fragments* is in the text."""
        for fragment in fragments:
            if fragment in self.text:
                raise self.wrong(f"should not show {fragment!r}")
        return self

    def find(self, pattern: str) -> str:
        """Return the first group of *pattern* in the text."""
        found = re.search(pattern, self.text)
        if found is None:
            raise self.wrong(f"should have something like {pattern}")
        return found.group(1)

    def header(self) -> list[str]:
        """Return the column names."""
        return self.text.split("\n", 1)[0].split("\t")

    def receipt(self) -> str:
        """Return the last line, without its dashes."""
        last = self.text.rsplit("\n", 1)[-1]
        if not last.startswith("-- "):
            raise self.wrong("should end with a receipt")
        return last.removeprefix("-- ")

    def rows(self) -> list[tuple[str | None, ...]]:
        """Return the rows, None for NULL."""
        self.receipt()
        body = [line for line in self.text.split("\n")[1:-1] if not line.startswith("-- ")]
        return [tuple(map(cell, line.split("\t"))) for line in body]

    def columns(self, *names: str) -> list[tuple[str | None, ...]]:
        """Return the rows' cells of the columns *names*."""
        header = self.header()
        missing = [name for name in names if name not in header]
        if missing:
            raise self.wrong(f"should have the columns {', '.join(missing)}")
        places = [header.index(name) for name in names]
        return [tuple(row[place] for place in places) for row in self.rows()]

    def has_rows(self, *expected: tuple[str | None, ...]) -> Reply:
        """Insist on exactly these rows, in this order."""
        if self.rows() != list(expected):
            raise self.wrong(f"should have the rows {list(expected)}")
        return self

    def has_row(self, **cells: str | None) -> Reply:
        """Insist that one row has these *cells*, by column name."""
        if tuple(cells.values()) not in self.columns(*cells):
            raise self.wrong(f"should have a row with {cells}")
        return self

    def json(self) -> Mapping[str, Any]:  # Any: JSON
        """Return the structured content, which has to be there."""
        if self.structured is None:
            raise self.wrong("should have structured content")
        return self.structured


def cell(text: str) -> str | None:
    """Return one cell as the database has it: COPY's escapes undone, None for NULL."""
    if text == NULL:
        return None
    return re.sub(r"\\[\\tnr]", lambda match: UNESCAPED[match.group()], text)
