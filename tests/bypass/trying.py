"""
Sending a case: through the tools, or below the gate.

Owns nothing; tells of every step whether it was refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from pgmcp.database import Bounds, Lease
from pgmcp.errors import ConfirmationNeeded, PgmcpError
from pgmcp.http import Gateway
from pgmcp.kinds import Level
from pgmcp.statement import catalogue
from tests.bypass.arena import Arena
from tests.bypass.cases import Case
from tests.people import Person

CONFIRM = re.compile(r'confirm="([^"]+)"')
ACTIONS = {"CREATE": "create", "DROP": "drop"}
BOUNDS = Bounds(max_rows=10, max_bytes=10_000)


async def send(arena: Arena, person: Person, case: Case, *, inside: bool) -> list[str]:
    """Send each step as a reading call; return the refusals."""
    given = {"session_id": await person.begin(mode="read")} if inside else {"mode": "read"}
    refusals = []
    for step in case.steps:
        try:
            await person.query(arena.fill(step), **given)
        except PgmcpError as error:
            refusals.append("\n".join(error.lines()))
    if inside:
        await person.tx("rollback", **given)
    return refusals


async def send_below(arena: Arena, gateway: Gateway, case: Case, *, inside: bool) -> None:
    """
    Send each step on the readers' own lease as if it were one of pgmcp's, with no gate before it.

    What is left are the login's privileges, READ ONLY, the extended protocol, ROLLBACK and reset.
    """

    async def send_steps(lease: Lease, steps: Sequence[str]) -> None:
        for step in steps:
            await _run(arena, lease, step)

    for steps in [case.steps] if inside else [(step,) for step in case.steps]:
        await gateway.databases.read(None, partial(send_steps, steps=steps))


async def send_below_as(arena: Arena, gateway: Gateway, case: Case, login: Level) -> None:
    """Send all steps in one transaction of *login* that is committed, with no gate before it."""
    with suppress(PgmcpError):
        async with gateway.databases.write(None, login=login) as lease:
            for step in case.steps:
                await _run(arena, lease, step)


async def _run(arena: Arena, lease: Lease, step: str) -> None:
    statement = replace(catalogue(arena.fill(step)), wrap="", may_prepare=True)
    with suppress(PgmcpError):  # the next step has to come all the same
        await lease.run(statement, bounds=BOUNDS)


async def send_changing(arena: Arena, person: Person, case: Case) -> list[bool]:
    """Send each step to every tool that may change something; return which of them did."""
    return [
        await _accepts(person, tool, sql=arena.fill(step), **given)
        for step in case.steps
        for tool, given in (
            ("pg_query", {"mode": "write"}),
            ("pg_schema", {"action": ACTIONS.get(step.split()[0], "alter")}),
        )
    ]


async def _accepts(person: Person, tool: str, **arguments: str) -> bool:
    """Send one call, and confirm it where it asks for that; tell whether it was carried out."""
    try:
        await person.call(tool, **arguments)
    except ConfirmationNeeded as error:
        [wanted] = CONFIRM.findall("\n".join(error.lines()))
        return await _accepts(person, tool, **arguments, confirm=wanted)
    except PgmcpError:
        return False
    return True
