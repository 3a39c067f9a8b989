"""
Errors of pg_schema, pg_admin and the configuration that need more than one call.

Owns these stories beside those of `stories`; a story's name is its file's in errors/.
"""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pgmcp.errors import PgmcpError
from pgmcp.listeners import listen
from pgmcp.settings import Http, load
from tests.asking import Asker
from tests.snapshots.world import DATABASE, World, story


@story
async def schema_concurrently_in_a_transaction(world: World) -> str:
    handle = await world.begin(mode="ddl")
    sql = "CREATE INDEX CONCURRENTLY ON shop.orders (total)"
    return await world.refusal("pg_schema", action="create", sql=sql, session_id=handle)


@story
async def admin_terminate_unconfirmed(world: World) -> str:
    other = await world.connect()
    return await world.refusal("pg_admin", action="terminate", pid=other.get_server_pid())


@story
async def admin_terminate_without_its_start(world: World) -> str:
    pid = (await world.connect()).get_server_pid()
    return await world.refusal("pg_admin", action="terminate", pid=pid, confirm=str(pid))


@story
async def admin_terminate_another_session(world: World) -> str:
    pid = (await world.connect()).get_server_pid()
    start = "2020-01-01 00:00:00+00"
    return await world.refusal("pg_admin", action="terminate", pid=pid, backend_start=start)


@story
async def admin_terminate_the_gateway(world: World) -> str:
    (pid, *_) = world.asker.gateway.databases.own_pids()
    return await world.refusal("pg_admin", action="terminate", pid=pid)


@story
async def admin_terminate_no_client(world: World) -> str:
    other = await world.connect()
    find = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
    return await world.refusal("pg_admin", action="terminate", pid=await other.fetchval(find))


@story
async def admin_terminate_unseen(world: World) -> str:
    """Ask as a role that sees only its own sessions."""
    await world.cluster.execute("GRANT CONNECT ON DATABASE postgres TO errors_clerk")
    gateway = await world.gateway(PGUSER="errors_clerk", PGPASSWORD="clerk")
    pid = (await world.connect()).get_server_pid()
    return await gateway.refusal("pg_admin", action="terminate", pid=pid)


@story
async def admin_drop_a_database_in_use(world: World) -> str:
    name = "errors_used"
    await world.cluster.create_database(name)
    world.stack.push_async_callback(world.cluster.drop_database, name)
    other = await world.cluster.connect(name)
    world.stack.push_async_callback(other.close)
    return await world.refusal("pg_admin", action="drop_database", name=name, confirm=name)


@story
async def admin_drop_a_template(world: World) -> str:
    name = "errors_template"
    await world.cluster.create_database(name)
    world.stack.push_async_callback(world.cluster.drop_database, name)
    await world.cluster.execute(f"ALTER DATABASE {name} IS_TEMPLATE true")
    text = await world.refusal("pg_admin", action="drop_database", name=name)
    await world.cluster.execute(f"ALTER DATABASE {name} IS_TEMPLATE false")
    return text


@story
async def admin_drop_a_role_with_objects(world: World) -> str:
    other = await world.connect()
    await other.execute(
        "CREATE TABLE shop.clerks (a int); ALTER TABLE shop.clerks OWNER TO errors_clerk"
    )
    text = await world.refusal(
        "pg_admin", action="drop_role", name="errors_clerk", confirm="errors_clerk"
    )
    await other.execute("DROP TABLE shop.clerks")
    return text


@story
async def admin_reindex_of_somebody_else(world: World) -> str:
    await world.cluster.execute("GRANT USAGE ON SCHEMA shop TO errors_clerk", database=DATABASE)
    gateway = await world.gateway(PGUSER="errors_clerk", PGPASSWORD="clerk")
    text = await gateway.refusal("pg_admin", action="reindex", table="shop.orders")
    await world.cluster.execute("REVOKE USAGE ON SCHEMA shop FROM errors_clerk", database=DATABASE)
    return text


async def backing_up(world: World, directory: Path, program: str) -> Asker:
    """Open a gateway that backs up into *directory* with *program*."""
    settings = load(environ=world.cluster.environment(DATABASE))
    backup = settings.backup.model_copy(update={"directory": directory, "pg_dump": program})
    return await world.gateway(settings.model_copy(update={"backup": backup}))


@story
async def admin_backup_without_pg_dump(world: World) -> str:
    folder = Path(world.stack.enter_context(tempfile.TemporaryDirectory()))
    gateway = await backing_up(world, folder, "/nowhere/pg_dump")
    return await gateway.refusal("pg_admin", action="backup")


@story
async def admin_backup_with_another_program(world: World) -> str:
    folder = Path(world.stack.enter_context(tempfile.TemporaryDirectory()))
    gateway = await backing_up(world, folder, "true")
    return await gateway.refusal("pg_admin", action="backup")


def told(error: PgmcpError) -> str:
    """Return an error as the command line prints it."""
    return "\n".join(error.lines())


def configured(
    text: str, environ: Mapping[str, str] | None = None, name: str = "pgmcp.toml"
) -> str:
    """Return what is said of a configuration file that holds *text*."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_text(text)
        try:
            load(environ=environ or {}, file=file)
        except PgmcpError as error:
            return told(error).replace(folder, "/etc/pgmcp")
    raise AssertionError("the configuration was accepted")


@story
async def configuration_missing(_world: World) -> str:
    try:
        load(environ={}, file=Path("/nowhere/pgmcp.toml"))
    except PgmcpError as error:
        return told(error)
    raise AssertionError("the configuration was found")


@story
async def configuration_of_no_toml(_world: World) -> str:
    return configured("[http\n")


@story
async def configuration_without_sections(_world: World) -> str:
    return configured("port = 3000\n")


@story
async def configuration_of_a_list(_world: World) -> str:
    return configured("[1]", name="pgmcp.json")


@story
async def socket_path_of_a_directory(_world: World) -> str:
    return listening(Http(socket=Path("/run")))


@story
async def configuration_with_an_unknown_key(_world: World) -> str:
    return configured("[http]\nprot = 3000\n")


@story
async def configuration_with_a_password(_world: World) -> str:
    return configured("[server]\npassword = 'x'\n")


@story
async def configuration_with_a_missing_credential(_world: World) -> str:
    return configured("[server]\npassword_credential = 'pgpass'\n")


@story
async def configuration_with_values_of_another_kind(_world: World) -> str:
    return configured(
        "access = [1]\n[server]\nhost = 5\n"
        "[http]\npublic_url = 'https://pi.example.ts.net/mcp'\ntcp = 'perhaps'\nallowed_hosts = 5\n"
        "[limits]\ntimeout = '30 minutes'\n[provision]\nexcept = ['secret']\npeer = 'x y'\n"
    )


@story
async def configuration_that_closes_and_opens_the_same(_world: World) -> str:
    return configured("[provision]\nread_all = true\nexcept = ['app.secret']\n")


@story
async def port_of_no_number(_world: World) -> str:
    return configured("", {"PORT": "many"})


def listening(settings: Http) -> str:
    """Return what is said of a place that cannot be listened on."""
    try:
        for listener in listen(settings):
            listener.socket.close()
    except PgmcpError as error:
        return told(error)
    raise AssertionError("it could be listened on")


@story
async def port_taken(_world: World) -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        return listening(Http(port=port)).replace(str(port), "3000")


@story
async def socket_path_too_long(_world: World) -> str:
    return listening(Http(socket=Path("/run") / ("x" * 120)))


@story
async def socket_taken(_world: World) -> str:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder) / "s"
        with socket.socket(socket.AF_UNIX) as taken:
            taken.bind(str(path))
            taken.listen()
            return listening(Http(socket=path)).replace(folder, "/run")
