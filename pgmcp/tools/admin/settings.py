"""
PostgreSQL's settings: shown, set and reset, for the server, a database or a role.

Owns ALTER SYSTEM and ALTER DATABASE or ROLE … SET; what is the operator's is in `guarded`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pgmcp.database import Lease
from pgmcp.database.quote import identifier, literal
from pgmcp.errors import AccessDenied, CallerError, QueryFailed
from pgmcp.results import Result
from pgmcp.sql import load
from pgmcp.tools.admin.guarded import refusal
from pgmcp.tools.admin.names import take_list, take_qualified, written
from pgmcp.tools.admin.params import AdminParams
from pgmcp.tools.admin.reload import described, file_errors, signal_reload
from pgmcp.tools.admin.report import done, listing
from pgmcp.tools.admin.standing import (
    INSUFFICIENT_PRIVILEGE,
    find_role,
    hinting,
    needing,
    own_name,
    refuse_own,
)
from pgmcp.tools.admin.startup import check_startup
from pgmcp.tools.admin.units import shown
from pgmcp.tools.base import Call
from pgmcp.tools.nearest import nearest

LISTS = frozenset({"search_path", "temp_tablespaces"})  # GUC_LIST_QUOTE: names, not one text
SESSION_CONTEXTS = frozenset({"user", "superuser"})  # what set_config can try
NOT_ALLOWED = "0A000"  # allow_alter_system = off, from PostgreSQL 17 on
Known = Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Say whom a setting is for: *phrase* for people, *sql* the beginning of the statement."""

    phrase: str
    sql: str
    database: str | None
    role: str | None

    @property
    def is_server(self) -> bool:
        """Tell whether it is the whole server's value."""
        return self.database is None and self.role is None


async def show(call: Call, params: AdminParams) -> Result:
    """Show one setting, or those that a pattern with * meets."""
    result = await listing(call, params, "setting")
    if not result.rows and "*" not in (params.name or ""):
        await call.databases.read(
            params.database,
            lambda lease: _find(lease, params.name or ""),
            login="admin",
            level="admin",
        )
    return _in_one_form(result)


def _in_one_form(result: Result) -> Result:
    """Write values and defaults as SHOW does; allowed stays in the unit."""
    names = [column.name for column in result.columns]
    value, unit, default = (names.index(name) for name in ("value", "unit", "default_value"))
    rows = []
    for row in result.rows:
        cells = list(row)
        counted = cells[unit]
        cells[default] = shown(cells[default], counted)
        if counted is not None:
            cells[value] = shown((cells[value] or "").removesuffix(f" {counted}"), counted)
        rows.append(tuple(cells))
    return replace(result, rows=tuple(rows))


async def set_value(call: Call, params: AdminParams) -> Result:
    """Give a setting a value, which PostgreSQL checks before it is kept."""
    return await _change(call, params, params.value)


async def reset(call: Call, params: AdminParams) -> Result:
    """Take a value back that `set` gave."""
    return await _change(call, params, None)


async def _change(call: Call, params: AdminParams, value: str | None) -> Result:
    name, scope = params.name or "", _scope(params)
    if (reason := refusal(name)) is not None:
        raise AccessDenied(reason)
    if scope.is_server:
        async with call.databases.bare(None) as lease:
            known = await _find(lease, name)
            return await _change_server(call, lease, known, value)
    if value is not None:
        await call.databases.read(
            scope.database, lambda lease: _try(lease, name, value), login="admin", level="admin"
        )
    async with call.databases.write(scope.database, level="admin") as lease:
        return await _change_scope(call, lease, scope, name, value)


def _scope(params: AdminParams) -> Scope:
    """Neither database nor to: the server. Either: new sessions there, of that role, or both."""
    database, role = params.database, params.to
    if role is not None:
        within = f" IN DATABASE {identifier(database)}" if database is not None else ""
        where = f' in database "{database}"' if database is not None else ""
        sql, phrase = f"ALTER ROLE {identifier(role)}{within}", f'role "{role}"{where}'
    elif database is not None:
        sql, phrase = f"ALTER DATABASE {identifier(database)}", f'database "{database}"'
    else:
        sql, phrase = "ALTER SYSTEM", "server"
    return Scope(phrase=phrase, sql=sql, database=database, role=role)


async def _find(lease: Lease, name: str) -> Known:
    rows = await lease.rows(load("admin", "setting_named", lease.server_version), name)
    if rows:
        return rows[0]
    names = await lease.rows(load("admin", "setting_names", lease.server_version))
    near = nearest(name, [str(row["name"]) for row in names])
    meant = f" The nearest names are: {', '.join(near)}." if near else ""
    raise CallerError(
        f'setting "{name}" does not exist on this server.{meant} pg_admin action=setting with * '
        "in name finds settings."
    )


async def _change_server(call: Call, lease: Lease, known: Known, value: str | None) -> Result:
    name, who = str(known["name"]), await own_name(lease)
    if known["context"] == "internal":
        raise CallerError(f'setting "{name}" is fixed when the server is built; nothing sets it.')
    if value is not None:
        version = lease.server_version
        rows = await lease.rows(load("admin", "configuration", version))
        current = {str(row["name"]): str(row["value"]) for row in rows}
        check_startup(name.lower(), value, current, own=call.settings.pools.total)
    sql = f"ALTER SYSTEM {_assignment(name, value)}"
    quoted = _written(name)
    hints = {
        INSUFFICIENT_PRIVILEGE: f"GRANT ALTER SYSTEM ON PARAMETER {quoted} TO {who}; allows it; "
        "the operator runs it as a superuser.",
        NOT_ALLOWED: "the operator keeps the settings elsewhere (allow_alter_system is off).",
    }
    with hinting(hints):
        await lease.command(sql)
    applies = await _apply(lease, str(known["context"]))
    now = await _find(lease, name)
    if now["pending_restart"] == "t":
        applies = "after a restart of PostgreSQL, which the operator does"
    cells = {
        "setting": name,
        "for": "server",
        "before": shown(known["value"], known["unit"]),
        "after": value if now["pending_restart"] == "t" else shown(now["value"], now["unit"]),
        "applies": applies,
    }
    undo = (f"action=reset name={name} undoes it",) if value is not None else ()
    return done(cells, remarks=undo)


async def _apply(lease: Lease, context: str) -> str:
    """Reload, and say from when on a setting of *context* is in force."""
    errors = await file_errors(lease)
    if errors:
        return f"not yet: {described(errors)}; when they are mended, action=reload"
    try:
        loaded = await signal_reload(lease)
    except QueryFailed as error:
        return f"not yet: {error.message}. {error.hint}"
    if context in ("backend", "superuser-backend"):
        return "to new sessions"
    return "now" if loaded else "as soon as the server has read its files"


async def _try(lease: Lease, name: str, value: str) -> None:
    """Let PostgreSQL check *value* in a transaction that is rolled back."""
    rows = await lease.rows(load("admin", "setting_named", lease.server_version), name)
    if rows and rows[0]["context"] in SESSION_CONTEXTS:
        with hinting(needing(_set_hint(await own_name(lease), str(rows[0]["name"])))):
            await lease.value("SELECT pg_catalog.set_config($1, $2, true)", name, value)


async def _change_scope(
    call: Call, lease: Lease, scope: Scope, name: str, value: str | None
) -> Result:
    if "." not in name:  # an extension's setting may be unknown until its library is loaded
        name = str((await _find(lease, name))["name"])
    if scope.role is not None:
        await find_role(lease, "to", scope.role)
        await refuse_own(call, lease, scope.role, "change settings of")
    overrides = load("admin", "overrides", lease.server_version)
    before = await lease.value(overrides, name, scope.database, scope.role)
    who = await own_name(lease)
    with hinting(needing(_scope_hint(scope, who, name))):
        await lease.command(f"{scope.sql} {_assignment(name, value)}")
    cells = {
        "setting": name,
        "for": scope.phrase,
        "before": before,
        "after": await lease.value(overrides, name, scope.database, scope.role),
        "applies": "to new sessions",
    }
    return done(cells, notices=lease.notices)


def _assignment(name: str, value: str | None) -> str:
    if value is None:
        return f"RESET {_written(name)}"
    values = (take_list(value) if name.lower() in LISTS and value.strip() else None) or (value,)
    return f"SET {_written(name)} = {', '.join(literal(part) for part in values)}"


def _written(name: str) -> str:
    """Return the name as SQL: an extension's setting has two parts."""
    parts = tuple(name.split("."))
    taken = take_qualified(name)
    if taken is None or taken[1] or '"' in name:
        raise CallerError(f'name: "{name}" is no name of a setting, such as work_mem.')
    return written(parts)


def _set_hint(who: str, name: str) -> str:
    return f"GRANT SET ON PARAMETER {_written(name)} TO {who}; allows it; a superuser runs it."


def _scope_hint(scope: Scope, who: str, name: str) -> str:
    if scope.role is not None:
        return (
            f"settings of a role are changed by a role with CREATEROLE and ADMIN OPTION on it, or "
            f"a superuser; settings for superusers only also need: {_set_hint(who, name)}"
        )
    return (
        "settings of a database are changed by its owner or a superuser; settings for superusers "
        f"only also need: {_set_hint(who, name)}"
    )
