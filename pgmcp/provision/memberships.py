"""
What the login roles are members of: what they need, and nothing that would undo the levels.

Owns memberships among the roles and in PostgreSQL's own; owners' are `owners`'.
"""

from __future__ import annotations

from typing import Final

from pgmcp.database import Lease
from pgmcp.database.quote import identifier
from pgmcp.provision.roles import VERSIONS_PER_MAJOR, grant_role
from pgmcp.provision.step import Options, Plan, Row, Step, parts, shown, unite
from pgmcp.provision.wanted import ADMIN, DDL, READ, ROLES, member_of
from pgmcp.sql import load

GRANTORS_SINCE = 16
# Whoever has one of these is the server's master, or close to it.
MASTERS: Final = frozenset(
    {"SUPERUSER", "pg_execute_server_program", "pg_read_server_files", "pg_write_server_files"}
)
# Predefined roles whose membership an owner may hand on: they show or tend, and open no data.
HARMLESS: Final = frozenset(
    {
        "pg_checkpoint",
        "pg_database_owner",
        "pg_maintain",
        "pg_monitor",
        "pg_read_all_settings",
        "pg_read_all_stats",
        "pg_stat_scan_tables",
        "pg_use_reserved_connections",
    }
)


def too_much(hands_on: str | None) -> frozenset[str]:
    """Return what membership in a role would hand on that the level may not have."""
    found = parts(hands_on) - HARMLESS
    return frozenset({"SUPERUSER"}) if "SUPERUSER" in found else found


async def plan_memberships(lease: Lease, options: Options) -> Plan:
    """Say which memberships the roles lack, and which they must lose."""
    major = lease.server_version // VERSIONS_PER_MAJOR
    rows = await lease.rows(load("provision", "memberships", lease.server_version), list(ROLES))
    plans = [_judge(row, major, options) for row in rows]
    has = {(str(row["role"]), str(row["member_of"])) for row in rows}
    for role in ROLES:
        missing = sorted(
            member_of(role, major, options) - {name for who, name in has if who == role}
        )
        plans.append(
            Plan(
                steps=tuple(
                    Step(sql=grant_role(name, role), what=f"grant {name} to {role}")
                    for name in missing
                )
            )
        )
    return unite(plans)


def _judge(row: Row, major: int, options: Options) -> Plan:
    """Take a membership away that would hand on more than the role's level may do."""
    role, name = str(row["role"]), str(row["member_of"])
    extra = too_much(row["hands_on"])
    if name in member_of(role, major, options) or (role == ADMIN and options.superuser_admin):
        return Plan()
    is_own = name in ROLES
    is_lost = bool(extra & MASTERS) or (role == DDL and bool(extra))
    if is_own or is_lost or (name == "pg_read_all_data" and role == READ):
        why = f", which hands on {', '.join(sorted(extra))}" if extra else ""
        return Plan(
            steps=(
                Step(
                    sql=_revoke(row, major),
                    what=f"revoke {shown(name)} from {role}{why}",
                ),
            )
        )
    if extra and role != ADMIN:
        note = (
            f"{role} is a member of {shown(name)}, which hands on {', '.join(sorted(extra))}; "
            f"unless you want that: REVOKE {identifier(name)} FROM {role};"
        )
        return Plan(notes=(note,))
    return Plan()


def _revoke(row: Row, major: int) -> str:
    """Return the REVOKE; where memberships have grantors, PostgreSQL only warns of another's."""
    sql = f"REVOKE {identifier(str(row['member_of']))} FROM {row['role']}"
    if major < GRANTORS_SINCE or row["grantor"] is None:
        return sql
    return f"{sql} GRANTED BY {identifier(row['grantor'])} CASCADE"
