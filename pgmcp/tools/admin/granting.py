"""
What GRANT and REVOKE have in common: who gets or loses, the sentence, and the report.

Owns the noun Change; runs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgmcp.results import Result
from pgmcp.tools.admin.objects import Found
from pgmcp.tools.admin.report import done
from pgmcp.tools.admin.targets import Target

PUBLIC = "PUBLIC"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Hold one GRANT or REVOKE under way; *to* is SQL already, *grants* tells the two apart."""

    grants: bool
    target: Target
    to: str
    cascade: bool


def sentence(change: Change, what: str, option: str) -> str:
    """Return the statement; *what* and *option* are SQL already."""
    if change.grants:
        return f"GRANT {what} TO {change.to}{f' WITH {option}' if option else ''}"
    cascade = " CASCADE" if change.cascade else ""
    return f"REVOKE {f'{option} FOR ' if option else ''}{what} FROM {change.to}{cascade}"


def describe(
    change: Change, words: str, before: Found, after: Found, notices: Sequence[str]
) -> Result:
    """Return one row: what changed, on what, and the privileges before and after."""
    unchanged = ("it was so before",) if before.acl == after.acl else ()
    cells: dict[str, str | None] = {
        "change": "granted" if change.grants else "revoked",
        "privileges": words,
        "on": after.identity,
        "to" if change.grants else "from": change.to,
    }
    if change.target.form == "all":
        cells["objects"] = str(after.count)
    else:
        cells |= {"before": before.acl, "after": after.acl}
    return done(cells, remarks=unchanged, notices=notices)
