"""
Who the gateway is on this server, and what a lack of privilege means for it.

Owns the hints of refusals and the roles that are not to be touched; grants nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pgmcp.database import Lease
from pgmcp.database.quote import identifier
from pgmcp.errors import AccessDenied, CallerError, QueryFailed
from pgmcp.sql import load
from pgmcp.tools.base import Call

INSUFFICIENT_PRIVILEGE = "42501"
SINCE_ADMIN_OPTION = 160000  # from 16 on CREATEROLE reaches only roles that one has ADMIN on
# The roles that `pgmcp provision` makes, whether or not this gateway is using them now.
GATEWAY_ROLES = frozenset(
    f"pgmcp_{use}" for use in ("read", "write", "ddl", "admin", "monitor", "backup")
)


async def own_name(lease: Lease) -> str:
    """Return the role of *lease*, quoted for a GRANT."""
    rows = await lease.rows(load("admin", "standing", lease.server_version))
    return str(rows[0]["role"])


@contextmanager
def hinting(hints: Mapping[str, str]) -> Iterator[None]:
    """Add the hint that fits the SQLSTATE to a failure of the block."""
    try:
        yield
    except QueryFailed as error:
        hint = hints.get(error.report.sqlstate)
        if hint is not None:
            error.hint = hint
        raise


def needing(hint: str) -> Mapping[str, str]:
    """Return the hints for a failure by lack of privilege."""
    return {INSUFFICIENT_PRIVILEGE: hint}


def needing_createrole(lease: Lease, who: str, hint: str) -> Mapping[str, str]:
    """Return the hints for a lack of CREATEROLE, which pgmcp_admin is not to have below 16."""
    if lease.server_version < SINCE_ADMIN_OPTION and who in GATEWAY_ROLES:
        return needing(
            f"below PostgreSQL 16 CREATEROLE reaches every role but superusers, so {who} has none. "
            "The operator makes and changes roles with psql."
        )
    return needing(hint)


def become_owner(owner: str, who: str, object_sql: str, *, superuser: bool) -> str:
    """
    Return what gives *who* an owner's rights on *object_sql* ("DATABASE app").

    Membership in a superuser would give away everything, so that is never the advice.
    """
    if superuser:
        return f"ALTER {object_sql} OWNER TO {who}; the operator runs it."
    return f"GRANT {identifier(owner)} TO {who}; the operator runs it."


def execute_hint(lease: Lease, function: str, who: str) -> str:
    """Return which GRANT lets *who* call a function; each database keeps its own privileges."""
    return (
        f"GRANT EXECUTE ON FUNCTION {function} TO {who}; allows it; the operator runs it in "
        f'database "{lease.database}".'
    )


async def find_role(lease: Lease, parameter: str, name: str) -> Mapping[str, str | None]:
    """
    Return what is known of the role *name*.

    Raises:
        CallerError: there is none.
    """
    rows = await lease.rows(load("admin", "role", lease.server_version), name)
    if not rows:
        raise CallerError(
            f'{parameter}: role "{name}" does not exist. pg_admin action=roles lists them; a name '
            "is taken exactly as given."
        )
    return rows[0]


async def refuse_own(call: Call, lease: Lease, name: str, what: str) -> None:
    """
    Refuse to *what* ("change", "drop") a role that the gateway itself uses.

    Raises:
        AccessDenied: it would change what the gateway's callers may do, or lock them all out.
    """
    pids = [str(pid) for pid in sorted(call.databases.own_pids())]
    rows = await lease.rows(load("admin", "own_roles", lease.server_version), pids)
    if name in GATEWAY_ROLES or name in {row["role"] for row in rows}:
        raise AccessDenied(
            f'role "{name}" is one that the gateway itself uses; pg_admin does not {what} it. '
            "The operator does that with psql."
        )
