"""What the tests of the module stand on: Nix where it is at hand, and the snapshots anyway."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.nixos.evaluation import NO_NIX, Evaluation, Nix, find_nix, find_programs


@pytest.fixture(scope="session")
def programs() -> Path:
    """Return the folder of Nix' programs; without them a test says that it did not run."""
    found = find_programs()
    if found is None:
        pytest.skip(NO_NIX)
    return found


@pytest.fixture(scope="session")
def nix() -> Nix:
    """Return what evaluates the module; without it a test says what it lacks."""
    found = find_nix()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture(scope="session")
def evaluated(nix: Nix) -> Callable[[Path], Evaluation]:
    """Return a function from a case to what it evaluates to, once for all tests."""
    return cache(nix.evaluate)


@pytest.fixture(scope="session")
def on_nixos(nix: Nix) -> Callable[[Path], Evaluation]:
    """Return the same with all of NixOS' own modules."""
    if nix.tree is None:
        pytest.skip("not evaluated with NixOS' own modules: NIXOS_TREE is not set")
    return cache(nix.evaluate_on_nixos)
