"""
Errors of limits: too many calls, statements or transactions of one caller, or of all.

Owns these stories beside those of `stories`; a story's name is its file's in errors/.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from pgmcp.settings import load
from tests.asking import Asker
from tests.snapshots.stories import small_gateway
from tests.snapshots.world import DATABASE, World, story


async def limited_gateway(world: World, **limits: int) -> Asker:
    """Open a gateway with other limits, where nobody waits long."""
    settings = load(environ=world.cluster.environment(DATABASE))
    changed = {
        "limits": settings.limits.model_copy(update=limits),
        "pools": settings.pools.model_copy(update={"wait": timedelta(seconds=0.1)}),
    }
    return await world.gateway(settings.model_copy(update=changed))


@story
async def calls_faster_than_allowed(world: World) -> str:
    gateway = await limited_gateway(world, calls_per_minute=1)
    await gateway.text(sql="SELECT 1")
    return await gateway.refusal(sql="SELECT 1")


@story
async def calls_at_once_more_than_allowed(world: World) -> str:
    gateway = await limited_gateway(world, running=1)
    slow = asyncio.create_task(gateway.text(sql="SELECT pg_sleep(0.5)"))
    await asyncio.sleep(0.1)
    text = await gateway.refusal(sql="SELECT 1")
    await slow
    return text


@story
async def tx_too_many_in_all_sessions(world: World) -> str:
    """Begin in a second MCP session, eight being open in the first."""
    gateway = await world.gateway()
    for _ in range(8):
        await gateway.text("pg_tx", action="begin")
    second = Asker(gateway.gateway, "another")
    for _ in range(4):
        await second.text("pg_tx", action="begin")
    return await second.refusal("pg_tx", action="begin")


@story
async def tx_the_last_kept_for_others(world: World) -> str:
    gateway = await small_gateway(world, per_database=3, total=8, reserved=2)
    for _ in range(3):
        await gateway.text("pg_tx", action="begin")
    return await gateway.refusal("pg_tx", action="begin")
