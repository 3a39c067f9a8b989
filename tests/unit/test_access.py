"""What a caller may do by the access rules: which one decides, and for whom."""

from __future__ import annotations

import pytest

from pgmcp.access import Access, Policy
from pgmcp.errors import AccessDenied
from pgmcp.identity import PROXIED, Caller
from pgmcp.kinds import LEVELS, Level
from pgmcp.settings import Settings
from tests.unit.ruling import ANA, READ_ALL, Rule, access, granted, settings

WHO = [
    pytest.param("*", ANA, True, id="everyone: a login"),
    pytest.param("*", "key:ci", True, id="everyone: a key"),
    pytest.param("*", "node:100.64.0.9", True, id="everyone: a node"),
    pytest.param("*", "local", False, id="everyone is not local"),
    pytest.param("*", "proxied", False, id="everyone is nobody unknown"),
    pytest.param("local", "local", True, id="local"),
    pytest.param("local", ANA, False, id="local is no login"),
    pytest.param("ana@example.com", ANA, True, id="login"),
    pytest.param("Ana@Example.com", ANA, True, id="login in the rule in capitals"),
    pytest.param("ana@example.com", "tailscale:Ana@Example.COM", True, id="login in capitals"),
    pytest.param("ana@example.com", "tailscale:bob@example.com", False, id="another login"),
    pytest.param("ana@example.com", "key:ana@example.com", False, id="a key named like a login"),
    pytest.param("key:ci", "key:ci", True, id="key"),
    pytest.param("key:ci", "key:CI", False, id="a key's name counts its case"),
    pytest.param("key:local", "local", False, id="a key called local"),
    pytest.param("node:100.64.0.9", "node:100.64.0.9", True, id="node"),
    pytest.param("tag:ci", "key:ci", False, id="a tag is no key"),
    pytest.param("tag:ci", "node:100.64.0.9", False, id="a node without a grant has no tag"),
]


@pytest.mark.parametrize(("who", "principal", "is_meant"), WHO)
def test_a_rule_means_whom_it_names(who: str, principal: str, is_meant: bool) -> None:  # noqa: FBT001
    found = access(principal, {"who": who, "permissions": "read"})

    assert found.may_reach("app") is is_meant


PATTERNS = [
    pytest.param("*", "anything at all", True, id="star"),
    pytest.param("scratch_*", "scratch_", True, id="an end"),
    pytest.param("scratch_*", "prod_scratch_1", False, id="from the beginning"),
    pytest.param("a?p", "app", True, id="one character"),
    pytest.param("a?p", "ap", False, id="one character must be there"),
    pytest.param("App", "app", False, id="case counts"),
    pytest.param("a[p]p", "app", False, id="brackets are no set"),
    pytest.param("a[p]p", "a[p]p", True, id="brackets are themselves"),
    pytest.param("a*z", "a\nz", True, id="a name may hold a line end"),
    pytest.param("*_dev", "x" * 63 + "_dev", False, id="a name that PostgreSQL would cut"),
    pytest.param("é*", "é" * 32, False, id="bytes count, not characters"),
    pytest.param("*", "\ud800", True, id="no text at all is refused elsewhere"),
]


@pytest.mark.parametrize(("pattern", "database", "is_met"), PATTERNS)
def test_a_pattern_meets_names_as_a_whole(pattern: str, database: str, is_met: bool) -> None:  # noqa: FBT001
    found = access(ANA, {"who": "*", "databases": pattern, "permissions": "read"})

    assert found.may_reach(database) is is_met


def test_the_first_rule_for_caller_and_database_decides() -> None:
    found = access(
        ANA,
        {"who": "bob@example.com", "permissions": "admin"},
        {"who": "ana@example.com", "databases": "scratch_*", "permissions": "admin"},
        {"who": "ana@example.com", "databases": "app", "permissions": "read"},
        {"who": "*", "permissions": "write"},
    )

    levels = {name: found.at(name).level for name in ("scratch_1", "app", "other")}
    assert levels == {"scratch_1": "admin", "app": "read", "other": "write"}
    assert found.at("app").source == "access rule 3"


def test_a_rule_that_never_decides_raises_nothing() -> None:
    """Else a reader would be shown what it may not use."""
    found = access(
        ANA,
        {"who": "ana@example.com", "permissions": "read"},
        {"who": "*", "permissions": "admin"},
    )

    assert found.highest == "read"


def test_a_rule_with_the_same_patterns_never_decides() -> None:
    found = access(
        ANA,
        {"who": "ana@example.com", "databases": ["app", "dev"], "permissions": "write"},
        {"who": "*", "databases": ["dev"], "permissions": "admin"},
    )

    assert found.highest == "write"


def test_the_highest_level_is_that_of_any_database() -> None:
    found = access(
        ANA,
        {"who": "*", "databases": "scratch_*", "permissions": "ddl"},
        READ_ALL,
    )

    assert found.highest == "ddl"


@pytest.mark.parametrize("given", [["read", "ddl"], ["ddl", "write"], "ddl"])
def test_the_highest_permission_of_a_rule_counts(given: object) -> None:
    found = access(ANA, {"who": "*", "permissions": given})

    assert found.at("app").level == "ddl"


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_contains_those_before_it(level: Level) -> None:
    found = access(ANA, {"who": "*", "permissions": level})
    contained = LEVELS[: LEVELS.index(level) + 1]

    passed = [one for one in LEVELS if _passes(found, one)]

    assert passed == list(contained)


def _passes(found: Access, level: Level) -> bool:
    try:
        found.require(level, "app", "it")
    except AccessDenied:
        return False
    return True


def test_nothing_that_matches_is_nothing_permitted() -> None:
    found = access("local", READ_ALL)

    assert (found.highest, found.may_reach("app")) == (None, False)


def test_without_rules_and_capability_everything_is_permitted() -> None:
    found = Policy(Settings()).access(PROXIED)

    assert (found.highest, found.at("app").level) == ("admin", "admin")


def test_access_is_remembered() -> None:
    policy = Policy(settings(READ_ALL))

    assert policy.access(Caller(principal=ANA)) is policy.access(Caller(principal=ANA))


ALL = [
    pytest.param([READ_ALL], [], True, id="a rule for all"),
    pytest.param([{"who": "*", "databases": "a*", "permissions": "admin"}], [], False, id="some"),
    pytest.param([], [{"permissions": "read"}], True, id="a grant for all"),
    pytest.param([], [{"tag": "ci"}], False, id="a grant of a tag alone"),
]


@pytest.mark.parametrize(("rules", "grants", "reaches"), ALL)
def test_who_reaches_every_database_is_known(
    rules: list[Rule],
    grants: list[Rule],
    reaches: bool,  # noqa: FBT001
) -> None:
    assert access(granted(*grants), *rules).reaches_all is reaches
