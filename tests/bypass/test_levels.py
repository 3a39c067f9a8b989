"""Who writes, or makes tables, gets no further than that, by the gate and by the roles alike."""

from __future__ import annotations

import pytest

from pgmcp.http import Gateway
from pgmcp.kinds import Level
from tests.bypass.arena import Arena, session_of
from tests.bypass.cases import Case
from tests.bypass.conftest import Side
from tests.bypass.levels import DEFINING, OWNED, WRITING
from tests.bypass.trying import send_below_as, send_changing
from tests.people import Person


def named(cases: tuple[Case, ...]) -> list[object]:
    return [pytest.param(case, id=case.name) for case in cases]


def test_the_tables_are_whole() -> None:
    """The documentation's figures are these."""
    assert (len(WRITING), len(DEFINING), len(OWNED)) == (76, 34, 3)
    assert len({case.name for case in WRITING}) == len(WRITING)


@pytest.mark.parametrize("case", named(WRITING))
async def test_who_writes_changes_rows_only(writer: Side, case: Case) -> None:
    before, session = await writer.arena.look(), await session_of(writer.gateway, "write")

    accepted = await send_changing(writer.arena, writer.person, case)

    assert not any(accepted)
    assert await writer.arena.look() == before
    assert await session_of(writer.gateway, "write") == session


@pytest.mark.parametrize("case", named(DEFINING))
async def test_who_makes_tables_gets_no_rights(definer: Side, case: Case) -> None:
    before = await definer.arena.look()

    accepted = await send_changing(definer.arena, definer.person, case)

    assert not any(accepted)
    assert await definer.arena.look() == before


@pytest.mark.parametrize("case", named(OWNED))
async def test_who_makes_tables_keeps_to_its_own(arena: Arena, roles: Gateway, case: Case) -> None:
    before = await arena.look()

    accepted = await send_changing(arena, Person(roles, "key:ddl"), case)

    assert not any(accepted)
    assert await arena.look() == before


@pytest.mark.parametrize("case", named(tuple(case for case in WRITING if not case.below)))
async def test_without_the_gate_privileges_hold_who_writes(
    arena: Arena, roles: Gateway, case: Case
) -> None:
    before, session = await arena.look(), await session_of(roles, "write")

    await send_below_as(arena, roles, case, "write")

    assert await arena.look() == before
    assert await session_of(roles, "write") == session


@pytest.mark.parametrize("case", named((*(c for c in DEFINING if not c.below), *OWNED)))
async def test_without_the_gate_privileges_hold_who_makes_tables(
    arena: Arena, roles: Gateway, case: Case
) -> None:
    before = await arena.look()

    await send_below_as(arena, roles, case, "ddl")

    assert await arena.look() == before


PASSING = [
    *(pytest.param(case, "write", id=f"write: {case.name}") for case in WRITING if case.below),
    *(pytest.param(case, "ddl", id=f"ddl: {case.name}") for case in DEFINING if case.below),
]


@pytest.mark.parametrize(("case", "login"), PASSING)
async def test_without_the_gate_these_would_pass(
    arena: Arena, roles: Gateway, case: Case, login: Level
) -> None:
    """Why the gate is there besides the roles; *below* of each says what would happen."""
    before = await arena.look()

    await send_below_as(arena, roles, case, login)
    after = await arena.look()
    await arena.mend()

    assert after != before
    assert await arena.look() == before
