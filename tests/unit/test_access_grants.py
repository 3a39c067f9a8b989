"""What the tailnet's grants add to the rules, and that a malformed one adds nothing."""

from __future__ import annotations

import json
import logging

import pytest

from pgmcp.access import Policy
from pgmcp.identity import LOCAL, Caller
from pgmcp.settings import Settings
from tests.unit.ruling import ANA, CAPABILITY, READ_ALL, access, granted, settings


def test_a_tag_is_known_by_the_grant_that_names_it() -> None:
    caller = granted({"tag": "ci"}, principal="node:100.64.0.9")

    found = access(caller, {"who": "tag:ci", "permissions": "write"})

    assert found.at("app").level == "write"


def test_a_grant_of_a_tag_alone_permits_nothing() -> None:
    assert access(granted({"tag": "ci"})).highest is None


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
