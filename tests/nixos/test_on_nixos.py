"""The module together with NixOS' own modules: what merging makes of both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.nixos.evaluation import HERE, Evaluation
from tests.nixos.snapshot import PLACEHOLDER, STORE
from tests.nixos.units import Unit, host

type_of_evaluated = Callable[[Path], Evaluation]
CASES = ["two-lines", "default", "credentials", "remote-name"]


def case(name: str) -> Path:
    return HERE / "cases" / f"{name}.nix"


@pytest.mark.parametrize("name", CASES)
def test_no_assertion_of_nixos_fails(on_nixos: type_of_evaluated, name: str) -> None:
    report = on_nixos(case(name)).report

    assert report["assertions"]["failed"] == []
    assert report["assertions"]["total"] > len(CASES) * 100


@pytest.mark.parametrize("unit", ["pgmcp.service", "pgmcp.socket", "pgmcp-local.socket"])
@pytest.mark.parametrize("name", CASES)
def test_nixos_writes_each_line_of_the_unit(
    on_nixos: type_of_evaluated, name: str, unit: str
) -> None:
    """NixOS adds variables and the like of its own; what the module says is there unchanged."""
    text = STORE.sub(PLACEHOLDER, on_nixos(case(name)).report["units"][unit])

    assert host(name).units[unit].lines <= Unit(name=unit, text=text).lines


def test_our_way_in_comes_before_nixos_own(on_nixos: type_of_evaluated) -> None:
    """The first line that fits decides: `local all all peer` must not see our roles."""
    told = on_nixos(case("two-lines")).report["postgresql"]["authentication"]
    lines = [line.split() for line in told.splitlines() if line and not line.startswith("#")]

    assert lines[0][0:2] + lines[0][3:] == ["local", "all", "peer", "map=pgmcp"]
    assert ["local", "all", "all", "peer"] in lines[1:]


def test_our_settings_give_way_to_the_hosts(on_nixos: type_of_evaluated) -> None:
    settings = on_nixos(case("every-option")).report["postgresql"]["settings"]

    assert settings["shared_buffers"] == "512MB"
    assert settings["listen_addresses"] in ("localhost", "")
