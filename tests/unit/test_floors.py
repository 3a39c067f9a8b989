"""`make test-oldest` installs the oldest that pyproject.toml admits, and nothing here is older."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# httpx2 asks for a newer idna than nixpkgs has, and nixos/wheels.nix lets it have the older one:
# only an outgoing client uses it, and test_deferred.py shows that `serve` never imports it.
RELAXED = {"idna"}


def locked(name: str) -> list[Requirement]:
    """Return the pins of a file in requirements/; one package may have several, by marker."""
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    return [Requirement(line.rstrip("\\ ")) for line in lines if re.match(r"\w", line)]


def version_of(requirement: Requirement) -> Version:
    """Return the version of a pin, or the floor of a range."""
    return min(Version(each.version) for each in requirement.specifier)


def applies(requirement: Requirement) -> bool:
    """Tell whether this Python on this system needs it."""
    return requirement.marker is None or requirement.marker.evaluate()


def installed(name: str) -> Version | None:
    """Return the version that is installed here, if any."""
    return next((Version(found.version) for found in metadata.distributions(name=name)), None)


DEPENDENCIES = [Requirement(text) for text in PROJECT["dependencies"]]
OLDEST = locked("oldest.txt")
SERVED = {requirement.name for requirement in locked("serve.txt")}


@pytest.mark.parametrize("dependency", [pytest.param(each, id=each.name) for each in DEPENDENCIES])
def test_the_oldest_version_tested_is_the_floor(dependency: Requirement) -> None:
    pinned = [version_of(each) for each in OLDEST if each.name == dependency.name]

    assert min(pinned) == version_of(dependency), "run make lock, or write the floor that exists"


def test_nothing_that_serves_is_older_than_what_was_tested() -> None:
    tested = {each.name: version_of(each) for each in OLDEST if applies(each)}
    here = {name: installed(name) for name in SERVED & tested.keys() - RELAXED}

    older = {name: found for name, found in here.items() if found and found < tested[name]}

    assert older == {}
