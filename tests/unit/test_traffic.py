"""What each caller may have under way over HTTP, with a clock that is moved."""

from __future__ import annotations

import pytest
from starlette.types import Receive, Scope, Send

from pgmcp.identity import Refused
from pgmcp.settings import Http
from pgmcp.traffic import Traffic, Visit
from tests.conftest import HandClock

SETTINGS = Http(requests_per_caller=5, sessions_per_caller=2, max_body_bytes=1024)


async def nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Be an application that answers nothing."""


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def traffic(clock: HandClock) -> Traffic:
    return Traffic(nothing, SETTINGS, clock.clock)


def enter(traffic: Traffic, who: str = "ana", session: str = "", *, opens: bool = False) -> Visit:
    return traffic.enter(who, session, opens=opens)


def open_session(traffic: Traffic, name: str, who: str = "ana") -> None:
    """Open an MCP session with a request that then ends."""
    visit = enter(traffic, who, opens=True)
    traffic.opened(visit, name)
    traffic.leave(visit)


def test_more_requests_than_allowed_are_refused_until_one_ends(traffic: Traffic) -> None:
    visits = [enter(traffic) for _ in range(5)]

    with pytest.raises(Refused) as caught:
        enter(traffic)

    assert (caught.value.status, caught.value.headers) == (429, {"Retry-After": "1"})
    assert caught.value.sentence == (
        "5 requests of yours are under way, the most allowed at once. Close streams that you do "
        "not need, or try again in a moment."
    )
    enter(traffic, "bob")
    traffic.leave(visits[0])
    enter(traffic)


def test_who_has_left_is_forgotten(traffic: Traffic) -> None:
    visits = [enter(traffic, f"caller{number}", opens=True) for number in range(50)]
    for visit in visits:
        traffic.receive(visit, 100)
        traffic.leave(visit)

    assert not traffic._requests
    assert not traffic._bodies
    assert not traffic._opening


def test_sessions_of_one_caller_are_bounded_and_another_opens_one(traffic: Traffic) -> None:
    open_session(traffic, "one")
    open_session(traffic, "two")

    with pytest.raises(Refused) as caught:
        enter(traffic, opens=True)

    assert caught.value.sentence == (
        "2 MCP sessions of yours are open, the most allowed. End those that you do not need with "
        "DELETE; an unused one ends after 30 minutes."
    )
    enter(traffic, "bob", opens=True)
    enter(traffic)  # what opens none goes on


def test_those_that_are_being_opened_count(traffic: Traffic) -> None:
    visits = [enter(traffic, opens=True) for _ in range(2)]

    with pytest.raises(Refused):
        enter(traffic, opens=True)

    traffic.leave(visits[0])
    enter(traffic, opens=True)


def test_a_session_that_ends_makes_room(traffic: Traffic) -> None:
    open_session(traffic, "one")
    open_session(traffic, "two")
    visit = enter(traffic, session="one")

    traffic.ended(visit)
    traffic.leave(visit)

    enter(traffic, opens=True)


def test_somebody_else_ends_no_session_by_its_name(traffic: Traffic) -> None:
    open_session(traffic, "one")
    open_session(traffic, "two")

    traffic.ended(enter(traffic, "bob", "one"))

    with pytest.raises(Refused):
        enter(traffic, opens=True)


def test_an_unused_session_is_forgotten_when_the_sdk_ends_it(
    traffic: Traffic, clock: HandClock
) -> None:
    open_session(traffic, "one")
    open_session(traffic, "two")
    clock.pass_seconds(SETTINGS.session_idle.total_seconds() - 1)
    traffic.leave(enter(traffic, session="two"))

    clock.pass_seconds(2)

    enter(traffic, opens=True)
    assert list(traffic._sessions) == ["two"]


def test_an_open_stream_keeps_its_session(traffic: Traffic, clock: HandClock) -> None:
    open_session(traffic, "one")
    open_session(traffic, "two")
    enter(traffic, session="one")
    clock.pass_seconds(100_000)

    enter(traffic, opens=True)

    assert list(traffic._sessions) == ["one"]


def test_bodies_of_one_caller_are_bounded_together(traffic: Traffic) -> None:
    visits = [enter(traffic) for _ in range(5)]
    for visit in visits[:4]:
        traffic.receive(visit, 2 * SETTINGS.max_body_bytes)

    with pytest.raises(Refused) as caught:
        traffic.receive(visits[4], 1)

    assert caught.value.sentence == (
        "the bodies of your requests under way are above 8192 bytes together, the most allowed at "
        "once. Send fewer at a time."
    )
    traffic.receive(enter(traffic, "bob"), 1024)
    traffic.leave(visits[0])
    traffic.receive(visits[4], 1)
