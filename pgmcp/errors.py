"""
The failures a caller may meet, by who can mend them.

Owns the classes and their words; never knows SQL, HTTP or MCP.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_FACT = 2000  # characters of one fact: PostgreSQL repeats a whole value in its message
LINE_END = re.compile(r"\r\n|\r|\n")


class PgmcpError(Exception):
    """
    Carry one sentence for the caller: what happened, what is allowed, what to do.

    *hint* is the next step when it deserves a line of its own; *fate* says what became of
    the transaction, when there was one; *sqlstate* is PostgreSQL's code where it gave one.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        fate: str | None = None,
        sqlstate: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.sqlstate = sqlstate
        self.hint = hint
        self.fate = fate

    def lines(self) -> list[str]:
        """Return the error as the client reads it, one fact a line, the fate last."""
        shown = [fact(f"error {self.sqlstate}" if self.sqlstate else "error", self.message)]
        if self.hint:
            shown.append(f"hint: {self.hint}")
        if self.fate:
            shown.append(f"transaction: {self.fate}")
        return shown


def fact(name: str, text: str) -> str:
    """Return one fact; its further lines are indented, so that no value can forge another."""
    kept = text if len(text) <= MAX_FACT else text[:MAX_FACT] + "…"
    return f"{name}: " + LINE_END.sub("\n  ", kept)


def visible(text: str) -> str:
    """Return *text* on one line: what has no shape of its own is written as its number."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


class CallerError(PgmcpError):
    """The caller can mend it: another argument, another statement."""


class AccessDenied(PgmcpError):
    """The operator can mend it: the caller may not do this."""


class Retryable(PgmcpError):
    """Nobody need mend it: the same call may succeed later."""


class Busy(Retryable):
    """All connections of the gateway are lent; PostgreSQL itself is well."""


class Unavailable(PgmcpError):
    """The operator can mend it: PostgreSQL or the gateway is not able to serve."""


class ConfirmationNeeded(CallerError):
    """
    The statement is destructive and was not confirmed; nothing was done.

    *would* says what would happen, a line each; *facts* what else somebody should know before
    saying yes, which may change from one moment to the next. *seal* stands for what would happen,
    and in which *database*: it is another one as soon as that is something else.
    """

    def __init__(  # noqa: PLR0913 — what a question is made of
        self,
        message: str,
        *,
        hint: str,
        would: Sequence[str],
        facts: Sequence[str] = (),
        database: str,
        seal: str,
    ) -> None:
        super().__init__(message, hint=hint)
        self.would = tuple(would)
        self.facts = tuple(facts)
        self.database = database
        self.seal = seal

    def lines(self) -> list[str]:
        """Return the refusal, the facts beside it, and how to go ahead."""
        first, *rest = super().lines()
        return [first, *self.facts, *rest]


class Declined(CallerError):
    """The human was asked and did not say yes; nothing was done."""


class HandleUnknown(CallerError):
    """No open transaction of this owner has the handle."""


class StatementTimeout(Retryable):
    """A limit of time ended the statement; the connection stays usable."""


class ConnectionLost(Retryable):
    """The connection to PostgreSQL broke; whether a write took place may be unknown."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """
    Hold what PostgreSQL said of a failure, word for word.

    *position* counts characters from 1 in the statement the caller sent; 0 is unknown.
    """

    sqlstate: str
    message: str
    detail: str | None = None
    hint: str | None = None
    position: int = 0
    context: str | None = None
    schema: str | None = None
    table: str | None = None
    column: str | None = None
    constraint: str | None = None


class QueryFailed(CallerError):
    """PostgreSQL refused the statement; *report* has its words and SQLSTATE."""

    def __init__(
        self, report: Report, *, sql: str = "", hint: str | None = None, fate: str | None = None
    ) -> None:
        super().__init__(report.message, hint=hint, fate=fate, sqlstate=report.sqlstate)
        self.report = report
        self.sql = sql

    def lines(self) -> list[str]:
        """Return PostgreSQL's words, the place in the statement, our hint and the fate."""
        report = self.report
        shown = [fact(f"error {report.sqlstate}", report.message)]
        if report.detail:
            shown.append(fact("detail", report.detail))
        if report.position:
            shown.append(f"at: {mark(self.sql, report.position)}")
        elif report.context:
            shown.append(fact("context", report.context))
        if report.hint:
            shown.append(fact("hint", report.hint))
        if self.hint:
            shown.append(f"hint: {self.hint}")
        if self.fate:
            shown.append(f"transaction: {self.fate}")
        return shown


MARK_CONTEXT = 40  # characters shown on each side of the place an error points to
MARK_WORD = 80  # characters shown of the word there
WORD = re.compile(r"""[\w$.]*'(?:[^']|'')*'|"(?:[^"]|"")*"|[\w$.]+|.""", re.DOTALL)


def mark(sql: str, position: int) -> str:
    """Return the surroundings of *position* (from 1) on one line, the word there in ⟨⟩."""
    start = min(max(position - 1, 0), len(sql))
    found = WORD.match(sql, start)
    end = min(found.end(), start + MARK_WORD) if found else start
    left = "…" if start > MARK_CONTEXT else ""
    right = "…" if end + MARK_CONTEXT < len(sql) else ""
    before = sql[max(0, start - MARK_CONTEXT) : start]
    after = sql[end : end + MARK_CONTEXT]
    return re.sub(r"\s", " ", f"{left}{before}⟨{sql[start:end]}⟩{after}{right}")
