"""
A login as each role, as `pgmcp serve` will do it.

Owns the words for logins that pg_hba.conf does not let in; changes nothing.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

from pgmcp.database import CATALOGS_ONLY, Databases, Lease
from pgmcp.errors import PgmcpError
from pgmcp.logins import ROLE_OF, Login
from pgmcp.provision.step import Options, Outcome
from pgmcp.provision.wanted import ROLES
from pgmcp.settings import Settings


async def try_logins(settings: Settings, passwords: Mapping[str, str], options: Options) -> Outcome:
    """Try every login; say which cannot connect, with PostgreSQL's reason."""
    name = options.databases[0] if options.databases else settings.server.database
    if options.peer is not None and options.peer != own_user():
        note = (
            f"the logins were not tried: peer authentication lets only {options.peer} in, and "
            f"this runs as {own_user()}"
        )
        return Outcome(notes=(note,))
    mode = "auto" if options.peer is None else "peer"
    server = settings.server.model_copy(
        update={
            "roles": mode,
            "passwords": dict(passwords),
            "roles_passfile": None,  # these passwords are tried, not those of a file
            "passfile": None,
        }
    )
    databases = Databases(settings.model_copy(update={"server": server}), path=CATALOGS_ONLY)
    failed = []
    try:
        for login, role in ROLE_OF.items():
            if (reason := await _try(databases, name, login)) is not None:
                failed.append(f"log in as {role}: {reason}")
    finally:
        await databases.close()
    notes = (_advice(settings, options),) if failed else ()
    return Outcome(failed=tuple(failed), notes=notes)


async def _try(databases: Databases, name: str, login: Login) -> str | None:
    try:
        await databases.read(name, _session_user, login=login)
    except PgmcpError as error:
        return error.message
    return None


async def _session_user(lease: Lease) -> str | None:
    return await lease.value("SELECT session_user")


def _advice(settings: Settings, options: Options) -> str:
    host = settings.server.host
    method = "scram-sha-256" if options.peer is None else "peer map=pgmcp"
    where = "local" if host.startswith(("/", "@")) or options.peer else "host"
    address = "" if where == "local" else " 127.0.0.1/32" if _is_here(host) else " ADDRESS/32"
    return (
        "where pg_hba.conf is the reason, it needs this line above those that refuse: "
        f"{where} all {','.join(ROLES)}{address} {method}; then SELECT pg_reload_conf();"
    )


def _is_here(host: str) -> bool:
    return host in ("localhost", "127.0.0.1")


def own_user() -> str:
    """Return the system user that this process is."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
