"""
What a failed piece of DDL means to its caller: which one it was, and how to go on.

Owns the limits of time that only DDL has, and their hints; PostgreSQL's own words stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pgmcp.errors import PgmcpError, QueryFailed, StatementTimeout
from pgmcp.settings import Limits
from pgmcp.statement import Statement
from pgmcp.tools.schema.pieces import title_of

LOCK_NOT_AVAILABLE = "55P03"
UNSAFE_ENUM_VALUE = "55P04"


def whole_limit(pieces: Sequence[Statement], each: timedelta, limits: Limits) -> timedelta:
    """Return how long all pieces together may take; PostgreSQL holds *each* to its own limit."""
    return min(each * len(pieces), max(each, limits.timeout_ceiling))


def explain(
    error: PgmcpError, piece: Statement, number: int, count: int, timeout: timedelta
) -> None:
    """Add to *error* which piece failed and what to do about a limit that DDL ran into."""
    hints = [f"in statement {number} of {count}, {title_of(piece)}"] if count > 1 else []
    if isinstance(error, StatementTimeout):
        seconds = timeout.total_seconds()
        hints.append(
            f"DDL gets {seconds:g} s, because it keeps its locks so long. See action=alter with "
            "dry_run=true for ways that lock less, such as CONCURRENTLY and NOT VALID"
        )
        error.hint = None
    elif isinstance(error, QueryFailed) and error.report.sqlstate == LOCK_NOT_AVAILABLE:
        hints.append(
            "DDL does not wait long for a lock, because all others would queue behind it. Try "
            "again; pg_monitor action=locks shows who holds it"
        )
        error.hint = None
    elif isinstance(error, QueryFailed) and error.report.sqlstate == UNSAFE_ENUM_VALUE:
        hints.append("Add the value in a call of its own; once committed it can be used")
    if hints:
        error.hint = ". ".join([*hints, error.hint or ""]).strip()
