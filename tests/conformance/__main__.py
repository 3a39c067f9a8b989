"""
Run the official MCP conformance suite on the fixture registry and on the real gateway.

`python -m tests.conformance [--log]`; exits with 1 on any result that is not expected.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.cluster import throwaway_cluster
from tests.conformance.node import NodeMissing, install
from tests.conformance.serving import ServerFailed, free_port, served
from tests.conformance.suite import HERE, REVISIONS, Outcome, Suite, entries
from tests.process import start_gateway

NODE_AT_LEAST = 22  # the suite crashes on 20
type_of_run = tuple[str, Outcome, frozenset[str]]  # name, outcome, checks that may not pass
CANNOT = (NodeMissing, ServerFailed, LookupError, RuntimeError, subprocess.TimeoutExpired)
CANNOT_RUN = 2  # exit code: nothing was tested


def main() -> int:
    """Run both parts, print their figures, and say what was not expected."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--log", action="store_true", help="print the suite's own output too")
    options = parser.parse_args()
    started = time.monotonic()
    passed = 0
    problems: list[str] = []
    try:
        node = install(HERE, at_least=NODE_AT_LEAST)
        for name, outcome, expected in runs(node):
            passed += outcome.count("SUCCESS")
            problems += judge(name, outcome, expected)
            say(f"{name}: {figures(outcome)}")
            if options.log:
                say(outcome.log)
    except CANNOT as error:
        say(f"the conformance suite can't run: {error}")
        return CANNOT_RUN
    for problem in problems:
        say(problem)
    say(f"{time.monotonic() - started:.0f} s")
    say(f"conformance: {passed} passed, {len(problems)} failed")
    return 1 if problems else 0


def runs(node: Path) -> Iterator[type_of_run]:
    """Run the suite on each server in each revision."""
    port = free_port()
    with served("tests.conformance.fixture_server", port=port) as url:
        suite = Suite(node=node, url=url)
        for revision in REVISIONS:
            yield everything(suite, "fixtures", revision)
            yield f"fixtures, {revision}, scored", suite.required(revision), frozenset()
    with postgresql() as environment, start_gateway(environment) as gateway:
        suite = Suite(node=node, url=gateway.url)
        for revision in REVISIONS:
            yield everything(suite, "gateway", revision)


def everything(suite: Suite, server: str, revision: str) -> type_of_run:
    """Run all of *revision* with the baseline of *server*, where it has one."""
    baseline = HERE / f"baseline-{server}-{revision}.yml"
    name = f"{server}, {revision}"
    if not baseline.exists():
        return name, suite.everything(revision), frozenset()
    return name, suite.everything(revision, baseline=baseline), entries(baseline)


@contextlib.contextmanager
def postgresql() -> Iterator[Mapping[str, str]]:
    """Give the variables that reach a server: the one PGHOST names, else one of our own."""
    given = {name: value for name, value in os.environ.items() if name.startswith("PG")}
    if "PGHOST" in given:
        yield given
        return
    with throwaway_cluster() as cluster:
        yield cluster.environment()


def judge(name: str, outcome: Outcome, expected: frozenset[str]) -> list[str]:
    """Say what in *outcome* is not as it should be, one line each."""
    troubled = outcome.troubled()
    lines = [f"{name}: {check} does not pass" for check in sorted(troubled - expected)]
    stale = sorted(expected - troubled)
    lines += [f"{name}: {check} is in the baseline and passes" for check in stale]
    if not lines and not (outcome.accepted and outcome.count("SUCCESS")):
        lines.append(f"{name}: the suite does not accept it. It printed:\n{outcome.log}")
    return lines


def figures(outcome: Outcome) -> str:
    """Return the counts in words."""
    words = {"SUCCESS": "passed", "FAILURE": "failed", "WARNING": "warnings"}
    return ", ".join(f"{outcome.count(status)} {word}" for status, word in words.items())


def say(line: str) -> None:
    """Print *line* now, so that a long run shows how far it is."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
