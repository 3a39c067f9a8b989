"""
What is written down about a call: one line for the journal.

Owns the nouns Draft and Record; never sees a value, a row or a secret.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pgmcp.digest import NOTHING as NO_DIGEST
from pgmcp.digest import SHOWN, Digest
from pgmcp.journal import NAME_LENGTH, NOTHING, quoted
from pgmcp.kinds import LEVELS
from pgmcp.statement import Statement
from pgmcp.titles import title_of

log = logging.getLogger("pgmcp.call")
OBJECTS = 10  # that one line names
KINDS = 5
HANDLE = re.compile(r"(tx_[A-Za-z0-9_-]{5})(?:[A-Za-z0-9_-]{17})?")
# PostgreSQL did not find a name. A value that lost its quotes (WHERE name = Ana) fails so, and it
# would stand in the text as a name does.
NOT_FOUND = frozenset({"42703", "42P01", "42883", "42704", "3F000", "42P10", "42P02"})
DENIED = "AccessDenied"
REASON = 200  # characters of a refusal's


@dataclass(kw_only=True, slots=True)
class Draft:
    """
    Collect what is learned of a call on its way; the one mutable thing that a Call carries.

    *statements* are what the caller's SQL holds, *names* what it is about besides. *level* is
    what it needs, where no statement tells. *transaction* is a handle or its beginning.
    """

    database: str = ""
    level: str = ""
    statements: Sequence[Statement] = ()
    is_explained: bool = False
    names: Sequence[str | None] = ()
    transaction: str = ""

    @property
    def kind(self) -> str:
        """Return SQL's names of the statements, such as CREATE TABLE."""
        titles = list(dict.fromkeys(title_of(each.kind, each.node) for each in self.statements))
        titles[KINDS:] = ["…"] if len(titles) > KINDS else []
        return f"{'EXPLAIN ' if self.is_explained else ''}{', '.join(titles)}"

    @property
    def needed(self) -> str:
        """Return the highest level that the call needs, or nothing where that is not known."""
        levels = [each.level for each in self.statements]
        return self.level or max(levels, key=LEVELS.index, default="")

    @property
    def digest(self) -> Digest:
        """Return what may be told of the one statement."""
        return self.statements[0].digest if len(self.statements) == 1 else NO_DIGEST

    @property
    def objects(self) -> list[str]:
        """Return the names of what the call is about, each once."""
        found = dict.fromkeys(name for name in self.names if name)
        for each in self.statements:
            found |= dict.fromkeys(_dotted(schema, name) for schema, name in each.tables)
            found |= dict.fromkeys(".".join(target.names) for target in each.targets)
        return list(found)


def _dotted(schema: str | None, name: str) -> str:
    return f"{schema}.{name}" if schema else name


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """
    Say who called what and how it ended.

    *outcome* is ok, cancelled, the class of an error, or the number of an incident. *rows* were
    returned or changed; *size* is the answer's in bytes.
    """

    caller: str
    address: str = ""
    tool: str = ""
    action: str = ""
    draft: Draft
    rows: int | None = None
    size: int | None = None
    milliseconds: float = 0.0
    outcome: str
    sqlstate: str = ""


def write(record: Record) -> None:
    """Write the record on one line; what a client may have made up cannot end it or forge a key."""
    level = logging.WARNING if record.outcome == DENIED else logging.INFO
    if log.isEnabledFor(level):
        log.log(level, "%s", line_of(record))


def line_of(record: Record) -> str:
    """Return the record as key=value, every key in every line."""
    draft = record.draft
    told = draft.digest if _is_understood(record) else NO_DIGEST
    handle = HANDLE.fullmatch(draft.transaction)
    return (
        f"caller={quoted(record.caller)} address={quoted(record.address)}"
        f" tool={quoted(record.tool)} action={quoted(record.action)}"
        f" database={quoted(draft.database)} kind={quoted(draft.kind)}"
        f" level={draft.needed or NOTHING} fingerprint={told.fingerprint or NOTHING}"
        f" text={quoted(told.text, SHOWN)}"
        f" objects={NOTHING if told.text else _listed(draft.objects)}"
        f" rows={_number(record.rows)} bytes={_number(record.size)} ms={record.milliseconds:.1f}"
        f" outcome={quoted(record.outcome)} sqlstate={quoted(record.sqlstate)}"
        f" tx={handle[1] if handle else NOTHING}"
    )


def _is_understood(record: Record) -> bool:
    """Tell whether PostgreSQL knew every name in the statement."""
    if record.outcome in ("ok", "cancelled"):
        return True
    return bool(record.sqlstate) and record.sqlstate not in NOT_FOUND


def _listed(objects: Sequence[str]) -> str:
    names = [
        each if len(each) <= NAME_LENGTH else each[: NAME_LENGTH - 1] + "…" for each in objects
    ]
    more = [f"+{len(names) - OBJECTS}"] if len(names) > OBJECTS else []
    return quoted(",".join([*names[:OBJECTS], *more]), SHOWN)


def _number(value: int | None) -> str:
    return NOTHING if value is None else str(value)


def refuse(caller: str, address: str, status: int, reason: str) -> None:
    """Write down a request that was refused before any tool; *caller* is empty where unknown."""
    log.warning(
        "caller=%s address=%s outcome=Refused status=%d reason=%s",
        quoted(caller),
        quoted(address),
        status,
        quoted(reason, REASON),
    )
