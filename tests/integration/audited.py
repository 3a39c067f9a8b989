"""
How the tests of the journal act: a gateway with rules, and calls of somebody in either era.

Owns one database while the block runs, and the connections of the calls.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from tests.auditing import Fields
from tests.cluster import ThrowawayCluster
from tests.entrances import Entrances, entrances
from tests.wire import MODERN, LegacySession, Pending, Received, Wire

SHOP = "audit_shop"
RULES = """
[[access]]
who = "ana@example.com"
permissions = "read"
[[access]]
who = ["bob@example.com", "key:ci"]
permissions = "admin"
"""
ANA = {"Tailscale-User-Login": "ana@example.com", "X-Forwarded-For": "100.64.0.1"}
BOB = {"Tailscale-User-Login": "bob@example.com", "X-Forwarded-For": "100.64.0.2"}
EVE = {"Tailscale-User-Login": "eve@example.com", "X-Forwarded-For": "100.64.0.3"}
SECRET = "hunter2"
ERAS = ["2025-11-25", "2026-07-28"]
Send = Callable[..., Awaitable[Pending]]


@asynccontextmanager
async def audited(cluster: ThrowawayCluster) -> AsyncIterator[Entrances]:
    """Run a gateway with RULES on the database SHOP."""
    await cluster.drop_database(SHOP)
    await cluster.create_database(SHOP)
    await cluster.execute(
        "CREATE TABLE person (email text PRIMARY KEY, note text); "
        f"INSERT INTO person VALUES ('{SECRET}', '{SECRET}')",
        database=SHOP,
    )
    try:
        with entrances(cluster.environment(SHOP), RULES) as found:
            yield found
    finally:
        await cluster.drop_database(SHOP)


@asynccontextmanager
async def calls_in(era: str, started: Entrances) -> AsyncIterator[Send]:
    """Lend what begins a call of somebody in *era*."""
    sessions: list[LegacySession] = []
    wires: list[Wire] = []

    async def call(who: Mapping[str, str], tool: str, **arguments: object) -> Pending:
        wire = Wire(started.tailscale, who)
        wires.append(wire)
        if era == MODERN:
            return await wire.modern(tool, **arguments)
        sessions.append(await wire.initialize())
        return await sessions[-1].call(tool, **arguments)

    yield call
    for session in sessions:
        await session.delete()
    for wire in wires:
        wire.close()


async def answered(calling: Send, who: Mapping[str, str], tool: str, **given: object) -> Received:
    """Make a call and return its answer."""
    return await (await calling(who, tool, **given)).answer()


def shown(record: Fields, *names: str) -> list[str]:
    """Return some fields of a record."""
    return [record[name] for name in names]
