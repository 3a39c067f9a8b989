"""How many calls a caller may make in a minute and run at once, with a clock that is moved."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from pgmcp.access import Access
from pgmcp.errors import Retryable
from pgmcp.identity import Caller
from pgmcp.quota import LINE, PRINCIPALS, Quota
from tests.conftest import HandClock

WAIT = timedelta(seconds=0.1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def quota(clock: HandClock) -> Quota:
    return Quota(clock.clock, wait=WAIT)


def access(name: str = "ana", *, running: int = 2, per_minute: int | None = None) -> Access:
    """Return what one caller may do."""
    caller = Caller(principal=f"key:{name}")
    return Access(caller=caller, is_ruled=False, running=running, calls_per_minute=per_minute)


def counted(quota: Quota, caller: Access) -> bool:
    """Tell whether one more call is let through."""
    try:
        quota.count(caller)
    except Retryable:
        return False
    return True


class Running:
    """Run calls that last until they are ended."""

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.begun: list[str] = []

    async def start(self, name: str, caller: Access) -> asyncio.Task[None]:
        """Start a call, which may have to wait for its turn."""
        task = asyncio.create_task(self._run(name, caller))
        await asyncio.sleep(0)
        return task

    async def _run(self, name: str, caller: Access) -> None:
        if (turn := self.quota.begin(caller)) is not None:
            await turn
        try:
            self.begun.append(name)
            await asyncio.Event().wait()
        finally:
            self.quota.end(caller)


@pytest.fixture
def running(quota: Quota) -> Running:
    return Running(quota)


async def end(task: asyncio.Task[None]) -> None:
    """Cancel a call, and let whoever waited begin."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def is_empty(quota: Quota) -> bool:
    """Tell whether nothing is counted as running or waiting."""
    return not quota._running and not quota._lines


def test_without_a_limit_nothing_is_counted(quota: Quota) -> None:
    assert all(counted(quota, access()) for _ in range(1000))
    assert quota._buckets == {}


def test_a_minutes_amount_may_be_made_at_once_and_no_more(quota: Quota) -> None:
    caller = access(per_minute=5)

    assert [counted(quota, caller) for _ in range(7)] == [True] * 5 + [False] * 2


def test_the_refusal_says_what_is_allowed_and_when_to_come_back(quota: Quota) -> None:
    caller = access(per_minute=4)
    assert all(counted(quota, caller) for _ in range(4))

    with pytest.raises(Retryable) as caught:
        quota.count(caller)

    assert caught.value.message == (
        "your calls come faster than 4, the most allowed in a minute; try again in 15 s. "
        "Nothing was done."
    )


def test_who_comes_back_when_told_is_let_through_once(quota: Quota, clock: HandClock) -> None:
    caller = access(per_minute=4)
    assert all(counted(quota, caller) for _ in range(4))

    clock.pass_seconds(15)

    assert [counted(quota, caller), counted(quota, caller)] == [True, False]


def test_a_refused_call_costs_nothing(quota: Quota, clock: HandClock) -> None:
    caller = access(per_minute=4)
    asked = [counted(quota, caller) for _ in range(100)]

    clock.pass_seconds(15)

    assert asked.count(True) == 4
    assert counted(quota, caller)


def test_a_quiet_hour_saves_up_no_more_than_a_minute(quota: Quota, clock: HandClock) -> None:
    caller = access(per_minute=3)
    assert counted(quota, caller)
    clock.pass_seconds(3600)

    assert [counted(quota, caller) for _ in range(4)] == [True, True, True, False]


def test_callers_are_counted_apart(quota: Quota) -> None:
    assert counted(quota, access("ana", per_minute=1))
    assert not counted(quota, access("ana", per_minute=1))
    assert counted(quota, access("bob", per_minute=1))


def test_the_table_of_callers_is_bounded(quota: Quota) -> None:
    for number in range(PRINCIPALS + 50):
        quota.count(access(f"caller{number}", per_minute=1))

    assert len(quota._buckets) == PRINCIPALS


async def test_more_than_may_run_wait_in_the_order_they_came(
    quota: Quota, running: Running
) -> None:
    calls = [await running.start(name, access()) for name in "abcd"]
    before = list(running.begun)

    await end(calls[1])
    await end(calls[0])

    assert before == ["a", "b"]
    assert running.begun == ["a", "b", "c", "d"]
    await end(calls[2])
    await end(calls[3])
    assert is_empty(quota)


async def test_who_waits_too_long_is_told_and_leaves_no_trace(
    quota: Quota, running: Running
) -> None:
    calls = [await running.start(name, access()) for name in "ab"]

    with pytest.raises(Retryable) as caught:
        await (await running.start("c", access()))

    assert caught.value.message == (
        "2 calls of yours are running, the most allowed at once. Waited 0.1 s for one to end; try "
        "again. Nothing was done."
    )
    await end(calls[0])
    await end(calls[1])
    assert running.begun == ["a", "b"]
    assert is_empty(quota)


async def test_who_comes_late_does_not_overtake_the_line(running: Running) -> None:
    one = access(running=1)
    first = await running.start("a", one)
    waiting = await running.start("b", one)

    first.cancel()
    late = await running.start("c", one)
    await asyncio.sleep(0)

    assert running.begun == ["a", "b"]
    await end(waiting)
    assert running.begun == ["a", "b", "c"]
    await end(late)


async def test_another_caller_does_not_wait(running: Running) -> None:
    calls = [await running.start(name, access()) for name in "abc"]

    other = await running.start("other", access("bob"))

    assert "other" in running.begun
    for call in [*calls, other]:
        await end(call)


async def test_cancelled_in_line_it_passes_nothing_on_and_keeps_nothing(
    quota: Quota, running: Running
) -> None:
    one = access(running=1)
    first = await running.start("a", one)
    impatient = await running.start("b", one)
    patient = await running.start("c", one)

    await end(impatient)
    await end(first)

    assert running.begun == ["a", "c"]
    await end(patient)
    assert is_empty(quota)


async def test_cancelled_in_the_moment_of_its_turn_it_passes_it_on(
    quota: Quota, running: Running
) -> None:
    one = access(running=1)
    first = await running.start("a", one)
    unlucky = await running.start("b", one)
    lucky = await running.start("c", one)
    quota._leave("key:ana", 1)  # the first one's end, in the same step as what follows
    quota._running["key:ana"] += 1

    unlucky.cancel()
    await end(first)

    assert running.begun == ["a", "c"]
    await end(lucky)


async def test_cancelled_in_the_moment_before_its_turn_it_is_only_cancelled(
    quota: Quota, running: Running
) -> None:
    one = access(running=1)
    first = await running.start("a", one)
    unlucky = await running.start("b", one)
    lucky = await running.start("c", one)

    first.cancel()
    unlucky.cancel()
    outcomes = await asyncio.gather(first, unlucky, return_exceptions=True)
    await asyncio.sleep(0)

    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2
    assert running.begun == ["a", "c"]
    await end(lucky)
    assert is_empty(quota)


async def test_a_line_that_is_too_long_takes_nobody_more(quota: Quota, running: Running) -> None:
    one = access(running=1)
    slow = Quota(quota._clock, wait=timedelta(seconds=30))
    running.quota = slow
    calls = [await running.start(str(number), one) for number in range(LINE + 1)]

    with pytest.raises(Retryable, match=r"Waited 0 s for one to end"):
        await asyncio.wait_for(await running.start("beyond", one), 1)

    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert is_empty(slow)
