"""
One run of the official suite against one address, and what came out of it.

Owns the suite's command line and its result files; never judges a server by itself.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = HERE / "node_modules/@modelcontextprotocol/conformance"
PROGRAM = PACKAGE / "dist/index.js"
RUN_SECONDS = 90  # a whole run takes five; a scenario of a broken server up to ten
SCENARIO_MILLISECONDS = 10_000
TROUBLE = ("FAILURE", "WARNING")  # a baseline has to list both
REVISIONS = ("2025-11-25", "2026-07-28")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that one scenario looked at."""

    scenario: str
    name: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """
    Hold what one run found.

    *accepted* is the suite's own verdict, its baseline taken into account; *log* is what it
    printed. A check's status is SUCCESS, FAILURE, WARNING, SKIPPED or INFO.
    """

    accepted: bool
    checks: tuple[Check, ...]
    log: str = field(repr=False)

    def count(self, status: str) -> int:
        """Return how many checks have *status*."""
        return sum(check.status == status for check in self.checks)

    def troubled(self) -> frozenset[str]:
        """Name each check that failed or warned as `scenario:check`, as a baseline does."""
        troubled = (check for check in self.checks if check.status in TROUBLE)
        return frozenset(f"{check.scenario}:{check.name}" for check in troubled)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Run the suite with one Node against one address."""

    node: Path
    url: str

    def everything(self, revision: str, *, baseline: Path | None = None) -> Outcome:
        """Run every scenario of *revision* that is no extension."""
        accepting = ["--expected-failures", str(baseline)] if baseline else []
        return self.run(["--suite", "all", "--spec-version", revision, *accepting])

    def required(self, revision: str) -> Outcome:
        """
        Run the frozen list of scenarios that conformance to *revision* is scored by.

        The suite runs extensions beside them for information; their checks are left out.
        """
        outcome = self.run(["--requirements", revision])
        scored = scored_scenarios(revision)
        checks = tuple(check for check in outcome.checks if check.scenario in scored)
        return replace(outcome, checks=checks)

    def run(self, options: Sequence[str]) -> Outcome:
        """Run the suite with *options*."""
        command = [str(self.node), str(PROGRAM), "server", "--url", self.url, *options]
        command += ["--timeout", str(SCENARIO_MILLISECONDS)]
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [*command, "-o", folder],
                capture_output=True,
                text=True,
                timeout=RUN_SECONDS,
                check=False,
            )
            checks = tuple(read(Path(folder)))
        accepted = done.returncode == 0
        return Outcome(accepted=accepted, checks=checks, log=done.stdout + done.stderr)


def read(folder: Path) -> Iterator[Check]:
    """Yield the checks whose results are below *folder*."""
    for path in sorted(folder.glob("*/checks.json")):
        scenario = scenario_of(path.parent.name)
        for check in json.loads(path.read_text()):
            yield Check(scenario=scenario, name=check["id"], status=check["status"])


def scenario_of(folder: str) -> str:
    """Return the scenario of a result folder, `server-NAME-2026-11-23T01-06-19-819Z`."""
    return folder.removeprefix("server-").rpartition("T")[0].rsplit("-", 3)[0]


def entries(baseline: Path) -> frozenset[str]:
    """Return the checks that *baseline* lists, each as `scenario:check`."""
    lines = (line.partition("#")[0].strip() for line in baseline.read_text().splitlines())
    return frozenset(line.removeprefix("- ") for line in lines if line.startswith("- "))


def scored_scenarios(revision: str) -> frozenset[str]:
    """Return the server scenarios of the suite's own list for *revision*."""
    text = (PACKAGE / "requirements" / f"{revision}.yaml").read_text()
    section = text.partition("\nserver:\n")[2].partition("\n\n")[0]
    return frozenset(line.strip().removeprefix("- ") for line in section.splitlines())
