"""Whatever text arrives, the gate answers it or refuses it with a sentence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pgmcp.errors import CallerError, QueryFailed
from pgmcp.statement import Parser
from tests.fuzz.grammar import CHANGES, LEAF, nested, reads, spelled_calls
from tests.fuzz.texts import bounded, mutated


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    made = Parser(max_bytes=64_000)
    yield made
    made.close()


@bounded(1200)
@given(sql=st.one_of(mutated(), mutated(), st.text(), reads()))
async def test_any_text_is_judged_or_refused(parser: Parser, sql: str) -> None:
    """Another exception than these would be a bug, and fail here."""
    try:
        statements = await parser.parse(sql)
    except (CallerError, QueryFailed):
        statements = ()

    assert all(found.tool is not None or found.refusal for found in statements)
    assert all(found.sql in sql for found in statements)


@bounded(400)
@given(sql=reads(), call=spelled_calls(), data=st.data())
async def test_a_denied_call_is_never_accepted(
    parser: Parser, sql: str, call: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(1, sql.count(LEAF)))
    parts = sql.split(LEAF)
    text = LEAF.join(parts[:place]) + call + LEAF.join(parts[place:])

    statement = await parser.parse_one(text)

    assert (statement.tool, statement.level) == (None, "admin")
    assert statement.refusal.startswith("It calls ")


@bounded(200)
@given(data=st.data(), change=st.sampled_from(CHANGES))
async def test_a_change_is_never_a_read(parser: Parser, data: st.DataObject, change: str) -> None:
    sql = data.draw(nested(change))

    try:
        statement = await parser.parse_one(sql)
    except QueryFailed:
        assume(False)  # noqa: FBT003 - the way hypothesis has it
        raise

    assert statement.level != "read"


@bounded(200)
@given(sql=reads())
async def test_what_the_grammar_makes_is_a_read(parser: Parser, sql: str) -> None:
    """So that what is tried on a server below is not all refused before."""
    statement = await parser.parse_one(sql)

    assert (statement.tool, statement.level, statement.refusal) == ("pg_query", "read", "")
