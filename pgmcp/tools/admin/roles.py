"""
Roles: listed, made and changed.

Owns CREATE ROLE and ALTER ROLE; the clear text of a password passes through once and is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pgmcp.database import Lease
from pgmcp.database.quote import identifier, literal
from pgmcp.errors import AccessDenied, CallerError, QueryFailed
from pgmcp.passwords import make_password
from pgmcp.results import Result
from pgmcp.tools.admin.attributes import RoleOptions, role_options
from pgmcp.tools.admin.params import AdminParams
from pgmcp.tools.admin.report import done, listing
from pgmcp.tools.admin.standing import (
    SINCE_ADMIN_OPTION,
    find_role,
    hinting,
    needing_createrole,
    own_name,
    refuse_own,
)
from pgmcp.tools.base import Call

SHOWN_ONCE = "the password is shown this once; keep it where its owner finds it"


async def list_roles(call: Call, params: AdminParams) -> Result:
    """List the roles; predefined ones only where the name asks for them."""
    return await listing(call, params, "roles")


async def create_role(call: Call, params: AdminParams) -> Result:
    """Make a role; one that logs in gets a password unless attributes say PASSWORD NULL."""
    name = params.name or ""
    options = role_options(params.attributes or ())
    if options.logs_in and options.password == "keep":  # noqa: S105 — a word about a password
        options = replace(options, password="new")  # noqa: S106 — the same
    async with call.databases.write(None, level="admin") as lease:
        _refuse_createrole(lease, options)
        who = await own_name(lease)
        with hinting(needing_createrole(lease, who, _creating(who))):
            clear = await _run(lease, "CREATE ROLE", name, options)
        role = await find_role(lease, "name", name)
    return _report(role, clear, change="created")


async def alter_role(call: Call, params: AdminParams) -> Result:
    """Change a role's attributes, make it a new password, or rename it to params.to."""
    name, new_name = params.name or "", params.to
    if params.attributes is None and new_name is None:
        raise CallerError(
            "action=alter_role changes nothing as it stands. Give attributes, or a new name in to."
        )
    options = role_options(params.attributes or ())
    async with call.databases.write(None, level="admin") as lease:
        role = await find_role(lease, "name", name)
        await refuse_own(call, lease, name, "change")
        if role["is_superuser"] == "t":
            raise AccessDenied(
                f'role "{name}" is a superuser; pg_admin does not change superusers, because '
                "their passwords open the server. The operator does that with psql."
            )
        _refuse_createrole(lease, options)
        who = await own_name(lease)
        clear = None
        with hinting(needing_createrole(lease, who, _altering(lease, who, name))):
            if options.clauses or options.password != "keep":  # noqa: S105 — the same
                clear = await _run(lease, "ALTER ROLE", name, options)
            if new_name is not None:
                await lease.command(
                    f"ALTER ROLE {identifier(name)} RENAME TO {identifier(new_name)}"
                )
        role = await find_role(lease, "to", new_name or name)
    return _report(role, clear, change="changed")


def _refuse_createrole(lease: Lease, options: RoleOptions) -> None:
    """Below PostgreSQL 16 CREATEROLE may join pg_execute_server_program by itself."""
    if "CREATEROLE" in options.clauses and lease.server_version < SINCE_ADMIN_OPTION:
        raise AccessDenied(
            'attributes: "CREATEROLE" reaches the server\'s files and programs below PostgreSQL '
            "16, so pg_admin does not give it there. The operator does that with psql."
        )


async def _run(lease: Lease, command: str, name: str, options: RoleOptions) -> str | None:
    """Run CREATE or ALTER ROLE; return the clear password if one was made."""
    clauses, clear = list(options.clauses), None
    if options.password == "new":  # noqa: S105 — a word about a password
        password = make_password()
        clear = password.clear
        clauses.append(f"PASSWORD {literal(password.verifier)}")
    elif options.password == "none":  # noqa: S105 — the same
        clauses.append("PASSWORD NULL")
    try:
        await lease.command(" ".join((command, identifier(name), *clauses)))
    except QueryFailed as error:
        # The statement holds the verifier, so the failure must not quote it.
        report = replace(error.report, position=0)
        raise QueryFailed(report, hint=error.hint, fate=error.fate) from None
    return clear


def _report(role: Mapping[str, str | None], clear: str | None, *, change: str) -> Result:
    cells = {"role": role["role"], "change": change, "attributes": role["attributes"]}
    if clear is None:
        return done(cells)
    return done({**cells, "password": clear}, remarks=(SHOWN_ONCE,))


def _creating(who: str) -> str:
    return (
        f"Making roles needs CREATEROLE: ALTER ROLE {who} CREATEROLE; the operator runs it as a "
        "superuser. REPLICATION and BYPASSRLS can be given only by a role that has them (from 16 "
        "on) or a superuser; CREATEDB likewise from 16 on."
    )


def _altering(lease: Lease, who: str, name: str) -> str:
    if lease.server_version >= SINCE_ADMIN_OPTION:
        return (
            "Changing a role needs CREATEROLE and ADMIN OPTION on it (it has that on the roles it "
            f"made itself): GRANT {identifier(name)} TO {who} WITH ADMIN OPTION; and only "
            "attributes that the login has itself can be given."
        )
    return (
        f"Changing a role needs CREATEROLE: ALTER ROLE {who} CREATEROLE; the operator runs it as "
        "a superuser. REPLICATION and BYPASSRLS are a superuser's to give below PostgreSQL 16."
    )
