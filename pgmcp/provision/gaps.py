"""
What pg_admin cannot do as pgmcp_admin, and what would let it; measured on PostgreSQL 15 and 18.

Owns the list, which `doctor` prints; what one server lacks against its plan is `plan_database`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from pgmcp.provision.wanted import ADMIN, CREATEROLE_SINCE

MAINTAIN_SINCE = 17


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """Name the *actions* of pg_admin that fail, *when* they do, and the operator's *fix*."""

    actions: tuple[str, ...]
    when: str
    fix: str


def admin_gaps(major: int, *, is_superuser: bool) -> tuple[Gap, ...]:
    """Return what pgmcp_admin cannot do on a server of *major*; nothing where it is a superuser."""
    if is_superuser:
        return ()
    roles = ("create_role", "alter_role", "drop_role", "grant", "revoke", "set", "reset")
    tending = ("vacuum", "analyze", "reindex") if major < MAINTAIN_SINCE else ()
    foreign = ("grant", "revoke", "set", "reset", "drop_database", *tending)
    return (
        Gap(
            actions=roles,
            when="on roles: CREATEROLE would give away every role below PostgreSQL 16",
            fix="upgrade to PostgreSQL 16, or pgmcp provision --superuser-admin",
        )
        if major < CREATEROLE_SINCE
        else Gap(
            actions=roles[1:],
            when=f"on roles that {ADMIN} did not make",
            fix=f"GRANT role TO {ADMIN} WITH ADMIN OPTION;",
        ),
        Gap(
            actions=foreign,
            when="on databases and tables whose owner pgmcp_ddl may not act as, such as postgres",
            fix="ALTER DATABASE … OWNER TO and ALTER TABLE … OWNER TO a role without privileges of "
            "its own, then pgmcp provision",
        ),
        Gap(
            actions=("create_extension",),
            when="of an extension that is not trusted",
            fix="CREATE EXTENSION by a superuser in psql",
        ),
        Gap(
            actions=("cancel", "terminate"),
            when="of a superuser's session",
            fix="pg_terminate_backend(pid) by a superuser in psql",
        ),
        Gap(
            actions=("set", "reset"),
            when="of a setting that pgmcp provision does not hand over",
            fix=f"GRANT SET, ALTER SYSTEM ON PARAMETER name TO {ADMIN};",
        ),
    )
