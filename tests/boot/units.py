"""
The snapshot's units, put where systemd finds them, and enabled as NixOS enables them.

Owns payload/etc/systemd/system, but for the stand-ins of tests/boot/files.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

INSTALLED = re.compile(r"^(WantedBy|RequiredBy|UpheldBy)=(.*)$", re.MULTILINE)
FOLDERS = {"WantedBy": "wants", "RequiredBy": "requires", "UpheldBy": "upholds"}
SYSTEM = "etc/systemd/system"


def write_units(payload: Path, snapshot: Path) -> None:
    """Write the units of the gateway; those of PostgreSQL and tailscaled have stand-ins."""
    folder = payload / SYSTEM
    for unit in (snapshot / "units").glob("pgmcp*"):
        shutil.copyfile(unit, folder / unit.name)
    for unit in sorted(folder.glob("*.*")):
        if unit.is_file():
            _enable(unit)


def _enable(unit: Path) -> None:
    """Do what `systemctl enable` does, which would need a running systemd to trust its answer."""
    for kind, targets in INSTALLED.findall(unit.read_text()):
        for target in targets.split():
            wanting = unit.with_name(f"{target}.{FOLDERS[kind]}")
            wanting.mkdir(exist_ok=True)
            (wanting / unit.name).symlink_to(f"../{unit.name}")
