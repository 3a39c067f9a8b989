"""
pg_admin: running the server, from databases and roles to upkeep, settings and backups.

Owns the tool's description and the choice of the action; each noun has its own module.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from pgmcp.results import Result
from pgmcp.tools.admin.backends import cancel, terminate
from pgmcp.tools.admin.backup import backup
from pgmcp.tools.admin.databases import create_database, drop_database, list_databases
from pgmcp.tools.admin.extensions import create_extension, drop_extension, list_extensions
from pgmcp.tools.admin.grants import grant, revoke
from pgmcp.tools.admin.maintenance import analyze, vacuum
from pgmcp.tools.admin.params import Action, AdminParams, check, names_of, places_of
from pgmcp.tools.admin.reindex import reindex
from pgmcp.tools.admin.reload import reload
from pgmcp.tools.admin.role_drop import drop_role
from pgmcp.tools.admin.roles import alter_role, create_role, list_roles
from pgmcp.tools.admin.settings import reset, set_value, show
from pgmcp.tools.admin.statistics import reset_statistics
from pgmcp.tools.base import Answer, Call, Tool, answer

DESCRIPTION = """\
Run the server: databases, roles, privileges, extensions, upkeep, settings, sessions, backup. \
Names are taken exactly as given, without quotes. create_role with LOGIN makes a password and \
shows it once. grant and revoke: privileges, on, to; on="role r" is membership, "future tables in \
schema s" is what is made later. set changes the whole server; with database or to (a role) only \
new sessions there. vacuum, analyze, reindex: one table, a schema or the database. backup writes a \
dump into the operator's directory. Drops, CASCADE and terminate need confirm: the refusal says \
what would go and prints the value.
Example: action="grant", privileges=["SELECT"], on="all tables in schema shop", to="reports\""""

Handler = Callable[[Call, AdminParams], Awaitable[Result]]
HANDLERS: dict[Action, Handler] = {
    "databases": list_databases,
    "create_database": create_database,
    "drop_database": drop_database,
    "roles": list_roles,
    "create_role": create_role,
    "alter_role": alter_role,
    "drop_role": drop_role,
    "grant": grant,
    "revoke": revoke,
    "extensions": list_extensions,
    "create_extension": create_extension,
    "drop_extension": drop_extension,
    "vacuum": vacuum,
    "analyze": analyze,
    "reindex": reindex,
    "setting": show,
    "set": set_value,
    "reset": reset,
    "reload": reload,
    "cancel": cancel,
    "terminate": terminate,
    "reset_statistics": reset_statistics,
    "backup": backup,
}


async def run(call: Call, params: AdminParams) -> Answer:
    """Carry out one action; it needs admin where it happens, and some need it elsewhere too."""
    call.record.level, call.record.names = "admin", names_of(params)
    for database in places_of(params):
        call.databases.require("admin", database, f"pg_admin action={params.action}")
    check(params)
    began = time.perf_counter()
    try:
        result = await HANDLERS[params.action](call, params)
    finally:
        call.definers.forget()
    milliseconds = (time.perf_counter() - began) * 1000
    return answer(replace(result, milliseconds=milliseconds), params.format)


TOOL = Tool(
    name="pg_admin",
    title="Administration",
    description=DESCRIPTION,
    params=AdminParams,
    run=run,
    read_only=False,
    destructive=True,
)
