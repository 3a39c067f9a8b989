"""
What a client is told when its human was asked, or should have been.

Owns these stories beside those of `stories`; a story's name is its file's in errors/.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from pgmcp.settings import load
from tests.human import NO, YES, Hand, Human, Person, human, serving
from tests.snapshots.world import DATABASE, World, story
from tests.wire import MODERN

DELETE: dict[str, Any] = {"sql": "DELETE FROM shop.emails", "mode": "write"}
ANOTHER = "CREATE TABLE shop.asked_{} (mail text REFERENCES shop.asked ON DELETE CASCADE)"


async def told(
    world: World, somebody: Human, *, limit: float | None = None, mode: str = "legacy"
) -> str:
    """Return what the client reads of a DELETE that *somebody* was asked about."""
    async with serving(load(environ=world.cluster.environment(DATABASE)), limit=limit) as served:
        return await Person(url=served.url, mode=mode, asked=somebody).refusal(**DELETE)


@story
async def asked_and_declined(world: World) -> str:
    return await told(world, human(NO), mode=MODERN)


@story
async def asked_and_closed(world: World) -> str:
    return await told(world, human({"action": "cancel"}))


@story
async def asked_without_an_answer(world: World) -> str:
    return await told(world, human(YES, meanwhile=partial(asyncio.sleep, 1)), limit=0.2)


@story
async def asked_by_a_client_that_cannot(world: World) -> str:
    return await told(world, human({"action": "perhaps"}))


@story
async def asked_while_everything_changes(world: World) -> str:
    other = await world.connect()
    await other.execute("CREATE TABLE shop.asked (mail text PRIMARY KEY)")
    somebody = human(*[YES] * 5)
    somebody.meanwhile.extend(partial(other.execute, ANOTHER.format(name)) for name in "abcde")
    async with serving(load(environ=world.cluster.environment(DATABASE))) as served:
        person = Person(url=served.url, mode="legacy", asked=somebody)
        text = await person.refusal(sql="DELETE FROM shop.asked", mode="write")
    await other.execute("DROP TABLE shop.asked CASCADE")
    await other.execute("".join(f"DROP TABLE shop.asked_{name};" for name in "abcde"))
    return text


@story
async def answered_what_nobody_asked(world: World) -> str:
    async with serving(load(environ=world.cluster.environment(DATABASE))) as served:
        answer = await Hand(url=served.url).call(DELETE, state="q_stolen", answer=YES)
    return answer.text
