"""
What provisioning would do and what it did: steps, plans and outcomes.

Owns the words for them; runs nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pgmcp.database.quote import identifier
from pgmcp.settings import Settings

Row = Mapping[str, str | None]
PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
NAMES_SHOWN = 8
PAST: Final[Mapping[str, str]] = {
    "create": "created",
    "grant": "granted",
    "let": "let",
    "remove": "removed",
    "revoke": "revoked",
    "set": "set",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """
    Say how a server is to be provisioned.

    *databases* limits the run to these names; *excepted* are patterns (* and ?) of
    database.schema or database.schema.table that reading and writing never get.
    *peer* is the operating system's user that logs in as the roles, without passwords.
    """

    databases: tuple[str, ...] = ()
    excepted: tuple[str, ...] = ()
    read_all: bool = False
    superuser_admin: bool = False
    rotate: bool = False
    peer: str | None = None


def options_of(settings: Settings) -> Options:
    """Return the options that the settings ask for; a run's flags are laid over them."""
    wanted = settings.provision
    return Options(
        excepted=wanted.excepted,
        read_all=wanted.read_all,
        superuser_admin=wanted.superuser_admin,
        peer=wanted.peer,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """
    Hold one statement, or a few that belong together, and what it is for.

    *what* begins with an imperative of PAST. *masked* is shown in place of an *sql* that holds a
    verifier. *is_shared* tells that one database's step counts for the whole server. With
    *may_act* false the login cannot run it: PostgreSQL might only warn, so it is not tried.
    """

    sql: str
    what: str
    masked: str | None = None
    is_shared: bool = False
    may_act: bool = True

    @property
    def done(self) -> str:
        """Return *what* as a thing of the past."""
        verb, _, rest = self.what.partition(" ")
        return f"{PAST[verb]} {rest}"

    @property
    def shown(self) -> str:
        """Return the statement as people may see it."""
        return self.masked or f"{self.sql};"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """
    Hold what is to be done, in order, and what is worth knowing but needs nothing done.

    *matched* are the patterns of `Options.excepted` that name something here.
    """

    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    matched: frozenset[str] = frozenset()

    def __add__(self, other: Plan) -> Plan:
        return Plan(
            steps=self.steps + other.steps,
            notes=self.notes + other.notes,
            matched=self.matched | other.matched,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """
    Hold what was done, what could not be, and what is worth knowing; sentences all.

    *warnings* are told by every run, *notes* only by one that did something. *matched* is `Plan`'s.
    """

    done: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    matched: frozenset[str] = frozenset()

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            done=self.done + other.done,
            failed=self.failed + other.failed,
            warnings=self.warnings + other.warnings,
            notes=self.notes + other.notes,
            matched=self.matched | other.matched,
        )

    @property
    def status(self) -> int:
        """Return the exit status: 1 where something could not be done."""
        return 1 if self.failed else 0

    def lines(self) -> list[str]:
        """
        Return it a sentence a line; the same one many times is one with a number.

        A run that changed nothing says so in one line: a timer's journal has it every hour.
        """
        warnings = [f"warning: {line}" for line in self.warnings]
        if not (self.done or self.failed):
            hidden = f"; --dry-run shows {counted(len(self.notes), 'note')}" if self.notes else ""
            return [f"nothing to do{hidden}", *warnings]
        times = Counter(self.done)
        done = [
            line if number == 1 else f"{line} ({number} times)" for line, number in times.items()
        ]
        return [
            *done,
            *(f"could not {line}" for line in self.failed),
            *warnings,
            *(f"note: {line}" for line in self.notes),
        ]


def plain_login(settings: Settings) -> Settings:
    """Return *settings* whose every connection is the operator's own login."""
    server = settings.server.model_copy(update={"roles": "shared"})
    return settings.model_copy(update={"server": server})


def shown(name: str) -> str:
    """Return a name for a sentence: quoted unless it is plain, always on one line."""
    if PLAIN.fullmatch(name):
        return name
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", identifier(name))


def listed(names: Sequence[str]) -> str:
    """Return the first names of many."""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(shown(name) for name in names[:NAMES_SHOWN]) + more


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def parts(text: str | None) -> frozenset[str]:
    """Return what a query put together with commas; none of it holds one."""
    return frozenset(text.split(",")) if text else frozenset()


def is_true(value: str | None) -> bool:
    """Tell what PostgreSQL's text of a boolean means."""
    return value == "t"


def unite(plans: Iterable[Plan]) -> Plan:
    """Return one plan of many, in order."""
    return sum(plans, start=Plan())
