"""
contrib/systemd/install, as the people of a Debian machine without network call it.

Owns where things are on that machine.
"""

from __future__ import annotations

from pathlib import Path

from tests.boot.inside.machine import run

SOURCE = Path("/opt/src")
WHEELS = Path("/opt/wheels")
CONFIG = Path("/etc/pgmcp/pgmcp.toml")
UNITS = Path("/usr/local/lib/systemd/system")
(CLUSTER,) = Path("/etc/postgresql").glob("*/main")
HBA = CLUSTER / "pg_hba.conf"
WATCHED = (Path("/etc"), Path("/usr/local"), Path("/opt/pgmcp"))


def install(*options: str, source: Path = SOURCE, wheels: Path = WHEELS, check: bool = True) -> str:
    """Run the installer, and return what it said."""
    program = str(source / "contrib/systemd/install")
    return run(program, "--wheels", str(wheels), *options, check=check)


def uninstall() -> str:
    """Remove what the installer put in place, without options, and return what was said."""
    return run(str(SOURCE / "contrib/systemd/install"), "uninstall")


def files() -> dict[str, int]:
    """Return when each file that an installer could write was written."""
    found = [path for folder in WATCHED for path in folder.rglob("*") if path.is_file()]
    return {str(path): path.stat().st_mtime_ns for path in found}
