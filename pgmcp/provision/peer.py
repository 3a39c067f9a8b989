"""
Logins without passwords: what pg_hba.conf and pg_ident.conf need so that a system user gets in.

Owns these two lines; reads PostgreSQL's own view of the files and changes neither.
"""

from __future__ import annotations

from pathlib import Path

from pgmcp.database import Lease
from pgmcp.provision.passfile import remove_passwords
from pgmcp.provision.step import Outcome
from pgmcp.provision.wanted import ROLES
from pgmcp.sql import load


async def unmapped(lease: Lease, user: str) -> list[str]:
    """Return the roles that *user* cannot log in as by the files as they are; needs a superuser."""
    sql = load("provision", "peer", lease.server_version)
    return [str(row["role"]) for row in await lease.rows(sql, list(ROLES), user)]


def peer_notes(user: str, missing: list[str]) -> tuple[str, ...]:
    """Return what the files need; nothing where they have it."""
    if not missing:
        return ()
    return (
        f"pg_hba.conf needs, above lines for all users: local all {','.join(ROLES)} peer map=pgmcp",
        "pg_ident.conf needs these lines: " + "; ".join(f"pgmcp {user} {role}" for role in ROLES),
    )


def settle_peer(passfile: Path, user: str, missing: list[str]) -> Outcome:
    """Take the old passwords away, and tell what the files lack."""
    done = (f"removed {passfile}",) if remove_passwords(passfile) else ()
    return Outcome(done=done, notes=peer_notes(user, missing))
