"""The module, evaluated for each case, is what the snapshots say, on both systems."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.nixos import snapshot
from tests.nixos.evaluation import HERE, Evaluation, Nix

type_of_evaluated = Callable[[Path], Evaluation]
SYSTEMS = ("x86_64-linux", "aarch64-linux")
REFUSED_BY_ASSERTION = ("services.pgmcp.", "services.postgresql.", "PostgreSQL ")


def name_of(case: Path) -> str:
    return case.stem


@pytest.mark.parametrize("case", snapshot.CASES, ids=name_of)
def test_case_is_its_snapshot(evaluated: type_of_evaluated, case: Path) -> None:
    expected = snapshot.held(snapshot.FOLDER / case.stem)

    assert snapshot.files_of(evaluated(case)) == expected, "run: make nix-snapshots"


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("name", ["two-lines", "default", "credentials", "remote-address"])
def test_case_is_the_same_on_each_system(nix: Nix, name: str, system: str) -> None:
    evaluation = nix.evaluate(HERE / "cases" / f"{name}.nix", system=system)

    assert snapshot.files_of(evaluation) == snapshot.held(snapshot.FOLDER / name)


@pytest.mark.parametrize("case", snapshot.REFUSED, ids=name_of)
def test_refusal_is_its_sentence(evaluated: type_of_evaluated, case: Path) -> None:
    expected = (snapshot.REFUSALS / f"{case.stem}.txt").read_text()

    assert snapshot.refusal_of(evaluated(case)) == expected, "run: make nix-snapshots"


def test_every_assertion_has_a_case(evaluated: type_of_evaluated) -> None:
    """Each case trips exactly one, so as many sentences as assertions are one each."""
    texts = snapshot.held(snapshot.REFUSALS).values()
    sentences = [text for text in texts if text.startswith(REFUSED_BY_ASSERTION)]
    asserted = {re.sub(r'"[^"]*"', "…", text) for text in sentences}

    report = evaluated(HERE / "cases" / "two-lines.nix").report

    assert len(asserted) == report["assertions"]["total"]


def test_every_snapshot_has_its_case() -> None:
    held = {path.name for path in snapshot.FOLDER.iterdir() if path.is_dir()}
    refusals = {path.stem for path in snapshot.REFUSALS.iterdir()}

    assert held == {case.stem for case in snapshot.CASES} | {"refused"}
    assert refusals == {case.stem for case in snapshot.REFUSED}


def test_new_age_file_restarts_the_service(nix: Nix, tmp_path: Path) -> None:
    """By itself agenix restarts nothing, so what a credential is made from is in the unit."""
    case = tmp_path / "credentials.nix"
    case.write_text((HERE / "cases" / "credentials.nix").read_text())
    secret = tmp_path / "secrets" / "pgmcp-keys.age"
    secret.parent.mkdir()

    secret.write_text("first")
    first = nix.evaluate(case).report["services"]
    secret.write_text("second")
    second = nix.evaluate(case).report["services"]

    assert first["pgmcp"]["restartTriggers"] != second["pgmcp"]["restartTriggers"]
    assert first["pgmcp"]["serviceConfig"] == second["pgmcp"]["serviceConfig"]
    assert first["pgmcp-tailscale-serve"] == second["pgmcp-tailscale-serve"]
