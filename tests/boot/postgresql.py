"""
Debian's PostgreSQL cluster, configured as the module configures that of NixOS.

Owns payload/etc/postgresql. Lines that NixOS adds by itself are written here, each with its source.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PLACE = "etc/postgresql/17/main"
# nixos/modules/services/databases/postgresql.nix: the lines after those of `authentication`.
NIXOS_HBA = """\
local all postgres peer map=postgres
local all all peer
host all all 127.0.0.1/32 md5
host all all ::1/128 md5
"""
NIXOS_IDENT = "postgres postgres postgres\n"
# Where NixOS has them, and what the tests read in the journal: who came in as whom, and how.
SETTINGS = {
    "unix_socket_directories": "/run/postgresql",
    "listen_addresses": "localhost",
    "log_connections": True,
    "log_line_prefix": "[%p] ",
    "fsync": False,
}


def configure(payload: Path, snapshot: Path) -> None:
    """Write settings, the lines of pg_hba.conf and pg_ident.conf, and what the setup unit runs."""
    given = json.loads((snapshot / "postgresql.json").read_text())
    folder = payload / PLACE
    (folder / "conf.d").mkdir(parents=True)
    settings = {**given["settings"], **SETTINGS}
    lines = "".join(f"{name} = {_written(value)}\n" for name, value in settings.items())
    (folder / "conf.d/nixos.conf").write_text(lines)
    (folder / "pg_hba.conf").write_text(given["authentication"] + NIXOS_HBA)
    (folder / "pg_ident.conf").write_text(given["identMap"] + NIXOS_IDENT)
    (folder / "start.conf").write_text("manual\n")  # Debian's own unit stays out of the way
    (payload / "opt/boot/ensure.sql").write_text(_ensure(given))


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "'{}'".format(str(value).replace("'", "''"))


def _ensure(given: Mapping[str, Any]) -> str:  # Any: JSON
    """Return the SQL of ensureDatabases and ensureUsers, as postgresql-setup.service runs it."""
    lines = []
    for name in given["ensureDatabases"]:
        there = f"SELECT FROM pg_database WHERE datname = '{name}'"
        lines.append(f"SELECT 'CREATE DATABASE \"{name}\"' WHERE NOT EXISTS ({there}) \\gexec")
    for user in given["ensureUsers"]:
        name, login = user["name"], user["ensureClauses"].get("login", True)
        there = f"SELECT FROM pg_roles WHERE rolname = '{name}'"
        lines.append(f"SELECT 'CREATE USER \"{name}\"' WHERE NOT EXISTS ({there}) \\gexec")
        lines.append(f'ALTER ROLE "{name}" {"LOGIN" if login else "NOLOGIN"};')
        if user["ensureDBOwnership"]:
            lines.append(f'ALTER DATABASE "{name}" OWNER TO "{name}";')
    return "".join(f"{line}\n" for line in lines)
