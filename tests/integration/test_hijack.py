"""What somebody else can do with a stolen session id or handle: nothing, in both eras."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from tests.cluster import ThrowawayCluster
from tests.entrances import KEY, Entrances, entrances
from tests.tailnet import FQDN, Tailnet, tailscale_serve
from tests.wire import ACCEPT, LegacySession, Received, Wire

UNKNOWN = "no open transaction of yours has session_id"
THIEVES = ["bob", "node", "key", "local", "proxied"]


@pytest.fixture(scope="module")
def plain(newest_cluster: ThrowawayCluster) -> Iterator[Entrances]:
    with entrances(newest_cluster.environment()) as found:
        yield found


@pytest.fixture(scope="module")
async def tailnet(plain: Entrances) -> AsyncIterator[Tailnet]:
    async with tailscale_serve(plain.tailscale) as published:
        yield published


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Hold who owns what is stolen, and everybody who might steal it."""

    ana: Wire
    wires: dict[str, Wire]


@pytest.fixture
def cast(plain: Entrances, tailnet: Tailnet) -> Cast:
    def over_tailnet(peer: str) -> Wire:
        return Wire(tailnet.url, {"Host": FQDN, "X-Fake-Peer": peer})

    return Cast(
        ana=over_tailnet("ana"),
        wires={
            "bob": over_tailnet("bob"),
            "node": over_tailnet("tagged"),
            "key": Wire(plain.tcp, {"Authorization": f"Bearer {KEY}"}),
            "local": Wire(plain.local),
            "proxied": Wire(plain.tcp, {"Tailscale-User-Login": "ana@example.com"}),
        },
    )


async def called(session: LegacySession, tool: str, **arguments: object) -> Received:
    """Call a tool in a session and wait for the answer."""
    return await (await session.call(tool, **arguments)).answer()


def stolen(session: LegacySession, wire: Wire) -> LegacySession:
    """Return the same session id in somebody else's hands."""
    return LegacySession(wire, session.id)


@pytest.mark.parametrize("thief", THIEVES)
async def test_a_stolen_session_answers_nobody_else(cast: Cast, thief: str) -> None:
    session = await cast.ana.initialize()
    theirs = stolen(session, cast.wires[thief])

    posted = await called(theirs, "pg_query", sql="SELECT 1")
    streamed = await theirs.wire.request(
        "GET", headers={**theirs.headers, "Accept": "text/event-stream"}
    )
    deleted = await theirs.delete()
    own = await called(session, "pg_query", sql="SELECT 42")

    assert (posted.status, streamed.status, deleted.status) == (404, 404, 404)
    assert "\n42\n" in own.text


@pytest.mark.parametrize("thief", THIEVES)
async def test_a_stolen_session_is_as_one_that_never_was(cast: Cast, thief: str) -> None:
    session = await cast.ana.initialize()
    wire = cast.wires[thief]

    taken = await called(stolen(session, wire), "pg_query", sql="SELECT 1")
    invented = await called(LegacySession(wire, "0" * 32), "pg_query", sql="SELECT 1")

    assert taken.status == invented.status
    assert taken.message["error"] == invented.message["error"]


@pytest.mark.parametrize("thief", THIEVES)
async def test_deleting_a_stolen_session_ends_no_transaction(cast: Cast, thief: str) -> None:
    session = await cast.ana.initialize()
    handle = await begin(session)

    await stolen(session, cast.wires[thief]).delete()
    answer = await called(session, "pg_query", sql="SELECT 7", session_id=handle)

    assert "\n7\n" in answer.text
    await session.delete()


@pytest.mark.parametrize("thief", THIEVES)
async def test_a_stolen_session_cannot_be_cancelled(cast: Cast, thief: str) -> None:
    session = await cast.ana.initialize()
    pending = await session.call("pg_query", sql="SELECT 8 FROM pg_sleep(0.5)")

    answer = await stolen(session, cast.wires[thief]).notify(
        "notifications/cancelled", requestId=pending.id
    )

    assert answer.status == 404
    assert "\n8\n" in (await pending.answer()).text


async def begin(session: LegacySession) -> str:
    """Begin a transaction in a session."""
    answer = await called(session, "pg_tx", action="begin", mode="write")
    return str(answer.message["result"]["structuredContent"]["session_id"])


async def begin_modern(wire: Wire) -> str:
    """Begin a transaction where there are no sessions."""
    answer = await (await wire.modern("pg_tx", action="begin", mode="write")).answer()
    return str(answer.message["result"]["structuredContent"]["session_id"])


USES = [
    pytest.param("pg_query", {"sql": "SELECT 1"}, id="query"),
    pytest.param("pg_tx", {"action": "commit"}, id="commit"),
    pytest.param("pg_tx", {"action": "rollback"}, id="rollback"),
    pytest.param("pg_tx", {"action": "savepoint", "name": "a"}, id="savepoint"),
    pytest.param(
        "pg_schema", {"action": "create", "sql": "CREATE TABLE stolen (a int)"}, id="schema"
    ),
]


@pytest.mark.parametrize("thief", THIEVES)
@pytest.mark.parametrize(("tool", "arguments"), USES)
async def test_a_stolen_handle_is_unknown_to_everybody_else(
    cast: Cast, thief: str, tool: str, arguments: dict[str, str]
) -> None:
    wire = cast.wires[thief]
    session = await cast.ana.initialize()
    handles = [await begin(session), await begin_modern(cast.ana)]
    theirs = await wire.initialize()

    texts = [
        (await answer.answer()).text
        for handle in handles
        for answer in (
            await wire.modern(tool, session_id=handle, **arguments),
            await theirs.call(tool, session_id=handle, **arguments),
        )
    ]

    assert [UNKNOWN in text for text in texts] == [True] * 4
    assert (
        "\n9\n" in (await called(session, "pg_query", sql="SELECT 9", session_id=handles[0])).text
    )
    await asyncio.gather(session.delete(), theirs.delete())
    await (await cast.ana.modern("pg_tx", action="rollback", session_id=handles[1])).answer()


@pytest.mark.parametrize("thief", THIEVES)
async def test_a_stolen_session_id_makes_no_owner_in_the_new_era(cast: Cast, thief: str) -> None:
    """There it is a header without meaning: the handle still belongs to the session alone."""
    session = await cast.ana.initialize()
    handle = await begin(session)
    wire = cast.wires[thief]
    with_id = Wire(wire.url, {**wire.headers, "Mcp-Session-Id": session.id})

    answer = await (await with_id.modern("pg_query", sql="SELECT 1", session_id=handle)).answer()

    assert UNKNOWN in answer.body
    await session.delete()


@pytest.mark.parametrize("thief", THIEVES)
async def test_somebody_elses_transactions_are_not_listed(cast: Cast, thief: str) -> None:
    handle = await begin_modern(cast.ana)

    answer = await (await cast.wires[thief].modern("pg_tx", action="list")).answer()

    assert handle[:8] not in answer.text
    await (await cast.ana.modern("pg_tx", action="rollback", session_id=handle)).answer()


async def test_a_forged_login_does_not_reach_a_session(plain: Entrances, cast: Cast) -> None:
    """What tailscaled says is believed on its socket alone."""
    session = await cast.ana.initialize()
    claims = {
        "Tailscale-User-Login": "ana@example.com",
        "X-Forwarded-For": "100.64.0.1",
        "X-Forwarded-Proto": "https",
    }

    statuses = [
        (await called(stolen(session, Wire(url, claims)), "pg_query", sql="SELECT 1")).status
        for url in (plain.tcp, plain.local)
    ]

    assert statuses == [404, 404]


async def test_initialize_with_a_stolen_session_id_takes_nothing_over(
    cast: Cast,
) -> None:
    session = await cast.ana.initialize()
    thief = cast.wires["bob"]
    params = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "wire", "version": "1"},
    }

    answer = await (
        await thief.post("initialize", params, {**ACCEPT, "Mcp-Session-Id": session.id})
    ).answer()

    assert answer.headers.get("mcp-session-id") != session.id
    assert "\n42\n" in (await called(session, "pg_query", sql="SELECT 42")).text
