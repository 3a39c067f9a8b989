"""One record of every call, however it ends, in both protocol eras."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.auditing import Journal
from tests.cluster import ThrowawayCluster
from tests.entrances import WRONG_KEY, Entrances
from tests.integration.audited import (
    ANA,
    BOB,
    ERAS,
    EVE,
    SECRET,
    SHOP,
    Send,
    answered,
    audited,
    calls_in,
    shown,
)
from tests.wire import ACCEPT, ENVELOPE, LEGACY, MODERN, Wire
from tests.witness import Witness, witnessing


@pytest.fixture(scope="module")
async def started(newest_cluster: ThrowawayCluster) -> AsyncIterator[Entrances]:
    """Nothing here depends on PostgreSQL's version."""
    async with audited(newest_cluster) as found:
        yield found


@pytest.fixture
def journal(started: Entrances) -> Journal:
    return Journal.of(started.process)


@pytest.fixture(params=ERAS)
async def calling(request: pytest.FixtureRequest, started: Entrances) -> AsyncIterator[Send]:
    async with calls_in(request.param, started) as call:
        yield call


async def test_a_call_that_went_well(calling: Send, journal: Journal) -> None:
    sql = f"SELECT email FROM person WHERE email = '{SECRET}' OR note = $1 -- {SECRET}"

    received = await answered(calling, ANA, "pg_query", sql=sql, params=[SECRET])

    record = await journal.one()
    assert SECRET in received.text
    assert shown(record, "caller", "address", "tool", "action", "database") == [
        "tailscale:ana@example.com",
        "100.64.0.1",
        "pg_query",
        "-",
        SHOP,
    ]
    assert shown(record, "kind", "level", "rows", "outcome", "sqlstate", "tx") == [
        *("SELECT", "read", "1", "ok", "-", "-"),
    ]
    assert record["text"] == "SELECT email FROM person WHERE email = $2 OR note = $1"
    assert len(record["fingerprint"]) == 16
    assert int(record["bytes"]) == len(received.text)
    assert 0 < float(record["ms"]) < 30_000
    assert SECRET not in journal.text


async def test_a_denied_call(calling: Send, journal: Journal) -> None:
    sql = f"INSERT INTO person VALUES ('{SECRET}')"

    received = await answered(calling, ANA, "pg_query", sql=sql, mode="write")

    record = await journal.one()
    assert "needs permission write" in received.text
    assert shown(record, "caller", "outcome", "kind", "level", "objects", "rows") == [
        *("tailscale:ana@example.com", "AccessDenied", "INSERT", "write", "person", "-"),
    ]
    assert " WARNING pgmcp.call " in journal.text
    assert SECRET not in journal.text


@pytest.mark.parametrize("tool", ["pg_admin", "pg_schema"])
async def test_a_denied_tool(calling: Send, journal: Journal, tool: str) -> None:
    arguments = {"pg_admin": {"action": "roles"}, "pg_schema": {"action": "create", "sql": "x"}}

    await answered(calling, ANA, tool, **arguments[tool])

    assert shown(await journal.one(), "tool", "action") == [tool, arguments[tool]["action"]]


async def test_a_call_that_postgresql_refused(calling: Send, journal: Journal) -> None:
    sql = f"INSERT INTO person VALUES ('{SECRET}', $1)"

    received = await answered(calling, BOB, "pg_query", sql=sql, params=[SECRET], mode="write")

    record = await journal.one()
    assert f"(email)=({SECRET})" in received.text
    assert shown(record, "outcome", "sqlstate", "text", "rows", "bytes") == [
        *("QueryFailed", "23505", "INSERT INTO person VALUES ($2, $1)", "-", "-"),
    ]
    assert SECRET not in journal.text


@pytest.mark.parametrize(
    "sql",
    [f"SELEC '{SECRET}'", f"SELECT '{SECRET}", f"SELECT {SECRET} {SECRET} {SECRET}", "SELECT '\0'"],
    ids=["no keyword", "open quote", "three words", "NUL"],
)
async def test_what_does_not_parse(calling: Send, journal: Journal, sql: str) -> None:
    await answered(calling, ANA, "pg_query", sql=sql)

    record = await journal.one()
    assert shown(record, "kind", "level", "text", "fingerprint") == ["-"] * 4
    assert SECRET not in journal.text


async def test_a_timeout(calling: Send, journal: Journal) -> None:
    sql = f"SELECT pg_sleep(20), '{SECRET}'"

    await answered(calling, ANA, "pg_query", sql=sql, timeout_seconds=0.2)

    record = await journal.one()
    assert shown(record, "outcome", "sqlstate", "text") == [
        *("StatementTimeout", "57014", "SELECT pg_sleep($1), $2"),
    ]
    assert float(record["ms"]) >= 200


@pytest.fixture
async def witness(newest_cluster: ThrowawayCluster) -> AsyncIterator[Witness]:
    async with witnessing(newest_cluster, SHOP) as looking:
        yield looking


async def test_a_dropped_call(started: Entrances, journal: Journal, witness: Witness) -> None:
    pending = await Wire(started.tailscale, ANA).modern("pg_query", sql="SELECT pg_sleep(20)")
    await witness.starts("pg_sleep")

    pending.drop()

    record = await journal.one()
    assert shown(record, "outcome", "text", "rows") == ["cancelled", "SELECT pg_sleep($1)", "-"]


async def test_a_cancelled_call(started: Entrances, journal: Journal, witness: Witness) -> None:
    session = await Wire(started.tailscale, ANA).initialize()
    pending = await session.call("pg_query", sql="SELECT pg_sleep(20)")
    await witness.starts("pg_sleep")

    await session.cancel(pending)

    assert (await journal.one())["outcome"] == "cancelled"
    await pending.answer()
    await session.delete()


async def test_a_transaction_is_named_by_its_beginning(started: Entrances) -> None:
    wire = Wire(started.tailscale, BOB)
    journal = Journal.of(started.process)

    begun = await (await wire.modern("pg_tx", action="begin", mode="write")).answer()
    handle = begun.message["result"]["structuredContent"]["session_id"]
    await (await wire.modern("pg_query", sql="SELECT 1", session_id=handle)).answer()
    await (await wire.modern("pg_tx", action="rollback", session_id=handle)).answer()

    begin, select, rollback = journal.records
    assert {record["tx"] for record in journal.records} == {handle[:8]}
    assert shown(begin, "tool", "action", "level") == ["pg_tx", "begin", "write"]
    assert shown(select, "tool", "kind", "level") == ["pg_query", "SELECT", "read"]
    assert shown(rollback, "action", "outcome") == ["rollback", "ok"]
    assert handle not in journal.text


@pytest.mark.parametrize(
    "params", [{"name": "x", "arguments": 5}, {"arguments": {}}, {"name": "x", "arguments": []}]
)
@pytest.mark.parametrize("era", ERAS)
async def test_a_request_that_is_no_call(
    started: Entrances, journal: Journal, era: str, params: dict[str, object]
) -> None:
    """The SDK refuses it by itself, before any tool."""
    wire = Wire(started.tailscale, ANA)
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call"}
    if isinstance(params.get("name"), str):
        headers["Mcp-Name"] = str(params["name"])
    meta: dict[str, object] = {"_meta": ENVELOPE}
    if era == LEGACY:
        headers, meta = (await wire.initialize()).headers, {}

    received = await (await wire.post("tools/call", {**params, **meta}, headers)).answer()

    assert received.status in (200, 400)
    assert "error" in received.message
    assert [record["outcome"] for record in journal.records] == ["CallerError"]


REFUSED = [
    pytest.param("tcp", {"Authorization": f"Bearer {WRONG_KEY}"}, 401, id="a wrong key"),
    pytest.param("tcp", {"Tailscale-User-Login": "ana@example.com"}, 403, id="nobody vouches"),
    pytest.param("tailscale", EVE, 403, id="no access rule"),
    pytest.param("tailscale", {**ANA, "Tailscale-Funnel-Request": "?1"}, 403, id="Funnel"),
    pytest.param("tcp", {"Host": "evil.example caller=root"}, 421, id="Host"),
    pytest.param("tcp", {"Origin": "https://evil.example"}, 403, id="Origin"),
    pytest.param("tailscale", {"X-Forwarded-For": "x"}, 400, id="no address"),
]


@pytest.mark.parametrize(("listener", "headers", "status"), REFUSED)
async def test_a_refusal_in_front(
    started: Entrances, journal: Journal, listener: str, headers: dict[str, str], status: int
) -> None:
    wire = Wire(started.url(listener), headers)

    received = await wire.request("POST", headers=ACCEPT, body=b"{}")

    record = await journal.one()
    assert received.status == status
    assert list(record) == ["caller", "address", "outcome", "status", "reason"]
    assert shown(record, "outcome", "status") == ["Refused", str(status)]
    assert record["caller"] == ("tailscale:eve@example.com" if headers is EVE else "-")
    assert record["address"] in ("127.0.0.1", "100.64.0.1", "100.64.0.3", "unix")
    assert WRONG_KEY not in journal.text
