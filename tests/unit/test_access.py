"""What a caller may do: which rule decides, what grants add, and what narrowing takes away."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from pgmcp.access import Access, Policy
from pgmcp.errors import AccessDenied
from pgmcp.identity import LOCAL, PROXIED, Caller
from pgmcp.kinds import LEVELS, Level
from pgmcp.settings import Settings

CAPABILITY = "example.com/cap/pgmcp"
Rule = dict[str, Any]  # Any: TOML
ANA = "tailscale:ana@example.com"
READ_ALL: Rule = {"who": "*", "permissions": "read"}


def settings(*rules: Rule, **sections: Any) -> Settings:  # Any: TOML
    """Return settings with these access rules."""
    return Settings.model_validate({"access": rules, **sections})


def granted(*grants: Rule, principal: str = ANA) -> Caller:
    """Return a caller to whom the tailnet grants something."""
    return Caller(principal=principal, capabilities=json.dumps({CAPABILITY: grants}))


def access(caller: Caller | str, *rules: Rule, ceiling: Level | None = None) -> Access:
    """Return what a caller may do by *rules* and, where it has any, its grants."""
    given = settings(*rules, identity={"capability": CAPABILITY})
    found = Caller(principal=caller) if isinstance(caller, str) else caller
    return Policy(given).access(found, ceiling)


def refusal(found: Access, level: Level, database: str = "app") -> str:
    """Return the sentence of a refusal."""
    with pytest.raises(AccessDenied) as caught:
        found.require(level, database, "INSERT")
    return caught.value.message


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


def test_a_tag_is_known_by_the_grant_that_names_it() -> None:
    caller = granted({"tag": "ci"}, principal="node:100.64.0.9")

    found = access(caller, {"who": "tag:ci", "permissions": "write"})

    assert found.at("app").level == "write"


def test_a_grant_of_a_tag_alone_permits_nothing() -> None:
    assert access(granted({"tag": "ci"})).highest is None


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


def test_a_capability_alone_makes_rules() -> None:
    given = Settings.model_validate({"identity": {"capability": CAPABILITY}})

    assert Policy(given).access(LOCAL).highest is None


def test_a_grant_adds_to_the_rule() -> None:
    caller = granted({"databases": ["app"], "permissions": ["read", "ddl"]})

    found = access(caller, READ_ALL)

    assert (found.at("app").level, found.at("app").source) == ("ddl", "the tailnet's grant")
    assert found.at("other").level == "read"


def test_a_grant_never_takes_away() -> None:
    caller = granted({"permissions": "read", "max_rows": 10, "timeout": 1})

    found = access(caller, {"who": "*", "permissions": "write", "max_rows": 50}).at("app")

    assert (found.level, found.max_rows, found.timeout) == ("write", 50, None)


def test_a_higher_grant_with_a_limit_takes_nothing_from_a_rule_without() -> None:
    caller = granted({"permissions": "write", "max_rows": 10})

    found = access(caller, READ_ALL).at("app")

    assert (found.level, found.max_rows) == ("write", None)


def test_several_grants_are_united() -> None:
    caller = granted(
        {"databases": ["app"], "permissions": ["read"], "transactions": 1},
        {"databases": ["a*"], "permissions": ["write"], "transactions": 3},
    )

    found = access(caller).at("app")

    assert (found.level, found.transactions) == ("write", 3)


def test_a_grant_counts_for_who_holds_it_alone() -> None:
    given = settings(READ_ALL, identity={"capability": CAPABILITY})
    policy = Policy(given)

    held = policy.access(granted({"permissions": "admin"}))
    bare = policy.access(Caller(principal=ANA))

    assert (held.highest, bare.highest) == ("admin", "read")


def test_a_grant_under_another_name_gives_nothing() -> None:
    caller = Caller(
        principal=ANA, capabilities=json.dumps({"example.com/cap/x": [{"permissions": "admin"}]})
    )

    assert access(caller).highest is None


def test_no_accepted_capability_is_no_grant() -> None:
    policy = Policy(settings(READ_ALL))

    assert policy.access(granted({"permissions": "admin"})).highest == "read"


MALFORMED = [
    pytest.param("{", id="no JSON"),
    pytest.param("[]", id="a list"),
    pytest.param("7", id="a number"),
    pytest.param("null", id="null"),
    pytest.param("[" * 100_000, id="too deep"),
    pytest.param(json.dumps({CAPABILITY: "admin"}), id="a text"),
    pytest.param(json.dumps({CAPABILITY: None}), id="no list"),
    pytest.param(json.dumps({CAPABILITY: ["admin"]}), id="no objects"),
    pytest.param(json.dumps({CAPABILITY: [{"permission": "admin"}]}), id="an unknown key"),
    pytest.param(json.dumps({CAPABILITY: [{"permissions": "root"}]}), id="an unknown level"),
    pytest.param(json.dumps({CAPABILITY: [{"permissions": []}]}), id="no level"),
    pytest.param(
        json.dumps({CAPABILITY: [{"permissions": "admin"}, {"databases": 7}]}), id="one of two"
    ),
]


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_grant_gives_nothing_and_is_told(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="pgmcp.access"):
        found = access(Caller(principal=ANA, capabilities=text), READ_ALL)

    assert found.highest == "read"
    (record,) = caplog.records
    assert "\n" not in record.getMessage()


@pytest.mark.parametrize("level", LEVELS[:-1])
def test_narrowing_takes_away_and_never_adds(level: Level) -> None:
    found = access(ANA, {"who": "*", "permissions": "write"}, ceiling=level)

    expected = "read" if level == "read" else "write"
    assert (found.highest, found.at("app").level) == (expected, expected)


def test_narrowing_gives_nobody_a_database() -> None:
    found = access(ANA, {"who": "*", "databases": "app", "permissions": "admin"}, ceiling="read")

    assert found.at("other").level is None


def test_narrowing_holds_without_rules() -> None:
    found = Policy(Settings()).access(LOCAL, "write")

    assert (found.highest, found.at("app").level) == ("write", "write")


def test_a_refusal_says_who_has_what_by_which_rule() -> None:
    found = access(ANA, {"who": "bob@example.com", "permissions": "admin"}, READ_ALL)

    assert refusal(found, "write") == (
        'INSERT needs permission write on database "app"; access rule 2 gives ana@example.com '
        "read. The operator can change [[access]] or the tailnet's grants."
    )


def test_a_refusal_says_that_nothing_covers_the_database() -> None:
    found = access("key:ci", {"who": "*", "databases": "dev", "permissions": "admin"})

    assert refusal(found, "read") == (
        'INSERT needs permission read on database "app", and ci has none: no access rule or grant '
        "covers it. The operator can change [[access]] or the tailnet's grants."
    )


def test_a_refusal_by_narrowing_says_so() -> None:
    found = access(ANA, {"who": "*", "permissions": "admin"}, ceiling="read")

    assert refusal(found, "write") == (
        "INSERT needs permission write, and this URL is narrowed to read by ?access=read. Use the "
        "URL without it where you may do more."
    )


def test_a_refusal_by_a_rule_is_not_put_down_to_narrowing() -> None:
    found = access(ANA, READ_ALL, ceiling="read")

    assert "access rule 1 gives ana@example.com read" in refusal(found, "write")


def test_limits_of_a_rule_only_lower_those_of_the_server() -> None:
    rule = {**READ_ALL, "max_rows": 50, "timeout": 5, "transactions": 2}
    given = settings({**rule}, limits={"max_rows": 20})

    found = Policy(given).access(Caller(principal=ANA)).settings(given, "app")

    assert (found.limits.max_rows, found.limits.max_rows_ceiling) == (20, 50)
    assert found.limits.timeout == found.limits.timeout_ceiling == timedelta(seconds=5)
    assert found.limits.maintenance_timeout == timedelta(seconds=5)
    assert found.transactions.per_owner == 2


def test_limits_are_those_of_the_rule_that_decides_in_the_database() -> None:
    given = settings(
        {"who": "*", "databases": "big", "permissions": "read", "max_rows": 5},
        READ_ALL,
    )
    found = Policy(given).access(Caller(principal=ANA))

    assert found.settings(given, "big").limits.max_rows == 5
    assert found.settings(given, "app") is given


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
