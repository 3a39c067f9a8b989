"""
The end-to-end scenario: what a person does with the five tools, over real HTTP.

Owns the order of the steps and the clean-up; needs a URL, and the `mcp` client to get there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

from tests.scenario import (
    admin_steps,
    monitor_steps,
    query_steps,
    refusal_steps,
    schema_steps,
    transaction_steps,
)
from tests.scenario.reply import ProtocolRefused, ScenarioFailed
from tests.scenario.world import Caller, World

type_of_step = Callable[[World], Awaitable[None]]

# The order matters: the first steps make the tables, the last find what the others left.
STEPS: tuple[type_of_step, ...] = (
    *schema_steps.STEPS,
    *query_steps.STEPS,
    *refusal_steps.STEPS,
    *transaction_steps.STEPS,
    *monitor_steps.STEPS,
    *admin_steps.STEPS,
)


async def play(caller: Caller, *, told: Callable[[str], None] = lambda _: None) -> int:
    """
    Play every step in a schema of its own, drop that schema, and return how many were played.

    *told* is called with the name of each step when it is done. The schema is dropped after a
    failure as well, and what a failing step left open ends by the gateway's limits.

    Raises:
        ScenarioFailed: the gateway did something else; names the step.
    """
    world = World(caller=caller)
    try:
        for step in STEPS:
            try:
                await step(world)
            except ScenarioFailed as error:
                raise ScenarioFailed(f"{step.__name__}: {error}") from error
            told(step.__name__)
    except BaseException:
        await sweep(world)
        raise
    await leave_nothing(world)
    told(leave_nothing.__name__)
    return len(STEPS) + 1


async def leave_nothing(world: World) -> None:
    """Drop the schema with what is in it, confirmed: nothing stays behind."""
    sql = world.named("DROP SCHEMA ~ CASCADE")
    await world.confirms("pg_schema", world.schema, action="drop", sql=sql)

    (await world.query(schema_steps.EXISTS)).has_rows(("0",))
    (await world.does("pg_tx", action="list")).hides("tx_")


async def sweep(world: World) -> None:
    """Drop what was made as well as that goes after a failure; answers do not matter."""
    name = world.schema
    sql = world.named("DROP SCHEMA IF EXISTS ~ CASCADE")
    with contextlib.suppress(ProtocolRefused):  # the failure itself is what has to be seen
        await world.call("pg_schema", action="drop", sql=sql, confirm=name)
        await world.call("pg_admin", action="drop_role", name=name, confirm=name)
        await world.call("pg_admin", action="drop_database", name=name, confirm=name)
