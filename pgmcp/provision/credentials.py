"""
How the roles log in: with passwords that only the gateway knows, or with none.

Owns which passwords are kept and which are new; PostgreSQL only ever sees verifiers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pgmcp.database import Lease
from pgmcp.database.quote import literal
from pgmcp.passwords import Password, make_password
from pgmcp.provision.passfile import fits, read_passwords
from pgmcp.provision.step import Options, Plan, Step
from pgmcp.provision.wanted import ROLES
from pgmcp.sql import load


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """
    Hold the passwords as they will be.

    *new* are those that the server does not know yet; *stale* are the roles that have a password
    though they should have none. *changed* tells that the passfile has to be written.
    """

    passwords: Mapping[str, str] = field(repr=False)
    new: Mapping[str, Password] = field(repr=False)
    stale: tuple[str, ...]
    changed: bool


async def compare(lease: Lease, passfile: Path, options: Options) -> Credentials:
    """Compare the passfile with what the server keeps; needs a superuser."""
    sql = load("provision", "verifiers", lease.server_version)
    rows = await lease.rows(sql, list(ROLES))
    verifiers = {str(row["role"]): row["verifier"] for row in rows}
    if options.peer is not None:
        stale = tuple(role for role in ROLES if verifiers.get(role))
        return Credentials(passwords={}, new={}, stale=stale, changed=False)
    known = read_passwords(passfile)
    kept = {
        role: password
        for role, password in known.items()
        if not options.rotate and fits(password, verifiers.get(role))
    }
    new = {role: make_password() for role in ROLES if role not in kept}
    return Credentials(
        passwords={role: kept[role] if role in kept else new[role].clear for role in ROLES},
        new=new,
        stale=(),
        changed=bool(new),
    )


def plan_passwords(credentials: Credentials, options: Options) -> Plan:
    """Say which passwords are set or taken away."""
    if options.peer is not None:
        return Plan(
            steps=tuple(
                Step(sql=f"ALTER ROLE {role} PASSWORD NULL", what=f"remove the password of {role}")
                for role in credentials.stale
            )
        )
    return Plan(
        steps=tuple(
            Step(
                sql=f"ALTER ROLE {role} PASSWORD {literal(password.verifier)}",
                what=f"set a new password for {role}",
                masked=f"-- ALTER ROLE {role} PASSWORD '…' (in psql: \\password {role})",
            )
            for role, password in credentials.new.items()
        )
    )
