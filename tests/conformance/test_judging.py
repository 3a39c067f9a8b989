"""
The conformance run fails on what it should fail on.

The suite itself needs Node and is run by `make conformance`; here is only our judgement of it.
"""

from __future__ import annotations

from pathlib import Path

from tests.conformance.__main__ import judge
from tests.conformance.suite import REVISIONS, Check, Outcome, entries, scenario_of

HERE = Path(__file__).parent
PASSED = Check(scenario="ping", name="ping", status="SUCCESS")
FAILED = Check(scenario="tools-list", name="order", status="FAILURE")
WARNED = Check(scenario="tools-list", name="title", status="WARNING")


def outcome(*checks: Check, accepted: bool = True) -> Outcome:
    """Return what a run with *checks* would come to."""
    return Outcome(accepted=accepted, checks=checks, log="the log")


def test_a_failure_that_is_expected_is_no_problem() -> None:
    """A baseline lets a check fail or warn."""
    expected = frozenset({"tools-list:order", "tools-list:title"})

    assert judge("gateway", outcome(PASSED, FAILED, WARNED), expected) == []


def test_a_failure_that_is_not_expected_is_named() -> None:
    """Failures and warnings count alike."""
    problems = judge("gateway", outcome(PASSED, FAILED, WARNED), frozenset())

    assert problems == [
        "gateway: tools-list:order does not pass",
        "gateway: tools-list:title does not pass",
    ]


def test_a_stale_entry_is_named() -> None:
    """An entry that passes, or that no check has, is a problem of its own."""
    problems = judge("gateway", outcome(PASSED), frozenset({"ping:ping"}))

    assert problems == ["gateway: ping:ping is in the baseline and passes"]


def test_a_run_without_checks_is_a_problem() -> None:
    """A suite that looked at nothing has shown nothing."""
    problems = judge("fixtures", outcome(), frozenset())

    assert problems == ["fixtures: the suite does not accept it. It printed:\nthe log"]


def test_the_verdict_of_the_suite_counts() -> None:
    """What the suite itself refuses is refused."""
    problems = judge("fixtures", outcome(PASSED, accepted=False), frozenset())

    assert problems == ["fixtures: the suite does not accept it. It printed:\nthe log"]


def test_result_folders_name_their_scenario() -> None:
    """The suite joins the scenario's name and the time with dashes."""
    name = scenario_of("server-server-sse-polling-2026-11-23T01-06-19-819Z")

    assert name == "server-sse-polling"


def test_baselines_list_checks_and_no_whole_scenarios() -> None:
    """An entry without a check would let a whole scenario fail."""
    paths = [HERE / f"baseline-gateway-{revision}.yml" for revision in REVISIONS]
    listed = [entry for path in paths for entry in entries(path)]

    assert listed
    assert [entry for entry in listed if entry.count(":") != 1] == []
