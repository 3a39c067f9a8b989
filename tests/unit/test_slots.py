"""The counts of connections and the queue for them, with real connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pgmcp.database.backend import Backend
from pgmcp.database.borrower import Place
from pgmcp.database.slots import Slots
from pgmcp.errors import Retryable, Unavailable
from pgmcp.settings import Pools
from tests.cluster import ThrowawayCluster
from tests.door import FIRST, OTHER, Door, queue

CAPS = {"per_database": 2, "total": 3, "wait": 1.5}


@pytest.fixture
def door(newest_cluster: ThrowawayCluster) -> Door:
    return Door(newest_cluster)


@pytest.fixture
async def slots() -> AsyncIterator[Slots]:
    made = Slots(Pools.model_validate({**CAPS, "reserved": 0}), transactions=10)
    yield made
    await made.close()


def lent(slots: Slots) -> dict[Place, int]:
    return {place: slots._shares.lent(place) for place in slots._shares._lent}


async def test_nothing_is_opened_before_it_is_taken(slots: Slots, door: Door) -> None:
    assert slots.pids() == set()

    backend = await slots.take(FIRST, door.to(FIRST))

    assert slots.pids() == {backend.pid}
    assert door.opened == [FIRST]


async def test_what_was_given_back_is_taken_again(slots: Slots, door: Door) -> None:
    backend = await slots.take(FIRST, door.to(FIRST))
    slots.give(backend)

    again = await slots.take(FIRST, door.to(FIRST))

    assert again is backend
    assert lent(slots) == {FIRST: 1}


async def test_a_closed_idle_connection_is_not_taken(slots: Slots, door: Door) -> None:
    backend = await slots.take(FIRST, door.to(FIRST))
    slots.give(backend)
    await backend.close()

    fresh = await slots.take(FIRST, door.to(FIRST))

    assert fresh is not backend
    assert slots.pids() == {fresh.pid}


async def test_more_than_the_cap_of_a_database_wait_and_are_told(slots: Slots, door: Door) -> None:
    for _ in range(2):
        await slots.take(FIRST, door.to(FIRST))

    with pytest.raises(Retryable) as caught:
        await slots.take(FIRST, door.to(FIRST))

    assert caught.value.message == (
        'all connections to database "postgres" are busy: 2 lent of 2, 2 open of 3 in all. '
        "Waited 1.5 s; try again."
    )
    assert not slots._queue


async def test_those_who_wait_are_served_in_order(slots: Slots, door: Door) -> None:
    held = [await slots.take(FIRST, door.to(FIRST)) for _ in range(2)]
    first = await queue(slots, door, FIRST)
    second = await queue(slots, door, FIRST)

    slots.give(held[1])
    slots.give(held[0])

    assert await first is held[1]
    assert await second is held[0]
    assert lent(slots) == {FIRST: 2}


async def test_who_comes_later_does_not_overtake_the_queue(slots: Slots, door: Door) -> None:
    held = [await slots.take(FIRST, door.to(FIRST)) for _ in range(2)]
    waiting = await queue(slots, door, FIRST)
    late = await queue(slots, door, FIRST)

    slots.forget(held[0])
    await held[0].close()

    fresh = await waiting
    assert not late.done()
    slots.give(held[1])
    assert await late is held[1]
    assert fresh not in held


async def test_the_connection_idle_for_longest_makes_room(slots: Slots, door: Door) -> None:
    old, young = [await slots.take(OTHER, door.to(OTHER)) for _ in range(2)]
    slots.give(old)
    slots.give(young)
    first = await slots.take(FIRST, door.to(FIRST))

    second = await slots.take(FIRST, door.to(FIRST))

    assert not old.is_open
    assert young.is_open
    assert slots.pids() == {young.pid, first.pid, second.pid}


async def test_a_full_house_waits_for_another_databases_connection(
    slots: Slots, door: Door
) -> None:
    """Given back by the other database it is idle, so it makes room at once."""
    others = [await slots.take(OTHER, door.to(OTHER)) for _ in range(2)]
    await slots.take(FIRST, door.to(FIRST))
    waiting = await queue(slots, door, FIRST)

    slots.give(others[0])

    backend = await waiting
    assert backend.place == FIRST
    assert not others[0].is_open
    assert len(slots.pids()) == 3


async def test_an_opener_that_fails_leaves_the_count_and_wakes_the_next(
    slots: Slots, door: Door
) -> None:
    async def refuse() -> Backend:
        await asyncio.sleep(0.01)
        raise Unavailable("no")

    held = await slots.take(FIRST, door.to(FIRST))
    failing = asyncio.create_task(slots.take(FIRST, refuse))
    await asyncio.sleep(0)
    waiting = await queue(slots, door, FIRST)

    with pytest.raises(Unavailable):
        await failing

    assert (await waiting) is not held
    assert lent(slots) == {FIRST: 2}


async def test_forgetting_a_lent_connection_frees_its_place(slots: Slots, door: Door) -> None:
    held = [await slots.take(FIRST, door.to(FIRST)) for _ in range(2)]
    waiting = await queue(slots, door, FIRST)
    await held[0].close()

    slots.forget(held[0])

    assert (await waiting).is_open
    assert lent(slots) == {FIRST: 2}


async def test_a_connection_forgotten_twice_is_counted_once(slots: Slots, door: Door) -> None:
    """A transaction may be ended by its call and from outside in the same moment."""
    ordinary = await slots.take(FIRST, door.to(FIRST))
    dedicated = await slots.open_dedicated(door.to(FIRST))
    await dedicated.close()

    slots.forget(dedicated)
    slots.forget(dedicated)

    assert lent(slots) == {FIRST: 1}
    assert slots.pids() == {ordinary.pid}


async def test_cancelled_while_it_waits_it_leaves_the_queue(slots: Slots, door: Door) -> None:
    held = [await slots.take(FIRST, door.to(FIRST)) for _ in range(2)]
    gone = await queue(slots, door, FIRST)
    stays = await queue(slots, door, FIRST)

    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    slots.give(held[0])

    assert await stays is held[0]
    assert lent(slots) == {FIRST: 2}


async def test_cancelled_in_the_moment_it_is_given_one_it_passes_it_on(
    slots: Slots, door: Door
) -> None:
    """The future has its result, and the task is cancelled before it wakes up."""
    held = [await slots.take(FIRST, door.to(FIRST)) for _ in range(2)]
    unlucky = await queue(slots, door, FIRST)
    lucky = await queue(slots, door, FIRST)

    slots.give(held[0])
    unlucky.cancel()

    assert await lucky is held[0]
    assert unlucky.cancelled() or (await asyncio.gather(unlucky, return_exceptions=True))
    assert lent(slots) == {FIRST: 2}


async def test_cancelled_in_the_moment_it_is_woken_it_wakes_the_next(
    slots: Slots, door: Door
) -> None:
    held = [await slots.take(FIRST, door.to(FIRST)) for _ in range(2)]
    unlucky = await queue(slots, door, FIRST)
    lucky = await queue(slots, door, FIRST)

    await held[0].close()
    slots.forget(held[0])
    unlucky.cancel()

    assert (await lucky).is_open
    assert lent(slots) == {FIRST: 2}


async def test_cancelled_while_it_opens_it_gives_its_place_back(slots: Slots, door: Door) -> None:
    opening = asyncio.create_task(slots.take(FIRST, door.to(FIRST)))
    await asyncio.sleep(0.002)

    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)

    assert lent(slots) == {}
    assert slots.pids() == set()
    assert slots._opening == 0


async def test_transactions_leave_room_for_single_calls(slots: Slots, door: Door) -> None:
    await slots.open_dedicated(door.to(FIRST))

    with pytest.raises(Retryable, match="1 transactions are open in all, the most allowed"):
        await slots.open_dedicated(door.to(FIRST))

    assert (await slots.take(FIRST, door.to(FIRST))).is_open


async def test_a_transaction_takes_the_place_of_an_idle_connection(
    slots: Slots, door: Door
) -> None:
    taken = [await slots.take(FIRST, door.to(FIRST)) for _ in range(2)]
    taken.append(await slots.take(OTHER, door.to(OTHER)))
    for backend in taken:
        slots.give(backend)

    dedicated = await slots.open_dedicated(door.to(FIRST))

    assert not taken[0].is_open
    assert slots.pids() == {taken[1].pid, taken[2].pid, dedicated.pid}


async def test_drain_closes_the_idle_connections_of_one_database(slots: Slots, door: Door) -> None:
    idle, used = [await slots.take(FIRST, door.to(FIRST)) for _ in range(2)]
    other = await slots.take(OTHER, door.to(OTHER))
    slots.give(idle)
    slots.give(other)

    await slots.drain(FIRST.database)

    assert (idle.is_open, used.is_open, other.is_open) == (False, True, True)
    assert slots.pids() == {used.pid, other.pid}


async def test_expire_closes_what_is_idle_since_before(slots: Slots, door: Door) -> None:
    old, young = [await slots.take(FIRST, door.to(FIRST)) for _ in range(2)]
    slots.give(old)
    slots.give(young)
    since = slots._idle[FIRST][1][0]

    await slots.expire(since)

    assert (old.is_open, young.is_open) == (False, True)


async def test_a_pool_without_connections_is_forgotten(slots: Slots, door: Door) -> None:
    """Databases come and go; a gateway that runs for months keeps nothing of them."""
    slots.give(await slots.take(FIRST, door.to(FIRST)))
    since = slots._idle[FIRST][0][0]

    await slots.expire(since + 1)

    assert slots._idle == {}
    assert lent(slots) == {}
