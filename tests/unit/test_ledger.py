"""Which transactions are open, whose they are, and what is remembered of the others."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest

from pgmcp.clock import Clock
from pgmcp.errors import HandleUnknown
from pgmcp.ledger import TOMBSTONES, Ledger, Owner, Transaction, short

if TYPE_CHECKING:
    from pgmcp.database.backend import Backend

ANA = Owner(principal="ana", session="one")
BOB = Owner(principal="bob", session="one")


class Watch:
    """Tell the time that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.day = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
        self.clock = Clock(monotonic=lambda: self.seconds, now=lambda: self.day)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def ledger(watch: Watch) -> Ledger:
    return Ledger(watch.clock, keep=timedelta(hours=1))


def transaction(handle: str, owner: Owner = ANA) -> Transaction:
    """Return a transaction that nothing is done in; the ledger never touches its connection."""
    return Transaction(
        handle=handle,
        owner=owner,
        database="app",
        mode="write",
        isolation="read committed",
        backend=cast("Backend", None),
        began=datetime(2026, 11, 23, tzinfo=UTC),
        began_monotonic=0.0,
        used=0.0,
    )


def handle_of(letter: str) -> str:
    return "tx_" + letter * 22


def test_the_owner_finds_what_was_entered(ledger: Ledger) -> None:
    entered = transaction(handle_of("a"))
    ledger.add(entered)

    assert ledger.find(ANA, handle_of("a")) is entered
    assert ledger.of(ANA) == [entered]
    assert ledger.is_open(entered)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(BOB, id="another principal"),
        pytest.param(Owner(principal="ana", session="two"), id="another session"),
        pytest.param(Owner(principal="ana"), id="no session"),
    ],
)
def test_for_others_it_is_as_if_it_did_not_exist(ledger: Ledger, other: Owner) -> None:
    ledger.add(transaction(handle_of("a")))
    words = (
        f"no open transaction of yours has session_id {short(handle_of('a'))}. "
        "pg_tx action=list shows yours; action=begin starts one."
    )

    with pytest.raises(HandleUnknown, match=re.escape(words)):
        ledger.find(other, handle_of("a"))
    with pytest.raises(HandleUnknown, match=re.escape(words)):
        ledger.find(other, handle_of("a"), by_beginning=True)

    assert ledger.of(other) == []


def test_a_closed_one_says_how_and_when_it_ended(ledger: Ledger) -> None:
    closed = transaction(handle_of("a"))
    ledger.add(closed)
    ledger.close(closed, "was rolled back after 5 minutes idle")

    words = (
        "transaction tx_aaaaa… was rolled back after 5 minutes idle at 14:02 UTC. "
        "Start again with pg_tx action=begin."
    )
    with pytest.raises(HandleUnknown, match=re.escape(words)):
        ledger.find(ANA, handle_of("a"))
    assert not ledger.is_open(closed)
    assert ledger.all() == []


def test_the_first_reason_of_an_end_stays(ledger: Ledger) -> None:
    closed = transaction(handle_of("a"))
    ledger.add(closed)
    ledger.close(closed, "was committed")
    ledger.close(closed, "was rolled back by you")

    with pytest.raises(HandleUnknown, match="was committed"):
        ledger.find(ANA, handle_of("a"))


def test_a_tombstone_tells_its_owner_only(ledger: Ledger) -> None:
    closed = transaction(handle_of("a"))
    ledger.add(closed)
    ledger.close(closed, "was committed")

    with pytest.raises(HandleUnknown, match="no open transaction of yours"):
        ledger.find(BOB, handle_of("a"))


def test_a_tombstone_lasts_as_long_as_it_is_kept(ledger: Ledger, watch: Watch) -> None:
    closed = transaction(handle_of("a"))
    ledger.add(closed)
    ledger.close(closed, "was committed")

    watch.seconds = 3600
    ledger.expire()
    with pytest.raises(HandleUnknown, match="was committed"):
        ledger.find(ANA, handle_of("a"))

    watch.seconds = 3600.1
    ledger.expire()
    with pytest.raises(HandleUnknown, match="no open transaction of yours"):
        ledger.find(ANA, handle_of("a"))


def test_tombstones_do_not_pile_up(ledger: Ledger) -> None:
    for number in range(TOMBSTONES + 5):
        one = transaction(f"tx_{number:022}")
        ledger.add(one)
        ledger.close(one, "was committed")

    assert len(ledger._tombstones) == TOMBSTONES
    with pytest.raises(HandleUnknown, match="no open transaction of yours"):
        ledger.find(ANA, f"tx_{4:022}")
    with pytest.raises(HandleUnknown, match="was committed"):
        ledger.find(ANA, f"tx_{5:022}")


def test_a_unique_beginning_of_eight_characters_is_enough_where_allowed(ledger: Ledger) -> None:
    mine, others = transaction(handle_of("a")), transaction("tx_aaaab" + "b" * 17, BOB)
    ledger.add(mine)
    ledger.add(others)

    assert ledger.find(ANA, "tx_aaaaa", by_beginning=True) is mine
    with pytest.raises(HandleUnknown):
        ledger.find(ANA, "tx_aaaa", by_beginning=True)
    with pytest.raises(HandleUnknown):
        ledger.find(ANA, "tx_aaaab", by_beginning=True)
    with pytest.raises(HandleUnknown):
        ledger.find(ANA, "tx_aaaaa")


def test_a_beginning_that_fits_two_finds_neither(ledger: Ledger) -> None:
    ledger.add(transaction("tx_aaaaa" + "b" * 17))
    ledger.add(transaction("tx_aaaaa" + "c" * 17))

    with pytest.raises(HandleUnknown):
        ledger.find(ANA, "tx_aaaaa", by_beginning=True)


@pytest.mark.parametrize("handle", ["", "tx_", "%", "tx_" + "A" * 10_000, "tx_\0" + "a" * 21])
def test_an_odd_handle_is_unknown_and_shown_short(ledger: Ledger, handle: str) -> None:
    ledger.add(transaction(handle_of("a")))

    with pytest.raises(HandleUnknown) as caught:
        ledger.find(ANA, handle, by_beginning=True)

    assert len(caught.value.message) < 200


def test_the_end_of_a_session_names_what_it_left_open(ledger: Ledger) -> None:
    mine, others = transaction(handle_of("a")), transaction(handle_of("b"), Owner(principal="ana"))
    ledger.add(mine)
    ledger.add(others)

    assert ledger.end_session("one") == [mine]


def test_nothing_begins_for_a_session_that_has_ended(ledger: Ledger, watch: Watch) -> None:
    ledger.end_session("one")
    before = ledger.has_ended(ANA)

    watch.seconds = 3601
    ledger.expire()

    assert before
    assert not ledger.has_ended(Owner(principal="ana"))
    assert not ledger.has_ended(ANA)  # forgotten: its name is random and never comes again
