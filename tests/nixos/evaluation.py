"""
The module as Nix evaluates it: a case goes in, what NixOS would be told comes out.

Owns where Nix and the trees are looked for; must never write in the repository.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.snapshots import ROOT

HERE = Path(__file__).parent
TOOLS = ROOT / "tools" / "nix"
OWN_NIX = ROOT / "build" / "nix"
LIMIT = 300.0  # seconds; one case takes a third of a second, on NixOS' own modules three
UNITS = "pgmcp.*"  # the units that a report is about
# What this reads of the environment, and what else eval.sh would read by itself.
TREES = ("NIXPKGS", "NIXPKGS_LIB", "AGENIX", "NIXOS_TREE", "NIXOS_TREE_LIB")
HEEDED = frozenset((*TREES, "MODULE", "STUBS", "NAMES", "PACKAGE", "PAYLOAD", "NIX_SYSTEM"))
NO_NIX = "needs Nix, which is neither on PATH nor in build/nix. Run: make nix-check"
NO_LIB = (
    "not evaluated: neither NIXPKGS_LIB (a checkout of nix-community/nixpkgs.lib) nor NIXPKGS "
    "(a whole nixpkgs) is set"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """Hold what one case came to: eval.sh's report, or why there is none."""

    status: int
    output: str
    errors: str

    @property
    def report(self) -> dict[str, Any]:  # JSON
        """Return the report; a case that can't be evaluated fails with Nix' own words."""
        assert self.output, self.errors
        report: dict[str, Any] = json.loads(self.output)
        return report


@dataclass(frozen=True, kw_only=True, slots=True)
class Nix:
    """
    Hold where Nix and the trees are that the module is evaluated with.

    *lib* is a checkout of nix-community/nixpkgs.lib or a whole nixpkgs; without *agenix* a stand-in
    for its options serves; *tree* has NixOS' own modules, and *tree_lib* is about as old as it.
    """

    programs: Path
    lib: Path
    agenix: Path | None
    tree: Path | None
    tree_lib: Path

    def evaluate(self, case: Path, *, system: str = "") -> Evaluation:
        """Evaluate *case* with typed stand-ins for NixOS' options; *system* is this machine's."""
        return self._run(case, {"NIXPKGS_LIB": str(self.lib), "NIX_SYSTEM": system})

    def evaluate_on_nixos(self, case: Path) -> Evaluation:
        """Evaluate *case* together with all of NixOS' own modules."""
        given = {"NIXPKGS_LIB": str(self.tree_lib), "NIXOS_TREE": str(self.tree)}
        return self._run(case, given)

    def options_page(self) -> str:
        """Return what docs/options.md has to be."""
        page = ROOT / "nixos" / "documentation.nix"
        expression = f"import {page} {{ lib = import {self.lib}/lib; }}"
        return str(json.loads(self.run("nix-instantiate", "--eval", "--json", "-E", expression)))

    def run(self, program: str, *arguments: str | Path, folder: Path = ROOT) -> str:
        """Return what one of Nix' programs prints; a failure carries its own words."""
        return run(self.programs, program, *arguments, folder=folder)

    def _run(self, case: Path, given: Mapping[str, str]) -> Evaluation:
        told = {"CONFIG": str(case), "AGENIX": str(self.agenix or ""), "UNITS": UNITS, **given}
        done = subprocess.run(
            [TOOLS / "eval" / "eval.sh", ROOT],
            env={**environment(self.programs), **told},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return Evaluation(status=done.returncode, output=done.stdout, errors=done.stderr)


def run(programs: Path, program: str, *arguments: str | Path, folder: Path = ROOT) -> str:
    """Return what *program* of Nix prints; a failure carries its own words."""
    done = subprocess.run(
        [programs / program, *arguments],
        cwd=folder,
        env=environment(programs),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def environment(programs: Path) -> dict[str, str]:
    """Return this process' environment with Nix on PATH and nothing that eval.sh would heed."""
    kept = {name: value for name, value in os.environ.items() if name not in HEEDED}
    return {**kept, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def find_programs() -> Path | None:
    """Return the folder of Nix' programs: those on PATH, else those of `make nix-check`."""
    on_path = shutil.which("nix-instantiate")
    if on_path:
        return Path(on_path).parent
    own = OWN_NIX / "bin"
    return own if (own / "nix-instantiate").exists() else None


def find_nix() -> Nix | str:
    """Return what the module can be evaluated with, or the reason why it cannot."""
    programs = find_programs()
    if programs is None:
        return NO_NIX
    if not shutil.which("jq"):
        return "not evaluated: jq is not installed"
    named = {name: Path(value) for name, value in os.environ.items() if name in TREES and value}
    nixpkgs = named.get("NIXPKGS")
    lib = named.get("NIXPKGS_LIB", nixpkgs)
    if lib is None:
        return NO_LIB
    return Nix(
        programs=programs,
        lib=lib.resolve(),
        agenix=named.get("AGENIX"),
        tree=named.get("NIXOS_TREE", nixpkgs),
        tree_lib=named.get("NIXOS_TREE_LIB", nixpkgs or lib).resolve(),
    )
