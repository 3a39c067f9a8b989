"""Questions are answered once, in time, by whom they were put to, about what was asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pgmcp.errors import CallerError
from pgmcp.ledger import Owner
from pgmcp.questions import LIMIT, MOST, MOST_OF_ONE, Asked, Questions
from tests.conftest import HandClock

ANA, BOB = Owner(principal="key:ana"), Owner(principal="key:bob")


def asked(owner: Owner = ANA) -> Asked:
    return Asked(owner=owner, tool="pg_query", call="arguments", seal="what would happen")


def take(questions: Questions, name: str, **other: Any) -> str:  # Any: what is bound
    return questions.take(name, **{"owner": ANA, "tool": "pg_query", "call": "arguments", **other})


@pytest.fixture
def questions(clock: HandClock) -> Questions:
    return Questions(clock.clock)


def test_an_answer_gives_the_seal_once(questions: Questions) -> None:
    name = questions.put(asked())

    first = take(questions, name)
    with pytest.raises(CallerError):
        take(questions, name)

    assert first == "what would happen"


OTHERS = [
    pytest.param({"owner": BOB}, id="principal"),
    pytest.param({"owner": Owner(principal="key:ana", session="s")}, id="session"),
    pytest.param({"tool": "pg_schema"}, id="tool"),
    pytest.param({"call": "other arguments"}, id="arguments"),
]


@pytest.mark.parametrize("other", OTHERS)
def test_what_does_not_fit_is_refused_as_what_is_not_there(
    questions: Questions, other: dict[str, Any]
) -> None:
    name = questions.put(asked())

    with pytest.raises(CallerError) as unfit:
        take(questions, name, **other)
    with pytest.raises(CallerError) as unknown:
        take(questions, "q_" + "x" * 22)

    assert unfit.value.message == unknown.value.message
    assert take(questions, name) == "what would happen"


def test_a_question_expires(questions: Questions, clock: HandClock) -> None:
    name = questions.put(asked())

    clock.pass_seconds(LIMIT.total_seconds() + 1)

    with pytest.raises(CallerError, match="counts once, for 5 minutes"):
        take(questions, name)
    assert questions.count() == 0


def test_the_refusal_tells_the_limit(clock: HandClock) -> None:
    questions = Questions(clock.clock, limit=timedelta(seconds=30))

    with pytest.raises(CallerError, match="for 30 s,"):
        take(questions, "q_none")


def test_the_oldest_of_one_principal_goes_and_others_stay(questions: Questions) -> None:
    bobs = questions.put(asked(BOB))
    names = [questions.put(asked()) for _ in range(MOST_OF_ONE + 1)]

    with pytest.raises(CallerError):
        take(questions, names[0])

    assert take(questions, names[1]) == "what would happen"
    assert take(questions, bobs, owner=BOB) == "what would happen"


def test_there_are_never_more_than_a_bound(questions: Questions) -> None:
    names = [questions.put(asked(Owner(principal=f"key:{number}"))) for number in range(MOST + 10)]

    assert questions.count() == MOST
    assert take(questions, names[-1], owner=Owner(principal=f"key:{MOST + 9}"))


def test_names_are_long_and_never_the_same(questions: Questions) -> None:
    names = {questions.put(asked()) for _ in range(100)}

    assert len(names) == 100
    assert {len(name) for name in names} == {24}


def test_a_dropped_question_is_closed(questions: Questions) -> None:
    name = questions.put(asked())

    questions.drop(name)
    questions.drop(name)

    assert questions.count() == 0
