"""
Errors that need more than one call, another gateway or somebody else.

Owns the stories; a story's name is its file's in errors/.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pgmcp.settings import load
from pgmcp.tools import query
from tests.asking import Asker, text_of
from tests.snapshots.world import DATABASE, World, story


@story
async def tx_aborted_by_an_error(world: World) -> str:
    handle = await world.begin(mode="write")
    return await world.refusal(sql="SELECT 1 / 0", session_id=handle)


@story
async def tx_used_after_an_error(world: World) -> str:
    handle = await world.begin(mode="write")
    await world.refusal(sql="SELECT 1 / 0", session_id=handle)
    return await world.refusal(sql="SELECT 1", session_id=handle)


@story
async def tx_commit_after_an_error(world: World) -> str:
    handle = await world.begin(mode="write")
    await world.refusal(sql="SELECT 1 / 0", session_id=handle)
    return await world.refusal("pg_tx", action="commit", session_id=handle)


@story
async def tx_refused_but_open(world: World) -> str:
    """Send what never reaches PostgreSQL: the transaction stays as it is."""
    handle = await world.begin(mode="write")
    return await world.refusal(sql="DELETE FROM shop.emails", session_id=handle)


@story
async def tx_used_after_rollback(world: World) -> str:
    handle = await world.begin()
    await world.asker.text("pg_tx", action="rollback", session_id=handle)
    return await world.refusal(sql="SELECT 1", session_id=handle)


@story
async def tx_used_after_commit(world: World) -> str:
    handle = await world.begin()
    await world.asker.text("pg_tx", action="commit", session_id=handle)
    return await world.refusal("pg_tx", action="commit", session_id=handle)


@story
async def tx_of_somebody_else(world: World) -> str:
    handle = await world.begin()
    return await Asker(world.asker.gateway, "another").refusal(sql="SELECT 1", session_id=handle)


@story
async def tx_write_in_a_reading_one(world: World) -> str:
    handle = await world.begin(mode="read")
    return await world.refusal(sql="INSERT INTO shop.emails VALUES (1)", session_id=handle)


@story
async def tx_definition_in_a_writing_one(world: World) -> str:
    handle = await world.begin(mode="write")
    sql = "CREATE TABLE shop.x (a int)"
    return await world.refusal("pg_schema", action="create", sql=sql, session_id=handle)


@story
async def tx_with_another_database(world: World) -> str:
    handle = await world.begin()
    return await world.refusal(sql="SELECT 1", session_id=handle, database="postgres")


@story
async def tx_unknown_savepoint(world: World) -> str:
    handle = await world.begin()
    await world.asker.text("pg_tx", action="savepoint", session_id=handle, name="a")
    return await world.refusal("pg_tx", action="rollback_to", session_id=handle, name="b")


@story
async def tx_explain_analyze_inside(world: World) -> str:
    handle = await world.begin()
    return await world.refusal(sql="SELECT 1", session_id=handle, explain="analyze")


@story
async def tx_deferred_violation_at_commit(world: World) -> str:
    handle = await world.begin(mode="write")
    sql = "UPDATE shop.orders SET placed = '2024-01-02' WHERE id IN (5, 6)"
    await world.asker.text(sql=sql, session_id=handle)
    return await world.refusal("pg_tx", action="commit", session_id=handle)


@story
async def tx_undefined_table_in_another_database(world: World) -> str:
    """Expect the names of the transaction's database, not of the default one."""
    gateway = await world.gateway(PGDATABASE="postgres")
    begun = await gateway.ask("pg_tx", action="begin", database=DATABASE)
    assert begun.structured_content is not None
    handle = begun.structured_content["session_id"]
    return await gateway.refusal(sql="SELECT * FROM shop.ordrs", session_id=handle)


@story
async def tx_too_many(world: World) -> str:
    gateway = await world.gateway()
    for _ in range(8):
        await gateway.text("pg_tx", action="begin")
    return await gateway.refusal("pg_tx", action="begin")


@story
async def tx_busy(world: World) -> str:
    handle = await world.begin()
    slow = asyncio.create_task(world.asker.text(sql="SELECT pg_sleep(1)", session_id=handle))
    await asyncio.sleep(0.1)
    text = await world.refusal(sql="SELECT 1", session_id=handle, timeout_seconds=0.2)
    await slow
    return text


@story
async def tx_serialization_failure(world: World) -> str:
    handle = await world.begin(mode="write", isolation="repeatable read")
    await world.asker.text(sql="SELECT * FROM shop.orders WHERE id = 1", session_id=handle)
    await world.asker.text(sql="UPDATE shop.orders SET total = 5 WHERE id = 1", mode="write")
    sql = "UPDATE shop.orders SET total = 6 WHERE id = 1"
    return await world.refusal(sql=sql, session_id=handle)


@story
async def tx_lost_connection(world: World) -> str:
    handle = await world.begin()
    sql = "SELECT pg_sleep(20) AS lost"
    call = asyncio.create_task(world.refusal(sql=sql, session_id=handle))
    other = await world.connect()
    find = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE $1"
    async with asyncio.timeout(10):
        while not call.done():
            await other.fetch(f"{find} AND pid <> pg_backend_pid()", "%20) AS lost%")
            await asyncio.sleep(0.05)
    return await call


@story
async def lock_timeout(world: World) -> str:
    settings = load(environ=world.cluster.environment(DATABASE))
    limits = settings.limits.model_copy(update={"lock_timeout": settings.limits.timeout / 300})
    gateway = await world.gateway(settings.model_copy(update={"limits": limits}))
    other = await world.connect()
    async with other.transaction():
        await other.execute("LOCK TABLE shop.emails")
        return await gateway.refusal(sql="SELECT * FROM shop.emails")


@story
async def cancelled_by_somebody(world: World) -> str:
    other = await world.connect()
    call = asyncio.create_task(world.refusal(sql="SELECT pg_sleep(20) AS mine"))
    find = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%20) AS mine%'"
    async with asyncio.timeout(10):
        while not call.done():
            await other.fetch(f"{find} AND pid <> pg_backend_pid()")
            await asyncio.sleep(0.05)
    return await call


@story
async def pool_exhausted(world: World) -> str:
    settings = load(environ=world.cluster.environment(DATABASE))
    pools = settings.pools.model_copy(update={"per_database": 1, "wait": settings.pools.wait / 50})
    gateway = await world.gateway(settings.model_copy(update={"pools": pools}))
    slow = asyncio.create_task(gateway.text(sql="SELECT pg_sleep(0.6)"))
    await asyncio.sleep(0.2)
    text = await gateway.refusal(sql="SELECT 1")
    await slow
    return text


async def small_gateway(world: World, **pools: int) -> Asker:
    """Open a gateway with few connections."""
    settings = load(environ=world.cluster.environment(DATABASE))
    few = settings.pools.model_copy(update={**pools, "wait": timedelta(seconds=0.1)})
    return await world.gateway(settings.model_copy(update={"pools": few}))


@story
async def tx_too_many_in_all(world: World) -> str:
    gateway = await small_gateway(world, per_database=3, total=6, reserved=0)
    for _ in range(3):
        await gateway.text("pg_tx", action="begin")
    return await gateway.refusal("pg_tx", action="begin")


@story
async def tx_no_connection_free(world: World) -> str:
    gateway = await small_gateway(world, per_database=1, total=3, reserved=0)
    await gateway.text("pg_tx", action="begin")
    sql = "SELECT pg_sleep(0.5)"
    slow = [
        asyncio.create_task(gateway.text(sql=sql, database=name)) for name in (DATABASE, "postgres")
    ]
    await asyncio.sleep(0.2)
    text = await gateway.refusal("pg_tx", action="begin")
    await asyncio.gather(*slow)
    return text


@story
async def broken_text(world: World) -> str:
    """Read from a database without an encoding, which holds any bytes."""
    name = "errors_ascii"
    await world.cluster.execute(
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"
    )
    world.stack.push_async_callback(world.cluster.drop_database, name)
    gateway = await world.gateway(PGDATABASE=name)
    return await gateway.refusal(sql="SELECT convert_from('\\xff', 'SQL_ASCII')")


@story
async def incident(world: World) -> str:
    """Meet a bug: it has a number and no traceback."""

    async def fail(_call: object, _params: Any) -> Any:  # Any: a tool's own
        raise ZeroDivisionError("secret: hunter2")

    asker = Asker(world.asker.gateway)
    asker._tools["pg_query"] = replace(query.TOOL, run=fail)
    return text_of(await asker.ask(sql="SELECT 1"))
