"""What lowers access: a narrowed URL and a rule's limits; and how a refusal tells it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pgmcp.access import Access, Policy
from pgmcp.errors import AccessDenied
from pgmcp.identity import LOCAL, Caller
from pgmcp.kinds import LEVELS, Level
from pgmcp.settings import Settings
from tests.unit.ruling import ANA, READ_ALL, access, settings


def refusal(found: Access, level: Level, database: str = "app") -> str:
    """Return the sentence of a refusal."""
    with pytest.raises(AccessDenied) as caught:
        found.require(level, database, "INSERT")
    return caught.value.message


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
