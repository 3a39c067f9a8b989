"""What the units of every case have to be, whatever else a host says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.nixos.snapshot import CASES
from tests.nixos.units import complaints, exposure, host, relaxed, systemd_version

ALL = [case.stem for case in CASES]
ENABLED = [name for name in ALL if name != "disabled"]
# What a unit writes otherwise than hardening.nix; the reasons stand in nixos/.
RELAXED = {
    "pgmcp-backup.service": {"ProtectHome", "RemoveIPC"},
    "pgmcp-provision.service": {"RemoveIPC"},
    "pgmcp-tailscale-check.service": set(),
    "pgmcp-tailscale-serve.service": set(),
}
BY_ADDRESS = {"PrivateNetwork", "RestrictAddressFamilies"}
BY_NAME = {*BY_ADDRESS, "IPAddressDeny"}  # a name has to be looked up
REMOTE = {
    "remote-address": BY_ADDRESS,
    "remote-address6": BY_ADDRESS,
    "remote-name": BY_NAME,
    "remote-provision": BY_NAME,
}
SANDBOX = host("two-lines").units["pgmcp-tailscale-check.service"]  # hardening.nix and no more
MOST_EXPOSURE = 1.5
OFFLINE = pytest.mark.skipif(
    systemd_version() < 250, reason="no systemd-analyze that reads units offline (systemd 250)"
)


def test_disabled_module_gives_nothing() -> None:
    disabled = host("disabled")

    assert (disabled.units, disabled.generated) == ({}, {})
    assert not disabled.postgresql["enable"]
    assert disabled.postgresql["ensureDatabases"] == []
    told = disabled.rest
    assert [told[name] for name in ("checks", "groups", "packages", "users", "tmpfiles")] == [
        []
    ] * 5
    assert (told["etc"], told["restart_triggers"]) == ({}, {})


@pytest.mark.parametrize("case", ALL)
def test_firewall_stays_as_it_is(case: str) -> None:
    firewall = host(case).rest["firewall"]

    assert firewall == {
        "enable": True,
        "allowedTCPPorts": [],
        "allowedUDPPorts": [],
        "interfaces": {},
        "trustedInterfaces": [],
    }


@pytest.mark.parametrize("case", ENABLED)
def test_nothing_listens_but_the_two_sockets(case: str) -> None:
    listening = {
        unit.name: (unit.all("ListenStream"), unit.all("SocketUser"), unit.all("SocketMode"))
        for unit in host(case).sockets
    }

    assert listening == {
        "pgmcp.socket": (["/run/pgmcp.sock"], ["root"], ["0600"]),
        "pgmcp-local.socket": (["/run/pgmcp-local.sock"], ["root"], ["0660"]),
    }


@pytest.mark.parametrize("case", ENABLED)
def test_local_socket_is_for_a_group_that_is_made(case: str) -> None:
    (group,) = host(case).units["pgmcp-local.socket"].all("SocketGroup")

    assert host(case).rest["groups"] == [group]
    assert host(case).units["pgmcp.service"].all("User") != [group]  # systemd would refuse it
    assert host(case).units["pgmcp.socket"].all("SocketGroup") == ["root"]


@pytest.mark.parametrize("case", ENABLED)
def test_sandbox_opens_only_where_it_is_said(case: str) -> None:
    remote = REMOTE.get(case, set())
    may_open = {
        **RELAXED,
        "pgmcp.service": remote,
        "pgmcp-provision.service": remote or RELAXED["pgmcp-provision.service"],
    }

    found = {unit.name: relaxed(unit, SANDBOX) for unit in host(case).services}

    assert found == {name: may_open[name] for name in found}


@pytest.mark.parametrize("case", ENABLED)
def test_only_a_remote_server_gives_the_service_a_network(case: str) -> None:
    service = host(case).units["pgmcp.service"]

    assert service.all("PrivateNetwork") == ["false" if case in REMOTE else "true"]
    assert ("network-online.target" in service.words("Wants")) == (case in REMOTE)


@pytest.mark.parametrize(
    ("case", "address"),
    [("remote-address", "100.64.0.7"), ("remote-address6", "fd7a:115c:a1e0::7")],
)
def test_an_address_is_all_that_the_service_may_speak_with(case: str, address: str) -> None:
    service = host(case).units["pgmcp.service"]

    assert (service.all("IPAddressDeny"), service.all("IPAddressAllow")) == (["any"], [address])


@pytest.mark.parametrize("case", ENABLED)
def test_nothing_requires_another_unit(case: str) -> None:
    """A restart of PostgreSQL, or its failure, must not stop the gateway."""
    bound = {
        unit.name: found
        for unit in host(case).units.values()
        if (found := unit.all("(?:Requires|Requisite|BindsTo|Upholds)"))
    }

    assert bound == {}


@pytest.mark.parametrize("case", ENABLED)
def test_no_unit_carries_a_secret(case: str) -> None:
    """Files are handed over by LoadCredential from outside the store, and by nothing else."""
    units = host(case).units.values()
    loaded = [value for unit in units for value in unit.all("LoadCredential")]
    told = "\n".join(unit.text for unit in units) + host(case).generated["pgmcp.json"]

    assert [value for value in loaded if "/nix/store" in value] == []
    assert (
        re.findall(r"SetCredential|EnvironmentFile|PGPASS|\"password\"|age1|AGE-SECRET", told) == []
    )
    assert set(host(case).rest["secrets"]) <= {"pgmcp-keys", "database-password"}


@pytest.mark.parametrize("case", ENABLED)
def test_funnel_is_never_asked_for(case: str) -> None:
    scripts = "\n".join(host(case).generated.values())
    commands = re.sub(r"^\s*#.*$", "", scripts, flags=re.MULTILINE)

    assert re.findall(r"tailscale\s+funnel|--funnel|set-config", commands) == []


@pytest.mark.parametrize("case", ENABLED)
def test_every_file_that_is_named_is_generated(case: str) -> None:
    assert host(case).named_files() == set(host(case).generated)


@OFFLINE
@pytest.mark.parametrize("case", ENABLED)
def test_systemd_understands_every_line(case: str, tmp_path: Path) -> None:
    assert complaints(host(case), tmp_path) == []


@OFFLINE
@pytest.mark.parametrize("case", ["two-lines", "default", "credentials", "own-server"])
def test_services_are_hardly_exposed(case: str, tmp_path: Path) -> None:
    levels = {unit.name: exposure(unit, tmp_path) for unit in host(case).services}

    assert {name: level for name, level in levels.items() if level > MOST_EXPOSURE} == {}
