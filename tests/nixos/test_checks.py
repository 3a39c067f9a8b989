"""The VM tests of checks/, which need a machine to run: that they would, as far as can be said."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.nixos.evaluation import HERE, Nix
from tests.snapshots import ROOT

EXPRESSION = HERE / "checks.nix"
DRAWN = re.compile(r"testers\.runNixOSTest")
TESTS = sorted(
    path.stem for path in (ROOT / "checks").glob("*.nix") if DRAWN.search(path.read_text())
)
PACKAGE = re.compile(r"""pkgs(?:\.| "| \[ ")([A-Za-z_][A-Za-z0-9_'-]*)""")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_'-]*")
WHOLESALE = re.compile(r"with pkgs;|inherit \(pkgs\)")
# How the test driver's own build checks a script; prelude and machines come first.
MYPY = ("--no-implicit-optional", "--check-untyped-defs", "--ignore-missing-imports")
Evaluated = Callable[[str], dict[str, Any]]  # JSON


def package_names(tree: Path) -> set[str]:
    """Return every word of NixOS' modules that may be a package."""
    names = set()
    for path in tree.glob("nixos/[lm]*/**/*.nix"):
        text = path.read_text()
        names.update(PACKAGE.findall(text))
        if WHOLESALE.search(text):
            names.update(WORD.findall(text))
    return names


@pytest.fixture(scope="module")
def test_of(nix: Nix, tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    """Return a function from a test's name to its script and machines."""
    if nix.tree is None or nix.agenix is None:
        pytest.skip("VM tests not evaluated: NIXOS_TREE or AGENIX is not set")
    names = tmp_path_factory.mktemp("checks") / "names"
    names.write_text("\n".join(sorted(package_names(nix.tree))))
    given = {"lib": nix.tree_lib, "tree": nix.tree, "agenix": nix.agenix, "names": names}
    places = [word for name, path in given.items() for word in ("--argstr", name, str(path))]
    arguments = ["--eval", "--strict", "--json", "--read-write-mode", *places]
    arguments += ["--argstr", "system", "x86_64-linux"]

    def evaluate(test: str) -> dict[str, Any]:
        told = nix.run("nix-instantiate", *arguments, "--attr", test, EXPRESSION)
        return dict(json.loads(told))

    return cache(evaluate)


def test_every_vm_test_is_looked_at() -> None:
    listed = re.findall(r'^  "(\w+)"$', EXPRESSION.read_text(), re.MULTILINE)

    assert listed == TESTS


@pytest.mark.parametrize("name", TESTS)
def test_every_machine_of_a_vm_test_evaluates(test_of: Evaluated, name: str) -> None:
    """Options that do not exist fail the evaluation itself."""
    machines = test_of(name)["machines"]

    assert "pi" in machines
    assert [one["failed"] for one in machines.values()] == [[]] * len(machines)
    assert [one["warnings"] for one in machines.values()] == [[]] * len(machines)
    nested = [failed for one in machines.values() for failed in one["specialisations"].values()]
    assert nested == [[]] * len(nested)


@pytest.mark.parametrize("name", TESTS)
def test_the_driver_would_accept_the_script(
    test_of: Evaluated, nix: Nix, name: str, tmp_path: Path
) -> None:
    """As its build checks it: names, the driver's methods and their arguments."""
    test, lib = test_of(name), Path(str(nix.tree)) / "nixos/lib"
    machines = "".join(f"{machine}: Machine\n" for machine in test["machines"])
    hints = (lib / "test-script-prepend.py").read_text()
    script = tmp_path / "script.py"
    script.write_text(f"{hints}\n{machines}vlan1: VLan\n{test['script']}")
    (driver,) = lib.glob("test-driver/**/test_driver/driver.py")

    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", *MYPY, "script.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(driver.parents[1]), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    wrong = [line for line in done.stdout.splitlines() if line.startswith("script.py:")]
    assert wrong == [], done.stdout
    assert done.returncode == 0 or "test_driver/" in done.stdout, done.stdout + done.stderr


def test_a_new_secret_changes_the_unit(test_of: Evaluated) -> None:
    """That is what makes a switch restart the service."""
    unit = test_of("secrets")["machines"]["pi"]["services"]["pgmcp.service"]

    assert "X-Restart-Triggers=" in unit
    assert "LoadCredential=keys:/run/agenix/pgmcp-keys" in unit
