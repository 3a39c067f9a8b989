"""
What a caller may do: rules of the configuration and grants of the tailnet, united.

Owns the nouns Access and Allowance; never knows SQL, and keeps no login: PostgreSQL holds the
levels, this the databases and the caller.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import lru_cache

from pgmcp.errors import AccessDenied
from pgmcp.identity import Caller
from pgmcp.kinds import LEVELS, Level
from pgmcp.settings import AccessRule, Grant, Settings, read_grants

log = logging.getLogger("pgmcp.access")
ANY = "*"
REMEMBERED = 1000  # callers whose access is kept; their grants are part of the key
NOBODY = "no access rule or grant covers it"
NARROWED = "the URL's ?access="
NAME_BYTES = 63  # PostgreSQL before 17 cuts a longer name, and connects to another database


def reaches(level: Level | None, wanted: Level) -> bool:
    """Tell whether *level* contains *wanted*."""
    return level is not None and LEVELS.index(wanted) <= LEVELS.index(level)


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """
    Say how far a caller may go in one database: None is not at all.

    *source* names what decided, for people ("access rule 3"). The limits are None where the
    server's own count.
    """

    level: Level | None
    source: str
    max_rows: int | None = None
    timeout: timedelta | None = None
    transactions: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """
    Say what one caller may do, database by database.

    *rules* are those for this caller with their number in the configuration, in order, without
    those that an earlier one leaves nothing to decide; *grants* come from the tailnet.
    *is_ruled* is False in the plain set-up, where everything is allowed. *ceiling* is what the
    client has narrowed itself to. *running* and *calls_per_minute* hold for the caller over all
    databases.
    """

    caller: Caller
    is_ruled: bool
    rules: tuple[tuple[int, AccessRule], ...] = ()
    grants: tuple[Grant, ...] = ()
    ceiling: Level | None = None
    running: int
    calls_per_minute: int | None = None

    @property
    def highest(self) -> Level | None:
        """Return the highest level the caller has anywhere; None where it has none."""
        given = [rule.permissions for _, rule in self.rules]
        given += [grant.permissions for grant in self.grants if grant.permissions]
        found = max(given, key=LEVELS.index, default=None) if self.is_ruled else LEVELS[-1]
        return self._narrowed(found)

    def at(self, database: str) -> Allowance:
        """Return the allowance in *database*: the first rule that matches, with the grants."""
        if not self.is_ruled:
            return Allowance(level=self._narrowed(LEVELS[-1]), source=NARROWED)
        given: list[tuple[str, Level, AccessRule | Grant]] = []
        for number, rule in self.rules:
            if _matches(database, rule.databases):
                given.append((f"access rule {number}", rule.permissions, rule))
                break
        given += [
            ("the tailnet's grant", grant.permissions, grant)
            for grant in self.grants
            if grant.permissions is not None and _matches(database, grant.databases)
        ]
        if not given:
            return Allowance(level=None, source=NOBODY)
        allowed = _unite(given)
        level = self._narrowed(allowed.level)
        if level == allowed.level:
            return allowed
        return replace(allowed, level=level, source=NARROWED)

    @property
    def reaches_all(self) -> bool:
        """Tell whether the caller has some permission in every database there could be."""
        patterns = [rule.databases for _, rule in self.rules]
        patterns += [grant.databases for grant in self.grants if grant.permissions]
        return not self.is_ruled or any(ANY in some for some in patterns)

    def may_reach(self, database: str) -> bool:
        """Tell whether the caller may do anything in *database*."""
        return self.at(database).level is not None

    def require(self, level: Level, database: str, what: str) -> None:
        """
        Refuse unless the caller has *level* in *database*; *what* needs it, for the sentence.

        Raises:
            AccessDenied: says what the caller has, by which rule, and who can change it.
        """
        found = self.at(database)
        if reaches(found.level, level):
            return
        who = self.caller.name or self.caller.principal
        if found.level is None:
            raise AccessDenied(
                f'{what} needs permission {level} on database "{database}", and {who} has none: '
                f"{found.source}. The operator can change [[access]] or the tailnet's grants."
            )
        if found.source == NARROWED:
            raise AccessDenied(
                f"{what} needs permission {level}, and this URL is narrowed to {self.ceiling} by "
                f"?access={self.ceiling}. Use the URL without it where you may do more."
            )
        raise AccessDenied(
            f'{what} needs permission {level} on database "{database}"; {found.source} gives '
            f"{who} {found.level}. The operator can change [[access]] or the tailnet's grants."
        )

    def _narrowed(self, level: Level | None) -> Level | None:
        if level is None or self.ceiling is None:
            return level
        return min(level, self.ceiling, key=LEVELS.index)

    def settings(self, settings: Settings, database: str) -> Settings:
        """Return *settings* with the limits that hold for this caller in *database*."""
        found = self.at(database)
        if found.max_rows is None and found.timeout is None and found.transactions is None:
            return settings
        limits, transactions = settings.limits, settings.transactions
        narrower: dict[str, object] = {}
        if found.max_rows is not None:
            for name in ("max_rows", "max_rows_ceiling"):
                narrower[name] = min(getattr(limits, name), found.max_rows)
        if found.timeout is not None:
            for name in ("timeout", "timeout_ceiling", "maintenance_timeout"):
                narrower[name] = min(getattr(limits, name), found.timeout)
        if found.transactions is not None:
            most = {
                name: min(getattr(transactions, name), found.transactions)
                for name in ("per_owner", "per_caller")
            }
            transactions = transactions.model_copy(update=most)
        changed = {"limits": limits.model_copy(update=narrower), "transactions": transactions}
        return settings.model_copy(update=changed)


class Policy:
    """Find the Access of a caller, and remember it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.access = lru_cache(REMEMBERED)(self._access)

    def _access(self, caller: Caller, ceiling: Level | None = None) -> Access:
        """Return what *caller* may do, narrowed to *ceiling* where the client asked for that."""
        limits = self._settings.limits
        if not self._settings.has_rules:
            return Access(
                caller=caller,
                is_ruled=False,
                ceiling=ceiling,
                running=limits.running,
                calls_per_minute=limits.calls_per_minute,
            )
        grants = self._grants(caller)
        tags = {f"tag:{grant.tag.removeprefix('tag:')}" for grant in grants if grant.tag}
        rules = _deciding(
            (number, rule)
            for number, rule in enumerate(self._settings.access, start=1)
            if any(_is_meant(caller, tags, who) for who in rule.who)
        )
        ruling: list[AccessRule | Grant] = [*(rule for _, rule in rules), *grants]
        running = next((found.running for found in ruling if found.running), limits.running)
        per_minute = next(
            (found.calls_per_minute for found in ruling if found.calls_per_minute),
            limits.calls_per_minute,
        )
        return Access(
            caller=caller,
            is_ruled=True,
            rules=rules,
            grants=grants,
            ceiling=ceiling,
            running=running,
            calls_per_minute=per_minute,
        )

    def _grants(self, caller: Caller) -> tuple[Grant, ...]:
        """Return the tailnet's grants; one that does not parse gives nothing, and is told."""
        capability = self._settings.identity.capability
        if capability is None or not caller.capabilities:
            return ()
        try:
            return read_grants(caller.capabilities, capability)
        except (ValueError, AttributeError, RecursionError) as error:
            what = str(error).replace("\n", " ")
            log.warning("grants of %r give nothing: %s", caller.principal, what)
            return ()


def _is_meant(caller: Caller, tags: set[str], who: str) -> bool:
    if who == "*":
        return caller.kind not in ("local", "proxied")
    if ":" not in who and "@" in who:
        return caller.kind == "tailscale" and caller.name.lower() == who
    return who == caller.principal or who in tags


def _deciding(rules: Iterable[tuple[int, AccessRule]]) -> tuple[tuple[int, AccessRule], ...]:
    """
    Leave out the rules that never decide, because an earlier one has all their patterns.

    Their permission would else count as one that the caller has somewhere.
    """
    kept, covered = [], set[str]()
    for number, rule in rules:
        if ANY not in covered and not covered.issuperset(rule.databases):
            kept.append((number, rule))
            covered.update(rule.databases)
    return tuple(kept)


def _matches(database: str, patterns: Iterable[str]) -> bool:
    """Compare with * and ? as the only special characters; case counts, as in PostgreSQL."""
    if len(database.encode(errors="replace")) > NAME_BYTES:
        return False
    return any(fnmatchcase(database, pattern.replace("[", "[[]")) for pattern in patterns)


def _unite(given: list[tuple[str, Level, AccessRule | Grant]]) -> Allowance:
    """Unite what applies to one database: the highest level and the most generous limits."""
    highest = max((level for _, level, _ in given), key=LEVELS.index)
    sources = [source for source, level, _ in given if level == highest]
    rulings = [ruling for _, _, ruling in given]
    rows = [ruling.max_rows for ruling in rulings]
    timeouts = [ruling.timeout for ruling in rulings]
    transactions = [ruling.transactions for ruling in rulings]
    return Allowance(
        level=highest,
        source=sources[0],
        max_rows=None if None in rows else max(row for row in rows if row),
        timeout=None if None in timeouts else max(limit for limit in timeouts if limit),
        transactions=None if None in transactions else max(most for most in transactions if most),
    )
