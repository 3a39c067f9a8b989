"""What is shipped for Debian is what the NixOS module evaluates to, and nothing has drifted."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from pgmcp.settings import load
from tests.snapshots import FOLDER, ROOT, contrib

UNITS = [name for name in contrib.files() if name.endswith((".service", ".socket", ".timer"))]
UNKNOWN = re.compile("'RestartSteps'|'RestartMaxDelaySec'")  # before systemd 254
REMOTE = (contrib.PLACE / "remote" / "pgmcp.conf").read_text()
SHELL = ["contrib/systemd/install", *(str(path) for path in sorted(ROOT.glob("nixos/*.sh")))]


@pytest.mark.parametrize("name", contrib.files())
def test_a_file_is_what_make_snapshots_writes(name: str) -> None:
    assert (contrib.PLACE / name).read_text() == contrib.files()[name]


def test_no_file_is_left_over_from_an_earlier_module() -> None:
    kept = {"install", "pgmcp.toml"}
    found = {path.name for path in contrib.PLACE.iterdir() if path.is_file()}

    assert found - kept == set(contrib.files())


@pytest.mark.parametrize("section", ["server", "provision", "backup"])
def test_the_configuration_says_what_the_module_says(section: str) -> None:
    said = tomllib.loads((contrib.PLACE / "pgmcp.toml").read_text())[section]
    module = json.loads((FOLDER / "nixos" / contrib.CASE / "store" / "pgmcp.json").read_text())

    # Of the host alone: its database, and where its PostgreSQL's programs are.
    own = {"database", "pg_dump"}
    assert {key: said[key] for key in said.keys() - own} == {
        key: module[section][key] for key in module[section].keys() - own
    }


def test_the_configuration_is_valid_as_it_is_shipped() -> None:
    settings = load(environ={}, file=contrib.PLACE / "pgmcp.toml")

    assert [rule.who for rule in settings.access] == [("you@example.com",), ("local",)]


def test_a_path_of_the_store_that_debian_has_nowhere_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"pgmcp\.service names a path of the store"):
        contrib.unit("pgmcp.service", "[Service]\nExecStart=/nix/store/000-strange/bin/x\n")


def test_the_comments_of_the_module_come_along() -> None:
    text = contrib.files()["pgmcp-provision.service"]

    reason = "# When this unit ends it would take PostgreSQL's own shared memory with it."
    assert f"\n{reason}\nRemoveIPC=false\n" in text


def test_the_drop_in_for_a_remote_server_opens_what_the_module_opens() -> None:
    units = FOLDER / "nixos"
    module = set((units / "remote-name" / "units" / "pgmcp.service").read_text().splitlines())
    said = re.findall(r"^(?:Private|Restrict|IPAddress).*$", REMOTE, re.MULTILINE)

    assert len(said) == 3
    assert set(said) <= module


@pytest.mark.parametrize("name", ["pgmcp.conf", "pgmcp-provision.conf"])
def test_a_missing_password_is_told_by_the_line_of_the_module(name: str) -> None:
    path = FOLDER / "nixos" / "remote-address" / "units" / "pgmcp.service"
    module = contrib.unit("pgmcp.service", path.read_text())
    line = (
        "ExecCondition=+/bin/sh /usr/local/lib/pgmcp/credentials.sh database-password:/etc/pgmcp/"
    )

    assert line in module
    assert f"{line}database-password\n" in (contrib.PLACE / "remote" / name).read_text()


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_finds_nothing_in_the_scripts() -> None:
    done = subprocess.run(
        ["shellcheck", "--external-sources", *SHELL],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == ""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_every_line_of_the_units(tmp_path: Path) -> None:
    """Programs are left out: what they are is not known here, and boots look at them."""
    for name in UNITS:
        text = re.sub(
            r"^(Exec\w+=\+?).*$", r"\1/bin/true", contrib.files()[name], flags=re.MULTILINE
        )
        (tmp_path / name).write_text(text)

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )

    told = [line for line in done.stderr.splitlines() if "pgmcp" in line]
    assert [line for line in told if not UNKNOWN.search(line)] == []
