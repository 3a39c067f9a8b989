"""
Errors of access: what a caller lacks, and which rule says so.

Owns these stories beside those of `stories`; a story's name is its file's in errors/.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from pgmcp.access import Policy
from pgmcp.http import Gateway
from pgmcp.identity import Caller
from pgmcp.kinds import Level
from pgmcp.settings import AccessRule, Server, Settings, load, passfile_path
from tests.snapshots.stories_identity import told
from tests.snapshots.world import DATABASE, World, story

ANA = Caller(principal="tailscale:ana@example.com", address="100.64.0.1")
RULES = Settings(
    access=(AccessRule(who=("ana@example.com",), databases=("app",), permissions="read"),)
)


def lacking(level: Level, database: str, ceiling: Level | None = None) -> str:
    """Return what ana reads where she lacks *level* in *database*."""
    access = Policy(RULES).access(ANA, ceiling)
    return told(lambda: access.require(level, database, "pg_query with mode=write"))


@story
async def access_below_what_is_needed(_world: World) -> str:
    return lacking("write", "app")


@story
async def access_to_another_database(_world: World) -> str:
    return lacking("write", "payroll")


@story
async def access_narrowed_by_the_url(_world: World) -> str:
    access = Policy(Settings()).access(ANA, "read")
    return told(lambda: access.require("write", "app", "pg_query with mode=write"))


@story
async def access_of_nobody(_world: World) -> str:
    bob = Caller(principal="tailscale:bob@example.com", address="100.64.0.2")
    return told(lambda: Gateway(RULES).admit(bob))


@story
async def passfile_that_cannot_be_read(_world: World) -> str:
    with tempfile.TemporaryDirectory() as folder:
        environ = {"STATE_DIRECTORY": folder}
        passfile_path(environ, "localhost", "5432").mkdir()
        return told(lambda: load(environ=environ)).replace(folder, str(Path("/var/lib/pgmcp")))


@story
async def roles_required_but_not_there(_world: World) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = passfile_path({"STATE_DIRECTORY": folder}, "localhost", "5432")
        required = Settings(server=Server(roles="required", roles_passfile=path))
        return told(lambda: Gateway(required)).replace(folder, str(Path("/var/lib/pgmcp")))


@story
async def login_role_that_is_missing(world: World) -> str:
    chosen = load(environ=world.cluster.environment(DATABASE))
    server = chosen.server.model_copy(update={"passwords": {"pgmcp_read": "made up"}})
    asker = await world.gateway(chosen.model_copy(update={"server": server}))
    return await asker.refusal(sql="SELECT 1")


@story
async def signal_to_another_database(world: World) -> str:
    rule = AccessRule(who=("local",), databases=(DATABASE,), permissions="admin")
    chosen = load(environ=world.cluster.environment(DATABASE))
    asker = await world.gateway(chosen.model_copy(update={"access": (rule,)}))
    theirs = await world.cluster.connect()
    try:
        return await asker.refusal("pg_admin", action="cancel", pid=theirs.get_server_pid())
    finally:
        await theirs.close()


@story
async def foreign_server_inside_a_transaction(world: World) -> str:
    handle = await world.begin(mode="ddl")
    sql = "CREATE SERVER files FOREIGN DATA WRAPPER file_fdw"
    return await world.refusal("pg_schema", action="create", sql=sql, session_id=handle)


@story
async def statements_of_every_database(world: World) -> str:
    rule = AccessRule(who=("local",), databases=(DATABASE,), permissions="read")
    chosen = load(environ=world.cluster.environment(DATABASE))
    asker = await world.gateway(chosen.model_copy(update={"access": (rule,)}))
    return await asker.refusal(sql="SELECT query FROM pg_stat_activity")
