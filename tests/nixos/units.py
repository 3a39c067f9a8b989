"""
The units of a snapshot, read back.

Owns nothing; knows systemd's lines as far as the module writes them.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.nixos.snapshot import FOLDER, PLACEHOLDER

EXECUTED = re.compile(r"^(Exec\w+=\+?)\S+", re.MULTILINE)
# Lines of a service that are no part of its sandbox.
NO_SANDBOX = re.compile(r"Environment|Exec|Type|Timeout|Description|After|Wants")
# Lines that an older systemd than the board's does not know; the others it has to understand.
SINCE = {"RestartSteps": 254, "RestartMaxDelaySec": 254}


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """Hold a unit's lines by their keys, in order, whatever section they are in."""

    name: str
    text: str

    def all(self, key: str) -> list[str]:
        """Return every value of *key*."""
        return re.findall(rf"^{key}=(.*)$", self.text, re.MULTILINE)

    def words(self, key: str) -> set[str]:
        """Return the words of every value of *key*."""
        return {word for value in self.all(key) for word in value.split()}

    @property
    def lines(self) -> set[str]:
        """Return its lines without sections."""
        return {line for line in self.text.splitlines() if "=" in line}


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """Hold what one case came to."""

    folder: Path

    @property
    def units(self) -> dict[str, Unit]:
        """Return every unit by its name."""
        paths = sorted((self.folder / "units").glob("*"))
        return {path.name: Unit(name=path.name, text=path.read_text()) for path in paths}

    @property
    def services(self) -> list[Unit]:
        """Return the units that run something."""
        return [unit for name, unit in self.units.items() if name.endswith(".service")]

    @property
    def sockets(self) -> list[Unit]:
        """Return the units that listen."""
        return [unit for name, unit in self.units.items() if name.endswith(".socket")]

    @property
    def generated(self) -> dict[str, str]:
        """Return the generated files' texts by their names."""
        return {path.name: path.read_text() for path in (self.folder / "store").glob("*")}

    @property
    def rest(self) -> Mapping[str, Any]:  # JSON
        """Return what else the module tells NixOS."""
        told: dict[str, Any] = json.loads((self.folder / "host.json").read_text())
        return told

    @property
    def postgresql(self) -> Mapping[str, Any]:  # JSON
        """Return the settings of services.postgresql."""
        told: dict[str, Any] = json.loads((self.folder / "postgresql.json").read_text())
        return told

    def named_files(self) -> set[str]:
        """Return the files of the store, not the programs, that units and files name."""
        texts = [unit.text for unit in self.units.values()] + list(self.generated.values())
        named = (re.findall(rf"{PLACEHOLDER}([^/\s\"]+)(/?)", text) for text in texts)
        return {name for found in named for name, below in found if not below}


def host(case: str) -> Host:
    """Return what *case* came to."""
    return Host(folder=FOLDER / case)


def systemd_version() -> int:
    """Return this machine's systemd-analyze's version, 0 without one."""
    if not shutil.which("systemd-analyze"):
        return 0
    told = subprocess.run(["systemd-analyze", "--version"], capture_output=True, check=True)
    return int(told.stdout.split()[1])


def relaxed(unit: Unit, sandbox: Unit) -> set[str]:
    """Return the keys of *sandbox* that *unit* writes otherwise or leaves out."""
    lines = {line for line in sandbox.lines if not NO_SANDBOX.match(line)}
    return {line.partition("=")[0] for line in lines - unit.lines}


def complaints(told: Host, folder: Path) -> list[str]:
    """
    Return what systemd-analyze has to say about the units, written to *folder*.

    Programs of the store are not there, so /bin/true stands for each.
    """
    for unit in told.units.values():
        (folder / unit.name).write_text(EXECUTED.sub(r"\1/bin/true", unit.text))
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no"]
    files = [str(path) for path in sorted(folder.iterdir())]
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    newer = [key for key, version in SINCE.items() if version > systemd_version()]
    lines = done.stderr.splitlines()
    return [line for line in lines if not any(f"Unknown key '{key}'" in line for key in newer)]


def exposure(unit: Unit, folder: Path) -> float:
    """Return the exposure that systemd-analyze security reckons, from 0 to 10."""
    path = folder / unit.name
    path.write_text(unit.text)
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stdout
    return float(found[1])
