"""
What a caller's pattern means, the same for every action.

Owns the translation into LIKE; what it is compared with is in each SQL file.
"""

from __future__ import annotations

import re

from pgmcp.errors import CallerError

EVERYTHING = "%"


def like(pattern: str | None) -> str:
    r"""
    Return *pattern* for ILIKE; '' where there is none.

    `*` and `%` stand for any text, `_` and `\` for themselves. Without a wildcard the pattern
    may stand anywhere in a name; with one it is the whole name.

    Raises:
        CallerError: the pattern holds what PostgreSQL's text cannot.
    """
    if pattern is None:
        return ""
    if "\0" in pattern or not pattern.isprintable():
        raise CallerError(
            f"pattern: {pattern!r} holds characters that no name has. Use part of a name, or * "
            "for any text."
        )
    escaped = pattern.replace("\\", "\\\\").replace("_", "\\_").replace("*", EVERYTHING)
    return escaped if EVERYTHING in escaped else f"%{escaped}%"


def matches(pattern: str | None, name: str) -> bool:
    """Tell whether *name* matches, by the same rule as in SQL."""
    if pattern is None:
        return True
    parts = [re.escape(part) for part in re.split(r"[*%]", pattern)]
    whole = len(parts) > 1
    found = re.fullmatch if whole else re.search
    return found(".*".join(parts), name, re.IGNORECASE) is not None
