"""
A whole server: the roles, their passwords, and every database.

Owns the order of a run; one run at a time, and no database's failure stops the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pgmcp.database import CATALOGS_ONLY, Databases, Lease
from pgmcp.errors import AccessDenied, CallerError, ConnectionLost, PgmcpError, QueryFailed
from pgmcp.provision.apply import apply, hush
from pgmcp.provision.capabilities import plan_parameters
from pgmcp.provision.credentials import compare, plan_passwords
from pgmcp.provision.database import LOCK, provision_database
from pgmcp.provision.excepted import meant_for, unmatched
from pgmcp.provision.memberships import plan_memberships
from pgmcp.provision.passfile import check_place, write_passwords
from pgmcp.provision.peer import settle_peer, unmapped
from pgmcp.provision.roles import plan_roles
from pgmcp.provision.step import Options, Outcome, Plan, Row, is_true, plain_login, shown
from pgmcp.provision.trial import own_user, try_logins
from pgmcp.provision.wanted import ROLES
from pgmcp.settings import Settings
from pgmcp.sql import load

RUN_LIMIT = timedelta(hours=2)  # of a whole run, which holds one idle connection with the lock
RUN_LOCK = LOCK + 1  # another key, as a run also takes the lock of the database it waits in
LOCK_NOT_AVAILABLE = "55P03"
MAINTENANCE = "postgres"


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Hold what one run works with; *main* is the database in which runs wait for each other."""

    databases: Databases
    main: str
    settings: Settings
    passfile: Path
    options: Options

    @property
    def limit(self) -> timedelta:
        """Return how long one statement may take."""
        return self.settings.limits.timeout_ceiling


async def provision(settings: Settings, passfile: Path, options: Options) -> Outcome:
    """
    Bring the server to what DESIGN means by the roles, and say what was done.

    *settings* name a superuser; *passfile* is where the passwords of this server belong.

    Raises:
        PgmcpError: nothing could be done at all: no superuser, a standby, a role of our name that
            is somebody else's, a passfile that cannot be written, or another run at work.
    """
    settings = plain_login(settings)
    databases = Databases(settings, path=CATALOGS_ONLY)
    try:
        main = await find_main(databases)
        async with databases.bare(main, timeout=RUN_LIMIT) as guard:
            await _take_turn(guard)
            run = Run(
                databases=databases,
                main=main,
                settings=settings,
                passfile=passfile,
                options=options,
            )
            return await _run(run)
    finally:
        await databases.close()


async def find_main(databases: Databases, *, needs_superuser: bool = True) -> str:
    """
    Return the database where runs wait for each other, after a look at who logs in.

    Raises:
        AccessDenied: the login is no superuser, or the server is a standby.
    """
    rows = await databases.read(None, _server)
    row = rows[0]
    if needs_superuser and not is_true(row["is_superuser"]):
        raise AccessDenied(
            f"role {shown(str(row['role']))} is no superuser, and only a superuser can arrange "
            "what pgmcp provision arranges. Set PGUSER and PGPASSWORD to a superuser's; pgmcp "
            "provision --dry-run prints the SQL for one."
        )
    if is_true(row["is_standby"]):
        raise AccessDenied(
            "this server is a standby, which takes its roles and privileges from the primary. Run "
            "pgmcp provision against the primary."
        )
    return MAINTENANCE if is_true(row["has_postgres"]) else databases.default


async def _server(lease: Lease) -> Sequence[Row]:
    return await lease.rows(load("provision", "server", lease.server_version))


async def _take_turn(guard: Lease) -> None:
    """Wait for another run's end; the session's end gives the turn back."""
    try:
        await guard.command(f"SELECT pg_catalog.pg_advisory_lock({RUN_LOCK})")
    except QueryFailed as error:
        if error.report.sqlstate != LOCK_NOT_AVAILABLE:
            raise
        raise CallerError(
            "another pgmcp provision is at work on this server. Nothing was changed. Run it again "
            "when that one has ended."
        ) from error


async def _run(run: Run) -> Outcome:
    databases, settings, options, passfile = run.databases, run.settings, run.options, run.passfile
    if options.peer is None:
        check_place(passfile)
    async with databases.write(run.main, timeout=run.limit) as lease:
        outcome = await apply(lease, await plan_server(lease, settings, options))
        credentials = await compare(lease, passfile, options)
        await hush(lease)
        outcome += await apply(lease, plan_passwords(credentials, options))
        rows = await list_databases(lease)
        missing = await unmapped(lease, options.peer) if options.peer is not None else []
    if options.peer is not None:
        outcome += settle_peer(passfile, options.peer, missing)
    elif credentials.changed:
        write_passwords(passfile, settings.server, credentials.passwords)
        outcome += Outcome(done=(f"wrote the passwords to {passfile}",))
    names = chosen(rows, options)
    for name in names:
        outcome += await _one(run, name)
    outcome += skipped(rows, options)
    outcome += Outcome(warnings=unmatched(options, outcome.matched, names))
    if options.peer in (None, own_user()) or missing:
        # Where PostgreSQL's files let another user in, only that user could try.
        outcome += await try_logins(settings, credentials.passwords, options)
    return outcome


async def plan_server(lease: Lease, settings: Settings, options: Options) -> Plan:
    """Say what the roles themselves need, before any database."""
    return (
        await plan_roles(lease, settings, options)
        + await plan_memberships(lease, options)
        + await plan_parameters(lease)
    )


async def list_databases(lease: Lease) -> Sequence[Row]:
    """Return the rows of databases.sql."""
    return await lease.rows(load("provision", "databases", lease.server_version), list(ROLES))


def chosen(rows: Sequence[Row], options: Options) -> list[str]:
    """
    Return the databases to provision.

    No templates unless named: CREATE DATABASE fails while somebody is connected to one, and what
    is granted in it would be granted in every later database, also in those that were left out.

    Raises:
        CallerError: a named one does not exist.
    """
    known = {str(row["name"]): row for row in rows}
    missing = [name for name in options.databases if name not in known]
    if missing:
        raise CallerError(
            f"--database {missing[0]}: there is no such database. Here are: "
            f"{', '.join(shown(name) for name in known)}."
        )
    wanted = options.databases or [
        name for name, row in known.items() if not is_true(row["is_template"])
    ]
    return [name for name in wanted if is_open(known[name])]


def is_open(row: Row) -> bool:
    """Tell whether anybody can connect to a database."""
    return is_true(row["allows_connections"]) and not is_true(row["is_broken"])


def skipped(rows: Sequence[Row], options: Options) -> Outcome:
    """Tell which databases nobody can connect to; template0 is meant to be one."""
    names = [
        shown(str(row["name"]))
        for row in rows
        if not is_open(row)
        and (row["name"] in options.databases if options.databases else not is_template(row))
    ]
    return Outcome(notes=tuple(f"{name}: left out, as nobody can connect to it" for name in names))


def is_template(row: Row) -> bool:
    """Tell whether a database is there to be copied."""
    return is_true(row["is_template"])


async def _one(run: Run, name: str) -> Outcome:
    """Provision one database; whatever hinders it, the next one's turn comes."""
    try:
        try:
            return await _attempt(run, name)
        except ConnectionLost:
            # DROP DATABASE … WITH (FORCE) ends sessions before it is done; a new one waits for it.
            return await _attempt(run, name)
    except PgmcpError as error:
        rows = await run.databases.read(run.main, list_databases)
        unseen = meant_for(run.options, name)  # nobody knows whether they name something in it
        if name not in [row["name"] for row in rows]:
            return Outcome(notes=(f"{shown(name)}: dropped meanwhile",), matched=unseen)
        return Outcome(failed=(f"provision {shown(name)}: {error.message}",), matched=unseen)
    finally:
        # Of many databases one connection each would fill the pool; and it holds up DROP DATABASE.
        await run.databases.drain(name)


async def _attempt(run: Run, name: str) -> Outcome:
    is_default = name == run.settings.server.database
    async with run.databases.bare(name, timeout=run.limit) as lease:
        return await provision_database(lease, run.options, is_default=is_default)
