"""
Databases: listed, made and dropped.

Owns CREATE DATABASE and DROP DATABASE, and clears the gateway's own connections out of their way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pgmcp.database import Lease
from pgmcp.database.quote import identifier
from pgmcp.errors import AccessDenied, CallerError, PgmcpError, QueryFailed
from pgmcp.provision import options_of, provision_database
from pgmcp.results import Result
from pgmcp.sql import load
from pgmcp.tools.admin.attributes import database_options
from pgmcp.tools.admin.names import confirmable
from pgmcp.tools.admin.params import AdminParams
from pgmcp.tools.admin.report import counted, done, first_of, listing
from pgmcp.tools.admin.standing import become_owner, hinting, needing, own_name
from pgmcp.tools.base import Call
from pgmcp.tools.confirm import require_value
from pgmcp.tools.consequences import quoted
from pgmcp.tools.nearest import nearest

IN_USE = "55006"
TEMPLATE = "template1"  # what PostgreSQL itself copies where no template is named
KEPT = frozenset({"template0", "template1", "postgres"})
SESSIONS_NAMED = 8
STILL_IN_USE = (
    "somebody connected meanwhile, or a prepared transaction, a replication slot or a subscription "
    "is left in it: the detail says which, and the operator removes it with psql."
)


async def list_databases(call: Call, params: AdminParams) -> Result:
    """List the databases that the caller may reach, with owner, size and sessions."""
    return await listing(call, params, "databases")


async def create_database(call: Call, params: AdminParams) -> Result:
    """Make a database, as a copy of params.template where one is named."""
    name, template = params.name or "", params.template or TEMPLATE
    parts = [f"CREATE DATABASE {identifier(name)}"]
    if params.owner is not None:
        parts.append(f"OWNER = {identifier(params.owner)}")
    if params.template is not None:
        parts.append(f"TEMPLATE = {identifier(template)}")
    parts += database_options(params.attributes or ())
    await call.databases.drain(template)
    async with call.databases.bare(
        _beside(call, template), timeout=call.settings.limits.timeout_ceiling
    ) as lease:
        who = await own_name(lease)
        with hinting(needing(_creating(who, template, params.owner))):
            try:
                await lease.command(" ".join(parts))
            except QueryFailed as error:
                if error.report.sqlstate == IN_USE:
                    error.hint = _in_use(template, await _sessions(lease, template))
                raise
        row = (await lease.rows(load("admin", "database", lease.server_version), name))[0]
    shown = ("database", "owner", "encoding", "collation", "size")
    cells = {key: row[key] for key in shown} | {"template": template}
    return done(cells, notices=await _provision(call, name))


async def _provision(call: Call, name: str) -> Sequence[str]:
    """
    Let the login roles into the new database; return what is left to the operator.

    No event trigger fires for CREATE DATABASE, so nothing else would do it before the next run.
    """
    if not call.settings.server.logins.are_roles:
        return ()
    try:
        async with call.databases.write(name, level="admin") as lease:
            outcome = await provision_database(lease, options_of(call.settings))
    except PgmcpError as error:
        return (f"the login roles may not use it yet: {error.message}; pgmcp provision mends it",)
    return [f"could not {line}" for line in outcome.failed]


async def drop_database(call: Call, params: AdminParams) -> Result:
    """Drop a database; with params.full its sessions are ended first (WITH FORCE)."""
    name, force = params.name or "", params.full is True
    _refuse_kept(call, name)
    async with call.databases.bare(
        _beside(call, name), timeout=call.settings.limits.timeout_ceiling
    ) as lease:
        row = await _find(call, lease, name)
        before = call.databases.own_pids()
        await call.databases.drain(name)
        # PostgreSQL may need a moment to see them go; DROP DATABASE itself waits for that.
        leaving = before - call.databases.own_pids()
        sessions = [
            row for row in await _sessions(lease, name) if int(row["pid"] or 0) not in leaving
        ]
        if sessions and not force:
            raise CallerError(
                f'database "{name}" is in use: {_described(sessions)}.',
                hint="wait until they are gone, end them one by one (action=terminate pid=…), or "
                "repeat with full=true, which ends them all (DROP DATABASE … WITH (FORCE)) and "
                "rolls back what they have open.",
            )
        ended = f", ending {_described(sessions)}" if sessions else ""
        size = f", {row['size']}" if row["size"] else ""
        require_value(
            call,
            confirmable(name),
            params.confirm,
            f'DROP DATABASE "{name}" (owner {row["owner"]}{size}) with all that is in it{ended}',
            database=lease.database,
            sealed=["DROP DATABASE", row["owner"], force, *_whose(sessions)],
        )
        who = await own_name(lease)
        with hinting({**needing(_dropping(who, row)), IN_USE: STILL_IN_USE}):
            await lease.command(
                f"DROP DATABASE {identifier(name)}{' WITH (FORCE)' if force else ''}"
            )
    await call.databases.drain(name)
    return done({"database": name, "change": "dropped", "size": row["size"]})


def _beside(call: Call, name: str) -> str | None:
    """Return a database to work from that is not *name*; None is the default one."""
    if name != call.databases.default:
        return None
    return "postgres" if name != "postgres" else TEMPLATE


def _refuse_kept(call: Call, name: str) -> None:
    if name in KEPT:
        raise AccessDenied(
            f'database "{name}" is part of every PostgreSQL server; pg_admin does not drop it.'
        )
    if name == call.databases.default:
        raise AccessDenied(
            f'database "{name}" is the one that the gateway uses where a call names none; pg_admin '
            "does not drop it. The operator can change PGDATABASE first."
        )


async def _find(call: Call, lease: Lease, name: str) -> Mapping[str, str | None]:
    version = lease.server_version
    rows = await lease.rows(load("admin", "database", version), name)
    if not rows:
        listed = await lease.rows(load("admin", "databases", version))
        known = [str(row["name"]) for row in listed]
        near = nearest(name, [known_one for known_one in known if call.access.may_reach(known_one)])
        meant = f" The nearest names are: {', '.join(near)}." if near else ""
        raise CallerError(
            f'database "{name}" does not exist.{meant} pg_admin action=databases lists them.'
        )
    if rows[0]["is_template"] == "t":
        raise AccessDenied(
            f'database "{name}" is a template; pg_admin does not drop templates. The operator '
            f"runs ALTER DATABASE {identifier(name)} IS_TEMPLATE false with psql first."
        )
    return rows[0]


async def _sessions(lease: Lease, name: str) -> Sequence[Mapping[str, str | None]]:
    return await lease.rows(load("admin", "sessions", lease.server_version), name)


def _whose(sessions: Sequence[Mapping[str, str | None]]) -> list[str]:
    """Return whose sessions these are; a pool that connects again does not change that."""
    return sorted({f"{row['role']} {row['application']}" for row in sessions})


def _described(sessions: Sequence[Mapping[str, str | None]]) -> str:
    shown = [
        f"pid {row['pid']} ({row['role']}, {_application(row)}, "
        f"{row['client']}, {row['state'] or 'state hidden'})"
        for row in sessions
    ]
    return f"{counted(len(shown), 'session')}: {first_of(shown, SESSIONS_NAMED)}"


def _application(row: Mapping[str, str | None]) -> str:
    return quoted(row["application"]) if row["application"] else "no application name"


def _in_use(template: str, sessions: Sequence[Mapping[str, str | None]]) -> str:
    who = f" Connected: {_described(sessions)}." if sessions else ""
    return (
        f'a template is copied only while nobody is connected to it ("{template}").{who} Try again '
        "when they are gone, or end them with action=terminate."
    )


def _creating(who: str, template: str, owner: str | None) -> str:
    hint = f"making databases needs CREATEDB: ALTER ROLE {who} CREATEDB; the operator runs it."
    if template != TEMPLATE:
        hint += " A template that is not marked IS_TEMPLATE is copied only by its owner."
    if owner is not None:
        hint += f" To give it away: GRANT {identifier(owner)} TO {who};"
    return hint


def _dropping(who: str, row: Mapping[str, str | None]) -> str:
    hint = become_owner(
        str(row["owner"]),
        who,
        f"DATABASE {identifier(str(row['database']))}",
        superuser=row["owner_is_superuser"] == "t",
    )
    return f"only its owner or a superuser drops a database: {hint}"
