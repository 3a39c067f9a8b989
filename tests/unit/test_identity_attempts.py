"""How many wrong keys an address may send, by a clock that is moved by hand."""

from __future__ import annotations

from pgmcp.identity.attempts import ADDRESSES, MOST, Attempts
from tests.conftest import HandClock


def test_time_gives_new_attempts(clock: HandClock) -> None:
    attempts = Attempts(clock.clock)
    spent = [attempts.count("a").is_too_many for _ in range(MOST + 1)]

    clock.pass_seconds(attempts.count("a").retry_seconds)
    after = [attempts.count("a").is_too_many for _ in range(2)]

    assert spent == [False] * MOST + [True]
    assert after == [False, True]


def test_too_many_is_told_once_a_minute(clock: HandClock) -> None:
    attempts = Attempts(clock.clock)
    _ = [attempts.count("a") for _ in range(MOST)]

    told = [attempts.count("a").is_to_be_told for _ in range(50)]
    clock.pass_seconds(61)
    later = [attempts.count("a").is_to_be_told for _ in range(MOST + 50)]

    assert told.count(True) == 1
    assert later.count(True) == MOST + 1


def test_the_table_of_addresses_is_bounded(clock: HandClock) -> None:
    attempts = Attempts(clock.clock)

    _ = [attempts.count(str(number)) for number in range(3 * ADDRESSES)]

    assert len(attempts) == ADDRESSES
