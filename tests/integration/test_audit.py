"""One record of every call, however it ends, in both protocol eras; never a value in it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from pgmcp.journal import Form
from pgmcp.protocol.answering import answer
from pgmcp.tools import query
from pgmcp.tools.base import Call
from tests.auditing import LINE, Fields, Journal
from tests.cluster import ThrowawayCluster
from tests.entrances import KEY, WRONG_KEY, Entrances, ask, entrances
from tests.wire import ACCEPT, ENVELOPE, LEGACY, MODERN, LegacySession, Pending, Received, Wire
from tests.witness import Witness, witnessing

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


@pytest.fixture(scope="module")
def cluster(newest_cluster: ThrowawayCluster) -> ThrowawayCluster:
    """Nothing here depends on PostgreSQL's version."""
    return newest_cluster


@pytest.fixture(scope="module")
async def shop(cluster: ThrowawayCluster, database: str) -> str:
    await cluster.execute(
        "CREATE TABLE person (email text PRIMARY KEY, note text); "
        f"INSERT INTO person VALUES ('{SECRET}', '{SECRET}')",
        database=database,
    )
    return database


@pytest.fixture(scope="module")
def started(cluster: ThrowawayCluster, shop: str) -> Iterator[Entrances]:
    with entrances(cluster.environment(shop), RULES) as found:
        yield found


@pytest.fixture
def journal(started: Entrances) -> Journal:
    return Journal.of(started.process)


@pytest.fixture(params=ERAS)
async def calling(request: pytest.FixtureRequest, started: Entrances) -> AsyncIterator[Any]:
    """Return what begins a call of somebody, in each era."""
    sessions: list[LegacySession] = []
    wires: list[Wire] = []

    async def call(who: Mapping[str, str], tool: str, **arguments: object) -> Pending:
        wire = Wire(started.tailscale, who)
        wires.append(wire)
        if request.param == MODERN:
            return await wire.modern(tool, **arguments)
        sessions.append(await wire.initialize())
        return await sessions[-1].call(tool, **arguments)

    yield call
    for session in sessions:
        await session.delete()
    for wire in wires:
        wire.close()


async def answered(calling: Send, who: Mapping[str, str], tool: str, **given: object) -> Received:
    return await (await calling(who, tool, **given)).answer()


def shown(record: Fields, *names: str) -> list[str]:
    return [record[name] for name in names]


async def test_a_call_that_went_well(calling: Send, journal: Journal, shop: str) -> None:
    sql = f"SELECT email FROM person WHERE email = '{SECRET}' OR note = $1 -- {SECRET}"

    received = await answered(calling, ANA, "pg_query", sql=sql, params=[SECRET])

    record = await journal.one()
    assert SECRET in received.text
    assert shown(record, "caller", "address", "tool", "action", "database") == [
        "tailscale:ana@example.com",
        "100.64.0.1",
        "pg_query",
        "-",
        shop,
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


async def test_a_value_without_its_quotes(calling: Send, journal: Journal) -> None:
    sql = f'SELECT note FROM person WHERE email = "{SECRET}"'

    received = await answered(calling, ANA, "pg_query", sql=sql)

    record = await journal.one()
    assert SECRET in received.text
    assert shown(record, "outcome", "sqlstate", "text", "fingerprint", "objects") == [
        *("QueryFailed", "42703", "-", "-", "person"),
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
async def witness(cluster: ThrowawayCluster, shop: str) -> AsyncIterator[Witness]:
    async with witnessing(cluster, shop) as looking:
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


UNKNOWN = [
    pytest.param("pg_secrets\nERROR forged caller=root", {}, id="tool"),
    pytest.param("pg_query", {"sql": 5}, id="wrong type"),
    pytest.param("pg_query", {"sql": "SELECT 1", "secret": SECRET}, id="unknown parameter"),
    pytest.param("pg_query", {"sql": "SELECT 1", "mode": SECRET}, id="no such mode"),
    pytest.param("pg_tx", {"action": f"x\nERROR {'y' * 200}"}, id="action"),
    pytest.param("pg_tx", {"action": ["begin"]}, id="a list for an action"),
    pytest.param("pg_query", {"sql": "SELECT 1", "database": "\x7f\n\x1b[2J"}, id="controls"),
    pytest.param("pg_query", {"sql": "SELECT 1", "session_id": SECRET}, id="no handle"),
]


@pytest.mark.parametrize(("tool", "arguments"), UNKNOWN)
async def test_malformed_arguments(
    started: Entrances, journal: Journal, tool: str, arguments: dict[str, object]
) -> None:
    session = await Wire(started.tailscale, ANA).initialize()

    await (await session.call(tool, **arguments)).answer()
    await session.delete()

    record = await journal.one()
    assert record["caller"] == "tailscale:ana@example.com"
    assert record["outcome"] in ("CallerError", "HandleUnknown")
    assert record["tool"] == tool
    assert len(record["action"]) <= 100
    assert SECRET not in journal.text
    assert all(LINE.fullmatch(line) for line in journal.text.splitlines())


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


INJECTED = "x' -- \n2026-01-01 00:00:00,000 INFO pgmcp.call caller=root outcome=ok\r\x1b[2J\u2028"


async def test_sql_forges_no_line(calling: Send, journal: Journal) -> None:
    sql = f'SELECT 1 AS "a\nb outcome=ok caller=root", 2 /* {INJECTED} */ AS "c=d"'

    await answered(calling, ANA, "pg_query", sql=sql)

    record = await journal.one()
    assert record["text"] == 'SELECT $1 AS "?", $2 AS "?"'
    assert record["caller"] == "tailscale:ana@example.com"
    assert all(LINE.fullmatch(line) for line in journal.text.splitlines())
    assert journal.text.isascii()


@pytest.mark.parametrize("parameter", ["database", "name", "schema"])
async def test_a_name_forges_no_line(calling: Send, journal: Journal, parameter: str) -> None:
    given = {"name": "person", parameter: INJECTED}

    await answered(calling, BOB, "pg_schema", action="describe", **given)

    record = await journal.one()
    assert record["caller"] == "tailscale:bob@example.com"
    assert record["outcome"] != "ok"
    assert all(LINE.fullmatch(line) for line in journal.text.splitlines())
    assert journal.text.isascii()


ADMIN: list[tuple[dict[str, object], str]] = [
    ({"action": "set", "name": "work_mem", "value": SECRET}, "work_mem"),
    ({"action": "create_role", "name": "r", "attributes": [f"PASSWORD '{SECRET}'"]}, "r"),
    ({"action": "grant", "on": "table person", "to": "nobody_here"}, "table person,nobody_here"),
    ({"action": "vacuum", "schema": "public", "table": "person"}, "public.person"),
    ({"action": "cancel", "pid": 1}, "pid 1"),
]


@pytest.mark.parametrize(("arguments", "objects"), ADMIN, ids=[str(each[1]) for each in ADMIN])
async def test_administration_names_its_objects_and_no_value(
    calling: Send, journal: Journal, arguments: dict[str, object], objects: str
) -> None:
    await answered(calling, BOB, "pg_admin", **arguments)

    record = await journal.one()
    assert shown(record, "action", "level", "objects", "text") == [
        *(arguments["action"], "admin", objects, "-"),
    ]
    assert SECRET not in journal.text


async def test_a_made_password_is_in_no_line(calling: Send, journal: Journal) -> None:
    received = await answered(
        calling, BOB, "pg_admin", action="create_role", name="made", attributes=["LOGIN"]
    )
    await answered(calling, BOB, "pg_admin", action="drop_role", name="made", confirm="made")

    header, row, *_ = received.text.splitlines()
    password = dict(zip(header.split("\t"), row.split("\t"), strict=True))["password"]
    assert password not in journal.text


DDL = [
    pytest.param(f"CREATE TABLE a (b text DEFAULT '{SECRET}')", "CREATE TABLE", "a", id="DEFAULT"),
    pytest.param(f"COMMENT ON TABLE person IS '{SECRET}'", "COMMENT", "-", id="COMMENT"),
    pytest.param(
        f"CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$SELECT '{SECRET}'$$",
        "CREATE FUNCTION",
        "public.f",
        id="body",
    ),
    pytest.param(f"CREATE USER u PASSWORD '{SECRET}'", "CREATE ROLE", "-", id="CREATE USER"),
    pytest.param(f"ALTER SYSTEM SET a = '{SECRET}'", "ALTER SYSTEM", "-", id="ALTER SYSTEM"),
    pytest.param(
        f"CREATE POLICY p ON person USING (note = '{SECRET}')",
        "CREATE POLICY",
        "person",
        id="policy",
    ),
]


@pytest.mark.parametrize(("sql", "kind", "objects"), DDL)
async def test_definitions_show_no_text(
    calling: Send, journal: Journal, sql: str, kind: str, objects: str
) -> None:
    await answered(calling, BOB, "pg_schema", action="create", sql=sql, dry_run=True)

    record = await journal.one()
    assert shown(record, "kind", "objects", "text", "fingerprint") == [kind, objects, "-", "-"]
    assert SECRET not in journal.text


async def test_a_pattern_is_a_value(calling: Send, journal: Journal) -> None:
    await answered(calling, BOB, "pg_schema", action="search", pattern=SECRET)

    assert (await journal.one())["rows"] == "0"
    assert SECRET not in journal.text


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


async def test_a_key_in_the_url_is_in_no_line(started: Entrances, journal: Journal) -> None:
    received = await ask(started.local, f"/mcp?key={KEY}&{KEY}&access={KEY}", "POST")

    assert received.status in (400, 403)
    assert KEY not in journal.text


async def test_a_bug_is_recorded_without_the_words_of_the_failure(call: Call) -> None:
    async def fail(_call: object, _params: object) -> Any:  # Any: never an answer
        raise ZeroDivisionError(f"{SECRET}\nERROR forged")

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Form("%(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        result = await answer(replace(query.TOOL, run=fail), call, {"sql": SECRET})
    finally:
        root.removeHandler(handler)
        root.setLevel(before)

    text = stream.getvalue()
    first, traceback, *frames, last = text.splitlines()
    incident = first.split()[3]
    assert first == f"ERROR pgmcp.protocol incident {incident} in pg_query"
    assert incident in json.dumps(result.model_dump())
    assert f"outcome={incident}" in last
    assert traceback == "Traceback (most recent call last):"
    assert frames[-1] == "ZeroDivisionError"
    assert SECRET not in text


async def test_many_at_once_are_one_line_each(started: Entrances, journal: Journal) -> None:
    wire = Wire(started.tailscale, ANA)

    async def one(number: int) -> Received:
        return await (await wire.modern("pg_query", sql=f"SELECT {number}")).answer()

    await asyncio.gather(*map(one, range(20)))

    assert [record["text"] for record in journal.records] == ["SELECT $1"] * 20
