"""
Extensions of one database: listed, installed, updated, dropped.

Owns CREATE, ALTER and DROP EXTENSION; those that run code on the server stay the operator's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pgmcp.database import Lease
from pgmcp.database.quote import identifier, literal
from pgmcp.errors import AccessDenied, CallerError
from pgmcp.results import Result
from pgmcp.sql import load
from pgmcp.tools.admin.guarded import extension_refusal
from pgmcp.tools.admin.names import confirmable
from pgmcp.tools.admin.params import AdminParams
from pgmcp.tools.admin.report import counted, done, first_of, listing
from pgmcp.tools.admin.standing import hinting, needing, own_name
from pgmcp.tools.base import Call
from pgmcp.tools.confirm import require_value
from pgmcp.tools.nearest import nearest

DEPENDANTS_NAMED = 10
PRELOADED = "pg_stat_statements"
DEPENDENT_OBJECTS = "2BP01"
MISSING_REQUIREMENT = "42704"


async def list_extensions(call: Call, params: AdminParams) -> Result:
    """List the installed extensions, or with params.full all that the server offers."""
    action = "extensions_available" if params.full else "extensions"
    result = await listing(call, params, action)
    if params.full:
        return result
    return replace(result, remarks=(*result.remarks, "full=true lists what can be installed"))


async def create_extension(call: Call, params: AdminParams) -> Result:
    """Install an extension; one that is installed is updated where params.value differs."""
    name = params.name or ""
    async with call.databases.write(
        params.database, timeout=call.settings.limits.timeout_ceiling, level="admin"
    ) as lease:
        known = await _find(lease, name)
        brings = str(known["brings"] or name).split(",")
        if (reason := extension_refusal([name, *brings])) is not None:
            raise AccessDenied(reason)
        updates = known["version"] is not None
        sql = _update(params, known) if updates else _create(params)
        who = await own_name(lease)
        hints = {
            **needing(_installing(lease, who, known)),
            MISSING_REQUIREMENT: f"it needs {', '.join(brings)}; full=true installs those too.",
        }
        with hinting(hints):
            await lease.command(sql)
        now = await _find(lease, name)
        notices = list(lease.notices)
    remarks = []
    preloaded = known["preloaded"]
    if name == PRELOADED and preloaded is not None and PRELOADED not in preloaded:
        remarks.append(
            "it counts nothing until the operator adds it to shared_preload_libraries and "
            "restarts PostgreSQL"
        )
    cells = {
        "extension": name,
        "change": "updated" if updates else "installed",
        "version": now["version"],
        "schema": now["schema"],
    }
    return done(cells, remarks=remarks, notices=notices)


def _create(params: AdminParams) -> str:
    parts = [f"CREATE EXTENSION {identifier(params.name or '')}"]
    if params.schema_ is not None:
        parts.append(f"SCHEMA {identifier(params.schema_)}")
    if params.value is not None:
        parts.append(f"VERSION {literal(params.value)}")
    if params.full:
        parts.append("CASCADE")
    return " ".join(parts)


def _update(params: AdminParams, known: Mapping[str, str | None]) -> str:
    name, version, newest = params.name, known["version"], known["newest"]
    if params.value is None or params.value == version:
        offer = (
            f' value="{newest}" updates it.'
            if newest not in (None, version)
            else " That is the newest that this server has."
        )
        raise CallerError(f'extension "{name}" is installed already, version {version}.{offer}')
    if params.schema_ is not None or params.full:
        raise CallerError(
            f'extension "{name}" is installed already; an update takes neither schema nor full.'
        )
    return f"ALTER EXTENSION {identifier(name or '')} UPDATE TO {literal(params.value)}"


async def drop_extension(call: Call, params: AdminParams) -> Result:
    """Drop an extension, with params.full together with all that depends on it (CASCADE)."""
    name, cascade = params.name or "", params.full is True
    async with call.databases.write(params.database, level="admin") as lease:
        known = await _find(lease, name)
        if known["version"] is None:
            raise CallerError(
                f'extension "{name}" is not installed in database "{lease.database}". '
                "pg_admin action=extensions lists those that are."
            )
        sql = load("admin", "extension_dependants", lease.server_version)
        dependants = [str(row["object"]) for row in await lease.rows(sql, name)]
        named = f"{counted(len(dependants), 'object')}: {first_of(dependants, DEPENDANTS_NAMED)}"
        if dependants and not cascade:
            raise CallerError(
                f'extension "{name}" cannot be dropped alone: {named} depend'
                f"{'s' if len(dependants) == 1 else ''} on it.",
                hint="drop or change those first, or repeat with full=true, which drops them too.",
            )
        taking = f", and with it (CASCADE) {named}" if dependants else ""
        what = f'DROP EXTENSION "{name}" {known["version"]} from database "{lease.database}"'
        require_value(
            call,
            confirmable(name),
            params.confirm,
            what + taking,
            database=lease.database,
            sealed=["DROP EXTENSION", known["version"], cascade, *dependants],
        )
        who = await own_name(lease)
        hint = f"only its owner or a superuser drops an extension; the gateway's role is {who}."
        with hinting({**needing(hint), DEPENDENT_OBJECTS: "full=true drops them too."}):
            await lease.command(f"DROP EXTENSION {identifier(name)}{' CASCADE' * cascade}")
        notices = list(lease.notices)
    cells = {"extension": name, "change": "dropped", "version": known["version"]}
    return done({**cells, "dropped_with_it": str(len(dependants))}, notices=notices)


async def _find(lease: Lease, name: str) -> Mapping[str, str | None]:
    rows = await lease.rows(load("admin", "extension", lease.server_version), name)
    if rows:
        return rows[0]
    offered = await lease.rows(load("admin", "extensions_available", lease.server_version))
    near = nearest(name, [str(row["name"]) for row in offered])
    meant = f" The nearest names are: {', '.join(near)}." if near else ""
    raise CallerError(
        f'extension "{name}" is not on this server.{meant} pg_admin action=extensions full=true '
        "lists what is; the operator installs more with the system's packages."
    )


def _installing(lease: Lease, who: str, known: Mapping[str, str | None]) -> str:
    if known["is_trusted"] == "t":
        return (
            "it is trusted, so CREATE on the database is enough: GRANT CREATE ON DATABASE "
            f"{identifier(lease.database)} TO {who}; the operator runs it."
        )
    return (
        "it is not trusted, so only a superuser installs it. The operator runs CREATE EXTENSION "
        "with psql."
    )
