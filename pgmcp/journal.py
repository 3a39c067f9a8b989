"""
How a line of the journal is written: nothing in it can forge another, no failure quotes a value.

Owns the form of all loggers of the process, the libraries' included; decides nothing of what
is logged.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import traceback
from collections.abc import Iterator, Mapping
from json.encoder import encode_basestring_ascii
from pathlib import Path
from types import TracebackType
from typing import Any

log = logging.getLogger("pgmcp")
BARE = re.compile(r"[A-Za-z0-9_.:@/*+-]+")
NOTHING = "-"
NAME_LENGTH = 100  # characters of a name that are shown
# Characters of any message. A record has at most 21,000, where every one of its texts is emojis;
# journald splits lines from 48 KiB on.
LINE_LENGTH = 24_000
# C0, C1, what Unicode breaks lines with, hides or turns the reading direction by; surrogates.
CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
TRACEBACK = "Traceback (most recent call last):"
OWN = str(Path(__file__).parent)
# Python's own words about these name types, attributes and parameters, never a value.
PLAIN = (AttributeError, ImportError, ModuleNotFoundError, NameError, TypeError, UnboundLocalError)
CHAIN = 10  # failures behind a failure that are shown
WORDS = re.compile(r"[A-Za-z ,]{0,60}")

Failure = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def quoted(value: str, most: int = NAME_LENGTH) -> str:
    """
    Return *value* as it stands behind `key=`: bare, or a JSON string in ASCII.

    Nothing at all is `-`, and a value that is one itself is quoted.
    """
    if len(value) > most:
        value = value[: most - 1] + "…"
    if BARE.fullmatch(value) is not None and value != NOTHING:
        return value
    if not value:
        return NOTHING
    return encode_basestring_ascii(value).replace("\x7f", "\\u007f")


class Form(logging.Formatter):
    """Write one record of any logger: a bounded line, and of a failure where it arose."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the whole; another handler may have left the failure's words in the record."""
        kept, record.exc_text = record.exc_text, None
        try:
            return super().format(record)
        finally:
            record.exc_text = kept

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 — logging's name
        """Return the line; what would end it or command a terminal is shown as its code."""
        line = super().formatMessage(record).rstrip()
        if len(line) > LINE_LENGTH:
            line = line[: LINE_LENGTH - 1] + "…"
        return line if line.isascii() and line.isprintable() else CONTROLS.sub(_visible, line)

    def formatException(self, ei: Failure) -> str:  # noqa: N802 — logging's name
        """Return the failure without its words; see `failure_lines`."""
        return "\n".join(failure_lines(ei[1])) if ei[1] is not None else ""


def _visible(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def failure_lines(error: BaseException) -> Iterator[str]:
    """
    Yield where *error* and those behind it arose, the first cause first, and what each is.

    Their words are left out: PostgreSQL's and Python's quote values ("Key (email)=(…) already
    exists"). The SQLSTATE and the system's error number stay.
    """
    shown: list[str] = []
    for each in _behind(error):
        frames = traceback.format_tb(each.__traceback__)
        shown[:0] = [TRACEBACK, *"".join(frames).splitlines(), described(each)]
    yield from shown


def _behind(error: BaseException) -> Iterator[BaseException]:
    """Yield *error*, those in its group, and what each came from; each once."""
    todo, seen = [error], set[int]()
    while todo and len(seen) < CHAIN:
        current = todo.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            todo += current.exceptions
        behind = current.__cause__
        if behind is None and not current.__suppress_context__:
            behind = current.__context__
        if behind is not None:
            todo.append(behind)


def described(error: BaseException) -> str:
    """Return the class of *error* and what of it is nobody's value."""
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    sqlstate = getattr(error, "sqlstate", None)
    if isinstance(sqlstate, str) and sqlstate:
        name += f" sqlstate={quoted(sqlstate, 5)}"
    if isinstance(error, OSError) and error.errno is not None:
        name += f" errno={errno.errorcode.get(error.errno, error.errno)}"
    if kind in PLAIN and _is_ours(error):
        name += f": {CONTROLS.sub(_visible, str(error)[:NAME_LENGTH])}"
    return name


def _is_ours(error: BaseException) -> bool:
    """Tell whether *error* arose in a line of ours: libraries may raise the same with values."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].filename.startswith(OWN)


def tell_stray(_loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:  # Any: mixed
    """Log a failure that no task took; asyncio's own words quote the failure and its arguments."""
    said = WORDS.match(str(context.get("message", "")))
    error = context.get("exception")
    log.error("stray failure: %s", said[0].strip() if said else "", exc_info=error)
