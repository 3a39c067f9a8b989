"""
A run as a script for psql: complete, and without a password in it.

Owns the script's text; looks at the server and changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence

from pgmcp.database import CATALOGS_ONLY, Databases, Lease
from pgmcp.errors import PgmcpError, QueryFailed
from pgmcp.provision.database import plan_database
from pgmcp.provision.excepted import meant_for, unmatched
from pgmcp.provision.peer import peer_notes, unmapped
from pgmcp.provision.server import chosen, find_main, list_databases, plan_server, skipped
from pgmcp.provision.step import Options, Plan, Step, plain_login, shown
from pgmcp.provision.wanted import ROLES
from pgmcp.settings import Settings

HEADER = (
    "-- What pgmcp provision would run now, for psql as a superuser. Nothing was changed.",
    "\\set ON_ERROR_STOP on",
)
SIMPLE = re.compile(r"[A-Za-z0-9_.]+")
LINE_END = re.compile(r"[\r\n]")


async def write_script(settings: Settings, options: Options) -> list[str]:
    """
    Return the lines of the script.

    Raises:
        PgmcpError: as `provision`.
    """
    databases = Databases(plain_login(settings), path=CATALOGS_ONLY)
    try:
        main = await find_main(databases, needs_superuser=False)
        plan = await databases.read(main, lambda lease: plan_server(lease, settings, options))
        rows = await databases.read(main, list_databases)
        lines = [*HEADER, *_section(main, plan, await _passwords(databases, main, options))]
        shared = {step.sql for step in plan.steps}
        names, matched = chosen(rows, options), set[str]()
        for name in names:
            try:
                found = await databases.read(name, _planning(name, settings, options))
            except PgmcpError as error:
                lines += _comment(f"{shown(name)}: {error.message}")
                matched |= meant_for(options, name)
                continue
            lines += _section(name, _without(found, shared))
            shared |= {step.sql for step in found.steps if step.is_shared}
            matched |= found.matched
        more = (*skipped(rows, options).notes, *unmatched(options, matched, names))
        return [*lines, *(line for note in more for line in _comment(note))]
    finally:
        await databases.close()


def _without(plan: Plan, known: set[str]) -> Plan:
    """Leave out what an earlier database's part does for the whole server."""
    steps = tuple(step for step in plan.steps if not (step.is_shared and step.sql in known))
    return Plan(steps=steps, notes=plan.notes)


def _planning(
    name: str, settings: Settings, options: Options
) -> Callable[[Lease], Awaitable[Plan]]:
    is_default = name == settings.server.database
    return lambda lease: plan_database(lease, options, is_default=is_default)


async def _passwords(databases: Databases, main: str, options: Options) -> Sequence[str]:
    if (user := options.peer) is not None:
        try:
            missing = await databases.read(main, lambda lease: unmapped(lease, user))
        except QueryFailed:  # only a superuser may look into PostgreSQL's files
            missing = list(ROLES)
        notes = [line for note in peer_notes(user, missing) for line in _comment(note)]
        return [*(f"ALTER ROLE {role} PASSWORD NULL;" for role in ROLES), *notes]
    return [
        "-- pgmcp provision also gives each role a random password, unless its passfile has one",
        "-- that works. By hand, and then into the passfile:",
        *(f"-- \\password {role}" for role in ROLES),
    ]


def _section(name: str, plan: Plan, more: Sequence[str] = ()) -> Iterator[str]:
    """Yield one database's part; a GRANT of many tables would fill a transaction with locks."""
    if not (plan.steps or plan.notes or more):
        return
    yield ""
    if LINE_END.search(name):
        yield from _comment(f"psql cannot connect to {shown(name)}: its name has a line end.")
        return
    yield f"\\connect {connect_argument(name)}"
    for step in plan.steps:
        yield from _step(step)
    yield from more
    for note in plan.notes:
        yield from _comment(note)


def _step(step: Step) -> Iterator[str]:
    yield from _comment(step.what)
    is_one = ";" not in step.shown.removesuffix(";")
    yield from (step.shown,) if is_one else ("BEGIN;", step.shown, "COMMIT;")


def _comment(text: str) -> Iterator[str]:
    """Yield *text* as one comment; a line end in it must not begin a statement."""
    yield "-- " + LINE_END.sub(" ", text)


def connect_argument(name: str) -> str:
    r"""
    Return a database's name as psql's \connect takes it, whatever is in it.

    Source: pg_dump's appendPsqlMetaConnect: a name that looks like a connection string would be
    taken for one, so an odd name is sent as one.
    """
    if SIMPLE.fullmatch(name):
        return name
    value = name.replace("\\", "\\\\").replace("'", "\\'")
    return "-reuse-previous=on \"dbname='" + value.replace('"', '""') + "'\""
