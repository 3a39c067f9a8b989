"""No way around "read only" changes anything, nor reaches the next who borrows the connection."""

from __future__ import annotations

import pytest

from pgmcp.http import Gateway
from tests.bypass.arena import Arena, session_of
from tests.bypass.cases import READING, Case
from tests.bypass.conftest import Side
from tests.bypass.trying import send, send_below

NAMED = [pytest.param(case, id=case.name) for case in READING]
HELD = [pytest.param(case, id=case.name) for case in READING if not case.below]
LET_THROUGH = [pytest.param(case, id=case.name) for case in READING if case.below]
WAYS = pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a transaction"])


def test_the_table_is_whole() -> None:
    """The documentation's figures are these."""
    assert len(READING) == len({case.name for case in READING}) == 99
    assert len(LET_THROUGH) == 7


@WAYS
@pytest.mark.parametrize("case", NAMED)
async def test_reading_changes_nothing(reader: Side, case: Case, *, inside: bool) -> None:
    before, session = await reader.arena.look(), await session_of(reader.gateway)

    refusals = await send(reader.arena, reader.person, case, inside=inside)

    assert bool(refusals) is not case.answers
    assert await reader.arena.look() == before
    assert await session_of(reader.gateway) == session


@WAYS
@pytest.mark.parametrize("case", HELD)
async def test_without_the_gate_privileges_hold(
    arena: Arena, roles: Gateway, case: Case, *, inside: bool
) -> None:
    before, session = await arena.look(), await session_of(roles)

    await send_below(arena, roles, case, inside=inside)

    assert await arena.look() == before
    assert await session_of(roles) == session


@pytest.mark.parametrize("case", LET_THROUGH)
async def test_without_the_gate_these_would_pass(arena: Arena, roles: Gateway, case: Case) -> None:
    """Why the gate is there besides the roles; *below* of each says what stops it."""
    before, session = await arena.look(), await session_of(roles)

    await send_below(arena, roles, case, inside=True)
    after = await arena.look()
    await arena.mend()

    assert after != before
    assert await arena.look() == before
    assert await session_of(roles) == session


async def test_a_function_that_drops_prepared_statements_hurts_nobody(reader: Side) -> None:
    """The gate sees no bodies; pgmcp's own statements on the connection were gone for good."""
    before = await reader.person.query("SELECT 1 AS a")

    dropped = await reader.person.query("SELECT fn_deallocate()")
    after = await reader.person.query("SELECT 1 AS a")

    assert dropped.text.startswith("fn_deallocate\n1\n")
    assert after.text.splitlines()[:2] == before.text.splitlines()[:2]
