"""What can be said of the Nix files without evaluating the module."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.nixos import snapshot
from tests.nixos.evaluation import HERE, Nix, environment, run
from tests.snapshots import ROOT

FOLDERS = ("nixos", "checks", "tools/nix", "tests/nixos")
NIX_FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.nix"))
OURS = [path for path in NIX_FILES if not path.is_relative_to(ROOT / "tools")]
SCRIPTS = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.sh"))
UNWANTED = ("with lib;", " rec {", "builtins.fetch")
MOST_LINES = 100  # of flake.nix, which is read before anything else


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [ROOT / "flake.nix", *NIX_FILES], ids=name_of)
def test_nix_file_parses(programs: Path, path: Path) -> None:
    assert run(programs, "nix-instantiate", "--parse", path)


@pytest.mark.parametrize("path", [ROOT / "flake.nix", *OURS], ids=name_of)
def test_nix_file_says_where_each_name_is_from(path: Path) -> None:
    """Each name's origin stands beside it, nothing is fetched while evaluating."""
    text = path.read_text()

    assert [word for word in UNWANTED if word in text] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_script_parses(path: Path) -> None:
    first = path.read_text().partition("\n")[0]
    shell = "bash" if "bash" in first else "sh"

    done = subprocess.run([shell, "-n", path], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
@pytest.mark.parametrize("path", sorted((ROOT / "nixos").rglob("*.sh")), ids=name_of)
def test_shellcheck_finds_nothing(path: Path) -> None:
    done = subprocess.run(["shellcheck", path], capture_output=True, text=True, check=False)

    assert done.stdout == ""


def test_flake_is_read_at_a_glance() -> None:
    assert len((ROOT / "flake.nix").read_text().splitlines()) <= MOST_LINES


def test_lock_belongs_to_the_inputs(programs: Path, tmp_path: Path) -> None:
    """Offline nothing can be fetched, so a lock that disagrees with the inputs fails."""
    for name in ("flake.nix", "flake.lock"):
        shutil.copy(ROOT / name, tmp_path)
    flakes = ("--extra-experimental-features", "nix-command flakes")

    run(programs, "nix", *flakes, "flake", "lock", "--offline", f"path:{tmp_path}")

    assert (tmp_path / "flake.lock").read_bytes() == (ROOT / "flake.lock").read_bytes()


def test_flake_evaluates_with_stand_ins_for_nixpkgs(nix: Nix) -> None:
    """Every output for both systems; what it would build is not built."""
    trees = {"NIXPKGS_LIB": str(nix.lib)} | ({"AGENIX": str(nix.agenix)} if nix.agenix else {})

    done = subprocess.run(
        [HERE / "flake.sh"],
        env=environment(nix.programs) | trees,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_snapshots_are_of_these_sources() -> None:
    """Without Nix it is this that finds a change of the module that nobody looked at."""
    assert snapshot.SOURCES.read_text() == snapshot.sources(), "run: make nix-snapshots"
