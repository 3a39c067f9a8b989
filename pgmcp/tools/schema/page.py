r"""
How facts about a schema become an answer: an object, and the same as text no value can forge.

Owns the text's form and its bounds; knows no catalogue and asks no server.

The text has headings at the margin, items indented by two spaces, and what has several lines
(a view's query, a function's body) behind a gutter of four spaces and a bar. Every value stays
on its own line: line breaks and control characters inside it are shown as \n, \t or \x1b, in
a gutter as well, where only \n starts a new line. Backslashes stay as they are, so that
expressions can be copied; the exact bytes are in format=json.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pgmcp.results import json_text
from pgmcp.tools.base import Answer

Facts = dict[str, Any]  # Any: JSON

INDENT = "  "
GUTTER = "    | "
SHORT_TEXT = 200  # characters; a shorter string is never cut
# C0 and C1 controls, and what Unicode counts as a line break or turns the reading direction.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
LAST_BYTE = 0xFF
KILO = 1024
PRETTY_LIMIT = 10 * KILO  # pg_size_pretty changes the unit from here on


def one_line(value: object) -> str:
    """Return *value* without anything that could end or forge a line."""
    return UNSAFE.sub(_visible, str(value))


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    return NAMED.get(character) or (f"\\x{code:02x}" if code <= LAST_BYTE else f"\\u{code:04x}")


def gutter(body: str) -> list[str]:
    """Return the lines of a longer text, each behind the bar that marks it as one."""
    return [
        GUTTER + "    ".join(map(one_line, line.split("\t")))
        for line in body.strip("\n").split("\n")
    ]


def item(label: str, value: str = "", comment: str | None = None) -> list[str]:
    """Return one item of a section; a value of several lines goes into the gutter."""
    note = f" -- {one_line(comment)}" if comment else ""
    if "\n" in value.strip("\n"):
        return [f"{INDENT}{one_line(label)}{note}", *gutter(value)]
    shown = f"{one_line(label)} {one_line(value.strip())}".strip()
    return [f"{INDENT}{shown}{note}"]


def section(title: str, lines: Sequence[str]) -> list[str]:
    """Return a heading and its lines, or nothing where there are none."""
    return [title, *lines] if lines else []


def named(entries: Sequence[Facts], *keys: str) -> list[str]:
    """Return an item for each entry: its name, the facts of *keys*, its definition, its comment."""
    lines = []
    for entry in entries:
        label = " ".join([entry["name"], *(entry[key] for key in keys)])
        lines += item(label, entry.get("definition", ""), entry.get("comment"))
    return lines


def size_text(size: int) -> str:
    """Return a number of bytes as pg_size_pretty writes it."""
    if size < PRETTY_LIMIT:
        return f"{size} bytes"
    amount = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        amount /= KILO
        if amount < PRETTY_LIMIT:
            return f"{amount:.0f} {unit}"
    return f"{amount / KILO:.0f} PB"


def without_nothing(facts: Facts) -> Facts:
    """Leave out what is not there: None, and empty lists."""
    return {key: value for key, value in facts.items() if value is not None and value != []}


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Say how facts are shown: *lines* of a text, and how to go on where something was cut."""

    lines: Callable[[Facts], list[str]]
    max_bytes: int
    rest: str

    def answer(self, facts: Facts, *, milliseconds: float, format: str) -> Answer:  # noqa: A002 — the wire's word
        """Render *facts* in the form that was asked for, cut to the limit, saying what was cut."""
        kept, cut = self._fit(without_nothing(facts))
        kept["milliseconds"] = round(milliseconds, 1)
        if cut:
            kept["cut"] = [f"{what} shown" for what in cut]
        if format == "json":
            return Answer(text=json_text(kept), structured=kept)
        receipt = f"-- {milliseconds:.1f} ms"
        if cut:
            receipt += f", cut to {self.max_bytes} bytes: {'; '.join(cut)} shown. {self.rest}"
        return Answer(text="\n".join([*self.lines(kept), receipt]))

    def _fit(self, facts: Facts) -> tuple[Facts, list[str]]:
        """Halve the largest list or text until all fits, so that each section keeps its share."""
        whole = {key: len(value) for key, value in facts.items() if isinstance(value, list | str)}
        kept = {key: _shorten(value, self.max_bytes // 4) for key, value in facts.items()}
        while self._size(kept) > self.max_bytes:
            largest = max(kept, key=lambda key: _weight(kept[key]))
            if not _weight(kept[largest]):
                break
            kept[largest] = kept[largest][: len(kept[largest]) // 2]
        cut = []
        for key, length in whole.items():
            if len(kept[key]) < length:
                what = "characters" if isinstance(kept[key], str) else "items"
                cut.append(f"{key} {len(kept[key])} of {length} {what}")
        return kept, cut

    def _size(self, facts: Facts) -> int:
        text = "\n".join(self.lines(facts))
        return max(len(json_text(facts).encode()), len(text.encode()))


def _weight(value: object) -> int:
    """Return the bytes that halving could save; 0 where nothing can be halved."""
    if isinstance(value, str):
        return len(value.encode()) if len(value) > SHORT_TEXT else 0
    if isinstance(value, list):
        return len(json_text(value)) if len(value) > 1 else 0
    return 0


def _shorten(value: Any, limit: int) -> Any:  # Any: JSON
    """Cut the texts inside lists and objects, with the count of what is missing."""
    if isinstance(value, list):
        return [_shorten_text(entry, limit) for entry in value]
    return value


def _shorten_text(value: Any, limit: int) -> Any:  # Any: JSON
    if isinstance(value, dict):
        return {key: _shorten_text(entry, limit) for key, entry in value.items()}
    if isinstance(value, str) and len(value) > limit:
        return f"{value[:limit]}… ({len(value) - limit} more characters)"
    return value
