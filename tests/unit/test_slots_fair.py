"""Who gets the next connection where several principals want one, with real connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pgmcp.database.slots import Slots
from pgmcp.errors import Busy, Retryable
from pgmcp.settings import Pools
from tests.cluster import ThrowawayCluster
from tests.door import FIRST, OTHER, Door, queue

CAPS = {"per_database": 2, "total": 8, "wait": 5, "reserved": 2}
BRIEF = {**CAPS, "wait": 0.1}


@pytest.fixture
def door(newest_cluster: ThrowawayCluster) -> Door:
    return Door(newest_cluster)


@pytest.fixture
async def slots(request: pytest.FixtureRequest) -> AsyncIterator[Slots]:
    """Make slots with the caps of the test's parameter."""
    made = Slots(Pools.model_validate(getattr(request, "param", CAPS)), transactions=5)
    yield made
    await made.close()


def with_caps(**caps: float) -> pytest.MarkDecorator:
    """Give a test slots with other caps."""
    return pytest.mark.parametrize("slots", [{**BRIEF, **caps}], indirect=True, ids=[""])


async def test_the_next_connection_goes_to_who_holds_fewest(slots: Slots, door: Door) -> None:
    anas = await slots.take(FIRST, door.to(FIRST), "ana")
    await slots.take(FIRST, door.to(FIRST), "bob")
    for _ in range(2):
        await slots.take(OTHER, door.to(OTHER), "ana")
    ana = await queue(slots, door, FIRST, "ana")
    bob = await queue(slots, door, FIRST, "bob")

    slots.give(anas)

    assert await bob is anas
    assert await ana is not anas  # she has none there now, so one beyond the cap


async def test_among_equals_who_came_first_is_served_first(slots: Slots, door: Door) -> None:
    held = [await slots.take(FIRST, door.to(FIRST), who) for who in ("ana", "bob")]
    tasks = [await queue(slots, door, FIRST, who) for who in ("bob", "ana", "bob")]

    other = await slots.take(OTHER, door.to(OTHER), "eve")
    slots.give(other)
    slots.give(held[0])  # ana's: now she holds none
    second = await tasks[1]

    assert not tasks[0].done()
    slots.give(second)
    await tasks[0]
    assert not tasks[2].done()
    tasks[2].cancel()


async def test_a_greedy_principal_keeps_nobody_waiting_in_its_place(
    slots: Slots, door: Door
) -> None:
    for _ in range(2):
        await slots.take(FIRST, door.to(FIRST), "greedy")
    waiting = [await queue(slots, door, FIRST, "greedy") for _ in range(3)]

    async with asyncio.timeout(2):
        polite = await slots.take(FIRST, door.to(FIRST), "polite")

    assert polite.is_open
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()


async def test_one_beyond_the_cap_is_one(slots: Slots, door: Door) -> None:
    for who in ("greedy", "greedy", "polite"):
        await slots.take(FIRST, door.to(FIRST), who)

    second = await queue(slots, door, FIRST, "polite")

    assert not second.done()
    second.cancel()


async def test_back_from_beyond_the_cap_a_connection_stays_idle(slots: Slots, door: Door) -> None:
    for who in ("greedy", "greedy"):
        await slots.take(FIRST, door.to(FIRST), who)
    waiting = await queue(slots, door, FIRST, "greedy")
    beyond = await slots.take(FIRST, door.to(FIRST), "polite")

    slots.give(beyond)
    await asyncio.sleep(0)

    assert not waiting.done()
    assert await slots.take(FIRST, door.to(FIRST), "polite") is beyond
    waiting.cancel()


@with_caps(per_database=7)
async def test_the_last_slots_are_kept_for_who_holds_fewer(slots: Slots, door: Door) -> None:
    for _ in range(6):
        await slots.take(FIRST, door.to(FIRST), "greedy")

    with pytest.raises(Busy):
        await slots.take(FIRST, door.to(FIRST), "greedy")

    first = await slots.take(OTHER, door.to(OTHER), "polite")
    with pytest.raises(Busy):  # with one of its own, it leaves the very last to others
        await slots.take(OTHER, door.to(OTHER), "polite")
    last = await slots.take(OTHER, door.to(OTHER), "third")
    assert first.is_open
    assert last.is_open
    assert slots.busy == 8


@with_caps(per_database=7)
async def test_transactions_do_not_take_the_last_slots_either(slots: Slots, door: Door) -> None:
    for _ in range(4):
        await slots.take(FIRST, door.to(FIRST), "greedy")
    for _ in range(1):
        await slots.open_dedicated(door.to(FIRST), "greedy")

    with pytest.raises(Retryable):
        await slots.open_dedicated(door.to(FIRST), "greedy")

    assert (await slots.take(OTHER, door.to(OTHER), "polite")).is_open


@with_caps()
async def test_one_principal_cannot_have_all_transactions(slots: Slots, door: Door) -> None:
    for _ in range(3):
        await slots.open_dedicated(door.to(FIRST), "greedy")

    with pytest.raises(Retryable) as caught:
        await slots.open_dedicated(door.to(FIRST), "greedy")

    assert caught.value.message == (
        "3 transactions are open in all, 3 of them yours; the last of the 5 are kept for others. "
        "Finish one (pg_tx action=list), or try again later."
    )
    for who in ("polite", "third"):
        assert (await slots.open_dedicated(door.to(FIRST), who)).is_open
    with pytest.raises(Retryable, match="5 transactions are open in all, the most allowed"):
        await slots.open_dedicated(door.to(FIRST), "fourth")


async def test_a_transaction_that_ends_makes_room_for_another(slots: Slots, door: Door) -> None:
    open_now = [await slots.open_dedicated(door.to(FIRST), "greedy") for _ in range(3)]
    await open_now[0].close()
    slots.forget(open_now[0])
    slots.forget(open_now[0])

    assert (await slots.open_dedicated(door.to(FIRST), "greedy")).is_open
    assert slots.busy == 3


@with_caps(total=3, per_database=2, reserved=1, wait=5)
async def test_a_place_is_closed_for_a_principal_that_holds_none_elsewhere(
    slots: Slots, door: Door
) -> None:
    """What a greedy one gives back in a full house goes to another's database, not to itself."""
    held = [await slots.take(FIRST, door.to(FIRST), "greedy") for _ in range(2)]
    await slots.take(OTHER, door.to(OTHER), "eve")
    waiting = await queue(slots, door, FIRST, "greedy")
    polite = await queue(slots, door, OTHER, "polite")

    slots.give(held[0])

    assert (await polite).place == OTHER
    assert not held[0].is_open
    assert not waiting.done()
    waiting.cancel()


@pytest.mark.parametrize("moment", range(6))
async def test_cancelled_at_any_moment_nothing_stays_counted(
    slots: Slots, door: Door, moment: int
) -> None:
    held = [await slots.take(FIRST, door.to(FIRST), "ana") for _ in range(2)]
    tasks = [asyncio.create_task(slots.take(FIRST, door.to(FIRST), "ana")) for _ in range(3)]
    tasks += [asyncio.create_task(slots.open_dedicated(door.to(FIRST), "ana")) for _ in range(2)]
    await asyncio.sleep(0)
    for backend in held[:1]:
        slots.give(backend)
    for _ in range(moment):
        await asyncio.sleep(0.001)

    for task in tasks:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    kept = [backend for backend in outcomes if not isinstance(backend, BaseException)]
    for backend in (*kept, *held[1:]):
        await backend.close()
        slots.forget(backend)
    assert slots.busy == 0
    assert not slots._queue
    assert not slots._shares._held
    assert not slots._shares._lent
    assert not slots._shares._transactions
