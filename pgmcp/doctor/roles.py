"""
What each login really is and may do, asked of PostgreSQL as that login.

Owns the judgement of the answers; changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping

from pgmcp.database import Databases, Lease
from pgmcp.doctor.finding import Finding, Weight
from pgmcp.errors import PgmcpError
from pgmcp.logins import ROLE_OF, Login
from pgmcp.sql import load

Row = Mapping[str, str | None]
LEVELS: tuple[Login, ...] = ("read", "write", "ddl", "admin")
# What a login may be although it reaches far; everything else of these is bad.
MAY: dict[Login, frozenset[str]] = {
    "admin": frozenset({"may_create_roles", "is_superuser", "reads_verifiers"}),
    "backup": frozenset({"bypasses_row_security", "reads_verifiers"}),
}
MEANINGS = {
    "is_superuser": "is a superuser: no privilege holds it",
    "may_create_roles": "has CREATEROLE",
    "may_replicate": "has REPLICATION: it can read every byte of the server",
    "bypasses_row_security": "has BYPASSRLS: row security does not hold it",
    "reads_verifiers": "reads password verifiers (pg_authid)",
}


async def look_at_login(databases: Databases, login: Login) -> AsyncIterator[Finding]:
    """Yield what *login* is; one bad finding where it cannot connect."""
    role = ROLE_OF[login]
    try:
        row = await databases.read(None, _who, login=login)
    except PgmcpError as error:
        yield Finding(weight="bad", text=f"{role}: {error.message}", fix="pgmcp provision")
        return
    faults = list(_faults(login, row))
    if not faults:
        yield Finding(weight="ok", text=f"{role} connects, and is no more than it should be")
    for fault in faults:
        yield fault


async def _who(lease: Lease) -> Row:
    return (await lease.rows(load("doctor", "login", lease.server_version)))[0]


def _faults(login: Login, row: Row) -> Iterator[Finding]:
    role, allowed = ROLE_OF[login], MAY.get(login, frozenset())
    for name, meaning in MEANINGS.items():
        if row[name] == "t" and name not in allowed:
            yield Finding(
                weight=_weight(name, row),
                text=f"{role} {meaning}",
                fix=_restored(name, role),
            )
    if row["is_superuser"] == "t" and login == "admin":
        yield Finding(
            weight="warning",
            text=f"{role} is a superuser, as --superuser-admin asked: an admin may do anything",
            fix=f"ALTER ROLE {role} NOSUPERUSER; then pgmcp provision",
        )
    # PostgreSQL counts a superuser as a member of every role.
    if row["reaches"] and row["is_superuser"] != "t":
        yield Finding(
            weight="bad",
            text=f"{role} is a member of {row['reaches']}: it reaches beyond tables",
            fix=f"REVOKE {row['reaches']} FROM {role};",
        )


def _restored(name: str, role: str) -> str:
    """Return what restores *role*: provisioning refuses to touch a superuser."""
    if name == "is_superuser":
        return f"ALTER ROLE {role} NOSUPERUSER; then pgmcp provision"
    return "pgmcp provision restores the role"


def _weight(name: str, row: Row) -> Weight:
    """Take what --read-all opens for the operator's wish."""
    return "warning" if name == "reads_verifiers" and row["reads_all"] == "t" else "bad"


async def look_at_shared(databases: Databases) -> Finding:
    """Say whose rights every level has where they share one login."""
    row = await databases.read(None, _who)
    who = row["login"]
    if row["is_superuser"] == "t":
        return Finding(
            weight="warning",
            text=f"that login is {who}, a superuser: what the gateway lets through, PostgreSQL "
            "does not stop, and whoever may do ddl can run any code",
            fix="pgmcp provision",
        )
    return Finding(weight="note", text=f"that login is {who}, no superuser")


async def look_at_abilities(
    databases: Databases, database: str, login: Login
) -> AsyncIterator[Finding]:
    """Yield what *login* may do in *database*, counted by PostgreSQL."""
    role = ROLE_OF[login]
    try:
        row = await databases.read(database, _abilities, login=login)
    except PgmcpError as error:
        text = f"{database}: {role}: {error.message}"
        yield Finding(weight="bad", text=text, fix="pgmcp provision")
        return
    creates = row["creates_in"] or "no schema"
    yield Finding(
        weight="ok",
        text=f"{database}: {role} reads {row['readable']} of {row['relations']} relations, "
        f"writes {row['writable']}, owns {row['owned']}, creates in {creates}",
    )
    for finding in _judged(database, login, row):
        yield finding


async def _abilities(lease: Lease) -> Row:
    return (await lease.rows(load("doctor", "abilities", lease.server_version)))[0]


def _judged(database: str, login: Login, row: Row) -> Iterator[Finding]:
    role = ROLE_OF[login]
    if row["reads_verifiers"] == "t" and "reads_verifiers" not in MAY.get(login, ()):
        yield Finding(
            weight=_weight("reads_verifiers", row),
            text=f"{database}: {role} {MEANINGS['reads_verifiers']}",
            fix=f"REVOKE ALL ON pg_catalog.pg_authid FROM {role}; or no --read-all",
        )
    if row["unread"] and login == "read":
        yield Finding(
            weight="note",
            text=f"{database}: {role} does not read {row['unread']}",
            fix="pgmcp provision, unless they are kept closed on purpose",
        )
    if row["written"] and login == "read":
        yield Finding(
            weight="warning",
            text=f"{database}: {role} has write privileges on {row['written']}, as PUBLIC has; "
            "the gateway's READ ONLY transactions do not use them",
            fix="REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON … FROM PUBLIC;",
        )
    if row["creates_in"] and login in ("read", "write"):
        yield Finding(
            weight="warning",
            text=f"{database}: {role} may create in {row['creates_in']}, as PUBLIC may",
            fix="REVOKE CREATE ON SCHEMA … FROM PUBLIC;",
        )
    if row["definers"] and login == "read":
        yield Finding(
            weight="note",
            text=f"{database}: {role} may execute SECURITY DEFINER code: {row['definers']}; reads "
            "that would run it are refused",
        )
