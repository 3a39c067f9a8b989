"""
`pgmcp doctor`: whether the gateway would work, and what each role really may do.

Owns the order of the examination; it only looks, and asks PostgreSQL rather than the catalogs'
intentions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from pgmcp.database import CATALOGS_ONLY, Databases, Lease
from pgmcp.doctor.configuration import look_at_settings
from pgmcp.doctor.finding import Finding, status_of
from pgmcp.doctor.roles import LEVELS, look_at_abilities, look_at_login, look_at_shared
from pgmcp.errors import PgmcpError
from pgmcp.logins import LOGINS, ROLE_OF, Login
from pgmcp.provision import admin_gaps, options_of, plan_database
from pgmcp.settings import Settings
from pgmcp.sql import load

OLDEST = 15
VERSIONS_PER_MAJOR = 10_000
STEPS_SHOWN = 5

__all__ = ["Finding", "examine", "status_of"]


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Yield every finding, the plainest first; what is broken hides nothing that can be seen."""
    for finding in look_at_settings(settings):
        yield finding
    databases = Databases(settings, path=CATALOGS_ONLY)
    try:
        async for finding in _server(databases, settings):
            yield finding
    finally:
        await databases.close()


async def _server(databases: Databases, settings: Settings) -> AsyncIterator[Finding]:
    has_roles = settings.server.logins.are_roles
    login: Login = "monitor" if has_roles else "read"
    try:
        version, names = await databases.read(None, _first, login=login)
    except PgmcpError as error:
        fix = error.hint or "start PostgreSQL, and check PGHOST, PGPORT, PGUSER and PGPASSWORD"
        yield Finding(weight="bad", text=error.message, fix=fix)
        return
    major = version // VERSIONS_PER_MAJOR
    where = f"{settings.server.host} port {settings.server.port}"
    yield Finding(
        weight="ok" if major >= OLDEST else "bad",
        text=f"PostgreSQL {major} at {where}",
        fix="" if major >= OLDEST else f"PostgreSQL {OLDEST} is the oldest that pgmcp supports",
    )
    if not has_roles:
        yield await look_at_shared(databases)
        return
    for each in LOGINS:
        async for finding in look_at_login(databases, each):
            yield finding
    for gap in await _admin_gaps(databases, major):
        yield gap
    for name in names:
        async for finding in _database(databases, name, settings):
            yield finding


async def _first(lease: Lease) -> tuple[int, list[str]]:
    rows = await lease.rows(
        load("provision", "databases", lease.server_version), list(ROLE_OF.values())
    )
    open_ones = [row for row in rows if row["allows_connections"] == "t"]
    names = [str(row["name"]) for row in open_ones if row["is_template"] == "f"]
    return lease.server_version, names


async def _admin_gaps(databases: Databases, major: int) -> Sequence[Finding]:
    """Return what pg_admin cannot do as its role, as far as that was measured."""
    sql = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = 'pgmcp_admin'"
    is_superuser = await databases.read(None, lambda lease: lease.value(sql), login="monitor")
    return [
        Finding(
            weight="note",
            text=f"pg_admin {', '.join(gap.actions)}: not {gap.when}",
            fix=gap.fix,
        )
        for gap in admin_gaps(major, is_superuser=is_superuser == "t")
    ]


async def _database(databases: Databases, name: str, settings: Settings) -> AsyncIterator[Finding]:
    is_default = name == settings.server.database
    try:
        for login in LEVELS:
            async for finding in look_at_abilities(databases, name, login):
                yield finding
        plan = await databases.read(
            name,
            lambda lease: plan_database(lease, options_of(settings), is_default=is_default),
            login="monitor",
        )
    except PgmcpError as error:
        yield Finding(weight="bad", text=f"{name}: {error.message}", fix="pgmcp provision")
        return
    finally:
        await databases.drain(name)
    if plan.steps:
        shown = "; ".join(step.what for step in plan.steps[:STEPS_SHOWN])
        more = f"; and {len(plan.steps) - STEPS_SHOWN} more" if plan.steps[STEPS_SHOWN:] else ""
        yield Finding(
            weight="warning",
            text=f"{name}: provisioning would {shown}{more}",
            fix=f"pgmcp provision --database {name}",
        )
