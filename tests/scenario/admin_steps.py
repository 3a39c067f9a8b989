"""
Running the server with pg_admin, as far as any database allows it.

The role and the database that are made are named as the scenario's schema, and dropped again.
"""

from __future__ import annotations

from tests.scenario.world import World


async def databases_and_roles_are_listed(world: World) -> None:
    """Find the current database and the current role in their lists."""
    row = (await world.query("SELECT current_database(), current_user")).rows()[0]
    databases = await world.does("pg_admin", action="databases")
    databases.has_row(name=row[0])
    roles = await world.does("pg_admin", action="roles")
    roles.has_row(name=row[1])


async def extensions_are_listed(world: World) -> None:
    """Find plpgsql, which every database has."""
    reply = await world.does("pg_admin", action="extensions", name="plpgsql")
    reply.shows("plpgsql")


async def a_setting_is_shown(world: World) -> None:
    """Show a setting: as PostgreSQL has it."""
    shown = (await world.query("SHOW work_mem")).rows()[0][0]
    reply = await world.does("pg_admin", action="setting", name="work_mem")
    reply.shows("work_mem", str(shown))


async def analyze_counts_the_rows(world: World) -> None:
    """Analyze a table: the planner's estimate is then the true count."""
    target = {"schema": world.schema, "table": "orders"}
    reply = await world.does("pg_admin", action="analyze", **target)
    reply.has_row(command="ANALYZE", table=f"{world.schema}.orders")

    reply = await world.query("SELECT reltuples FROM pg_class WHERE oid = '~.orders'::regclass")
    reply.has_rows(("4",))


async def vacuum_keeps_every_row(world: World) -> None:
    """Vacuum a table, outside transactions: its rows are all there."""
    target = {"schema": world.schema, "table": "customers"}
    reply = await world.does("pg_admin", action="vacuum", **target)
    reply.has_row(command="VACUUM", table=f"{world.schema}.customers")

    (await world.query("SELECT count(*) FROM ~.customers")).has_rows(("5",))


async def indexes_are_rebuilt(world: World) -> None:
    """Rebuild a table's indexes: they still find its rows."""
    target = {"schema": world.schema, "table": "orders"}
    (await world.does("pg_admin", action="reindex", **target)).shows(f"{world.schema}.orders")

    reply = await world.query("SELECT count(*) FROM ~.orders WHERE customer_id = 1")
    reply.has_rows(("2",))


async def a_role_is_made_and_given_rights(world: World) -> None:
    """Make a role, let it read a table and no longer, and drop it, confirmed."""
    role = world.schema
    if not await made(world, "create_role"):
        return
    sql = "SELECT has_table_privilege('~', '~.orders', 'SELECT')"
    right = {"privileges": ["SELECT"], "on": world.named("table ~.orders")}
    await world.does("pg_admin", action="grant", to=role, **right)
    (await world.query(sql)).has_rows(("t",))
    await world.does("pg_admin", action="revoke", to=role, **right)
    (await world.query(sql)).has_rows(("f",))

    await world.confirms("pg_admin", role, action="drop_role", name=role)

    (await world.does("pg_admin", action="roles")).hides(role)


async def a_database_is_made_and_dropped(world: World) -> None:
    """Make a database, read from it, and drop it, confirmed."""
    name = world.schema
    if not await made(world, "create_database"):
        return
    inside = await world.does("pg_query", sql="SELECT current_database()", database=name)
    inside.has_rows((name,))

    await world.confirms("pg_admin", name, action="drop_database", name=name)

    (await world.does("pg_admin", action="databases")).hides(name)


async def made(world: World, action: str) -> bool:
    """Carry out *action*; tell whether the login is allowed to."""
    reply = await world.call("pg_admin", action=action, name=world.schema)
    if reply.is_error:
        reply.shows("42501")  # insufficient_privilege
    return not reply.is_error


async def mistakes_are_named(world: World) -> None:
    """Ask for a setting and a session that do not exist: the answers name them."""
    await world.refuses("pg_admin", "work_memm", "work_mem", action="setting", name="work_memm")
    await world.refuses("pg_admin", "pid 1", action="terminate", pid=1)
    await world.refuses("pg_admin", "name", action="setting")


STEPS = (
    databases_and_roles_are_listed,
    extensions_are_listed,
    a_setting_is_shown,
    analyze_counts_the_rows,
    vacuum_keeps_every_row,
    indexes_are_rebuilt,
    a_role_is_made_and_given_rights,
    a_database_is_made_and_dropped,
    mistakes_are_named,
)
