"""
Who borrows a connection, where to, how long, and under which name PostgreSQL shows it.

Owns the nouns Borrower, Place and Loan; knows nothing of access.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from pgmcp.database.quote import literal
from pgmcp.logins import Login
from pgmcp.settings import APPLICATION_NAME

NAME_BYTES = 63  # PostgreSQL keeps no more of application_name


class Place(NamedTuple):
    """Name one pool: a database and the role that its connections belong to, None for libpq's."""

    database: str
    role: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Borrower:
    """Say for whom a connection is used; the empty principal is the gateway itself."""

    principal: str = ""

    @property
    def application_name(self) -> str:
        """
        Return what pg_stat_activity and PostgreSQL's log show: `pgmcp ana@example.com`.

        PostgreSQL allows printable ASCII there and 63 bytes; all else is shown as `?`.
        """
        if not self.principal:
            return APPLICATION_NAME
        shown = self.principal.removeprefix("tailscale:")
        plain = "".join(letter if " " <= letter <= "~" else "?" for letter in shown)
        return f"{APPLICATION_NAME} {plain}"[:NAME_BYTES]


GATEWAY = Borrower()


@dataclass(frozen=True, kw_only=True, slots=True)
class Loan:
    """Say what is borrowed, by whom, and for how long one statement may run."""

    database: str
    limit: timedelta
    login: Login
    borrower: Borrower

    def opening(self, begin: str, lock_timeout: timedelta) -> str:
        """Return the first message on the connection; without *begin* it holds until the reset."""
        scope = "SET LOCAL" if begin else "SET"
        name = naming_sql(self.borrower, scope=scope)
        limits = limits_sql(self.limit, lock_timeout, scope=scope)
        return "; ".join(part for part in (begin, limits, name) if part)


def naming_sql(borrower: Borrower, *, scope: str = "SET LOCAL") -> str:
    """Return the SQL by which PostgreSQL shows who uses the connection."""
    return f"{scope} application_name = {literal(borrower.application_name)}"


def limits_sql(timeout: timedelta, lock_timeout: timedelta, *, scope: str = "SET LOCAL") -> str:
    """Return the SQL that sets both limits; a lock wait never outlasts the first."""
    statement_ms = max(2, round(timeout.total_seconds() * 1000))
    # A little earlier than the statement's, so that a wait for a lock is called what it is.
    lock_ms = max(1, min(statement_ms * 9 // 10, round(lock_timeout.total_seconds() * 1000)))
    return f"{scope} statement_timeout = {statement_ms}; {scope} lock_timeout = {lock_ms}"
