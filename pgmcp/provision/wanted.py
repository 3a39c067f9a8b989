"""
What each login role is: its attributes, its settings and its memberships.

Owns the levels' definition; looks at no server.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from pgmcp.logins import ROLE_OF, Login
from pgmcp.provision.step import Options
from pgmcp.settings import Settings

READ, WRITE, DDL = ROLE_OF["read"], ROLE_OF["write"], ROLE_OF["ddl"]
ADMIN, MONITOR, BACKUP = ROLE_OF["admin"], ROLE_OF["monitor"], ROLE_OF["backup"]
ROLES: Final = tuple(ROLE_OF.values())
MARK: Final = "Login role of pgmcp, made by pgmcp provision"
PURPOSE: Final[Mapping[Login, str]] = MappingProxyType(
    {
        "read": "reading",
        "write": "reading and writing rows",
        "ddl": "making and changing tables, views and other objects",
        "admin": "roles, databases, maintenance and settings",
        "monitor": "pgmcp's own questions about the server's state",
        "backup": "pg_dump",
    }
)
# Level above level; and predefined roles, with the major version that brought each.
MEMBER_OF: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {
        READ: {},
        WRITE: {READ: 15},
        DDL: {WRITE: 15},
        ADMIN: {
            DDL: 15,
            "pg_monitor": 15,
            "pg_signal_backend": 15,
            "pg_checkpoint": 15,
            "pg_maintain": 17,
            "pg_signal_autovacuum_worker": 18,
        },
        MONITOR: {"pg_monitor": 15},
        BACKUP: {"pg_read_all_data": 15},
    }
)
CREATEROLE_SINCE = 16  # before, CREATEROLE gives away every role but superusers
LOCK_LIMIT = "1min"
SPILL_LIMIT = "2GB"
LEAST_IDLE = timedelta(minutes=15)
LEAST_STATEMENT = timedelta(minutes=15)
BACKUPS_AT_ONCE = 5


def member_of(role: str, major: int, options: Options) -> frozenset[str]:
    """Return the roles that *role* is made a member of."""
    names = {name for name, since in MEMBER_OF[role].items() if major >= since}
    if role == READ and options.read_all:
        names.add("pg_read_all_data")
    return frozenset(names)


def attributes(role: str, major: int, options: Options) -> dict[str, bool]:
    """
    Return the attributes that *role* has, by the word that gives them.

    BYPASSRLS for backups alone: pg_dump refuses a table whose policies hide rows from it, and a
    dump without those rows would be a lie. No caller's SQL ever runs as that role.
    """
    return {
        "SUPERUSER": role == ADMIN and options.superuser_admin,
        "CREATEDB": role == ADMIN,
        "CREATEROLE": role == ADMIN and major >= CREATEROLE_SINCE,
        "INHERIT": True,
        "REPLICATION": False,
        "BYPASSRLS": role == BACKUP,
    }


def connections(role: str, settings: Settings) -> int:
    """Return how many connections *role* may have: what the pools could open at most."""
    return BACKUPS_AT_ONCE if role == BACKUP else settings.pools.total


def role_settings(role: str, major: int, settings: Settings) -> dict[str, str]:
    """
    Return the settings that *role* starts with.

    The gateway limits every statement itself; these stop what it failed to stop. pg_dump sets
    its own, so backups need none. A value that the operator has changed is kept.
    """
    found = {}
    if role in (READ, MONITOR, BACKUP):
        found["default_transaction_read_only"] = "on"
    if role == BACKUP:
        # No privilege reads all large objects; in a session of pg_dump this does.
        return found | {"lo_compat_privileges": "on"}
    statement = max(LEAST_STATEMENT, settings.limits.timeout_ceiling * 2)
    idle = max(LEAST_IDLE, settings.transactions.idle * 2)
    found |= {
        "statement_timeout": seconds(statement),
        "lock_timeout": LOCK_LIMIT,
        "idle_in_transaction_session_timeout": seconds(idle),
    }
    if role in (READ, WRITE, MONITOR):  # an index of a big table needs more
        found["temp_file_limit"] = SPILL_LIMIT
    if role == ADMIN and major >= CREATEROLE_SINCE:
        # A role that pg_admin makes can then be given objects, and changed, by pg_admin.
        found["createrole_self_grant"] = "set, inherit"
    return found


def seconds(limit: timedelta) -> str:
    """Return a limit as PostgreSQL takes it."""
    return f"{round(limit.total_seconds())}s"
