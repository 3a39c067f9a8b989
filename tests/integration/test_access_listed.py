"""What callers of each level are listed over HTTP, and what they are told of the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client

from pgmcp.kinds import LEVELS
from tests.cluster import ThrowawayCluster
from tests.entrances import Entrances, entrances
from tests.tailnet import FQDN
from tests.wire import ENVELOPE, LEGACY, MODERN, Received, Wire

ERAS = [MODERN, LEGACY]
FOUR = ["pg_query", "pg_schema", "pg_tx", "pg_monitor"]
DEFAULT = "postgres"
RULES = (
    "".join(
        f"""
[[access]]
who = "{level}@example.com"
permissions = "{level}"
"""
        for level in LEVELS
    )
    + """
[[access]]
who = "mixed@example.com"
databases = "template1"
permissions = "write"
[[access]]
who = "mixed@example.com"
permissions = "read"
[[access]]
who = "local"
permissions = "admin"
"""
)
Json = dict[str, Any]  # Any: JSON


@pytest.fixture(scope="module")
def ruled(newest_cluster: ThrowawayCluster) -> Iterator[Entrances]:
    """Run a gateway with a rule for each level."""
    with entrances(newest_cluster.environment(), RULES) as found:
        yield found


def person(ruled: Entrances, name: str, *, access: str = "") -> Wire:
    """Return the wire of somebody as tailscale serve passes requests on; *access* narrows."""
    headers = {
        "Tailscale-User-Login": f"{name}@example.com",
        "X-Forwarded-For": "100.64.0.1",
        "X-Forwarded-Host": FQDN,
        "X-Forwarded-Proto": "https",
    }
    return Wire(ruled.tailscale, headers, f"/mcp?access={access}" if access else "/mcp")


async def listed(wire: Wire, era: str) -> dict[str, Json]:
    """Return the tools of tools/list by name."""
    if era == MODERN:
        headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/list"}
        pending = await wire.post("tools/list", {"_meta": ENVELOPE}, headers)
    else:
        session = await wire.initialize()
        pending = await wire.post("tools/list", {}, session.headers)
    found = (await pending.answer()).message["result"]["tools"]
    return {tool["name"]: tool for tool in found}


async def called(wire: Wire, era: str, tool: str, **arguments: object) -> Received:
    """Call a tool in an era."""
    if era == MODERN:
        return await (await wire.modern(tool, **arguments)).answer()
    session = await wire.initialize()
    return await (await session.call(tool, **arguments)).answer()


async def refused(wire: Wire, era: str, tool: str, **arguments: object) -> str:
    """Return the text of a result with isError."""
    answer = await called(wire, era, tool, **arguments)
    assert answer.message["result"]["isError"] is True, answer.body
    return answer.text


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("level", ["read", "write", "ddl"])
async def test_administration_is_listed_to_administrators(
    ruled: Entrances, level: str, era: str
) -> None:
    assert list(await listed(person(ruled, level), era)) == FOUR
    assert list(await listed(person(ruled, "admin"), era)) == [*FOUR, "pg_admin"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_reader_is_shown_only_what_reads(ruled: Entrances, era: str) -> None:
    found = await listed(person(ruled, "read"), era)

    hints = [tool["annotations"] for tool in found.values()]
    assert [hint["readOnlyHint"] for hint in hints] == [True] * 4
    assert [hint["destructiveHint"] for hint in hints] == [False] * 4
    assert not {"mode", "confirm"} & found["pg_query"]["inputSchema"]["properties"].keys()
    assert found["pg_tx"]["inputSchema"]["properties"]["mode"]["enum"] == ["read"]
    schema = found["pg_schema"]["inputSchema"]["properties"]
    assert schema["action"]["enum"] == ["list", "describe", "search"]
    assert not {"sql", "dry_run", "confirm"} & schema.keys()


@pytest.mark.parametrize("era", ERAS)
async def test_a_readers_list_has_no_word_of_changing(ruled: Entrances, era: str) -> None:
    text = json.dumps(await listed(person(ruled, "read"), era))

    words = ["INSERT", "write", "confirm", "dry_run", "DROP", "pg_admin", "ddl"]
    assert [word for word in words if word in text] == ["write"]  # "write $1, $2 in sql"
    assert text.count("write") == text.count("write $1") + text.count("to write SQL")


async def test_who_writes_is_shown_no_definitions(ruled: Entrances) -> None:
    found = await listed(person(ruled, "write"), MODERN)

    query = found["pg_query"]
    assert query["inputSchema"]["properties"]["mode"]["enum"] == ["read", "write"]
    assert query["annotations"]["destructiveHint"] is True
    assert "DDL" not in query["description"]
    assert found["pg_schema"]["annotations"]["readOnlyHint"] is True
    assert found["pg_tx"]["inputSchema"]["properties"]["mode"]["enum"] == ["read", "write"]


async def test_the_highest_level_of_any_database_decides_the_list(ruled: Entrances) -> None:
    mixed, write = person(ruled, "mixed"), person(ruled, "write")

    assert await listed(mixed, MODERN) == await listed(write, MODERN)
    text = await refused(mixed, MODERN, "pg_query", sql="SELECT 1", mode="write")
    assert "access rule 6 gives mixed@example.com read" in text


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("access", ["read", "write", "ddl"])
async def test_a_narrowed_url_lists_what_that_level_has(
    ruled: Entrances, access: str, era: str
) -> None:
    narrowed = person(ruled, "admin", access=access)

    assert await listed(narrowed, era) == await listed(person(ruled, access), era)


async def test_a_narrowed_url_widens_nobody(ruled: Entrances) -> None:
    narrowed = person(ruled, "read", access="ddl")

    assert await listed(narrowed, MODERN) == await listed(person(ruled, "read"), MODERN)
    text = await refused(narrowed, MODERN, "pg_tx", action="begin", mode="ddl")
    assert "access rule 1 gives read@example.com read" in text


HIDDEN = [
    pytest.param("pg_query", {"sql": "SELECT 1", "mode": "write"}, "write", id="mode"),
    pytest.param("pg_query", {"sql": "INSERT INTO t VALUES (1)"}, "write", id="insert"),
    pytest.param("pg_query", {"sql": "DELETE FROM t", "explain": "plan"}, "write", id="plan"),
    pytest.param("pg_query", {"sql": "EXPLAIN DELETE FROM t"}, "write", id="EXPLAIN"),
    pytest.param("pg_query", {"sql": "TRUNCATE t", "explain": "analyze"}, "write", id="analyze"),
    pytest.param("pg_query", {"sql": "CREATE TABLE t (a int)"}, "ddl", id="DDL as a query"),
    pytest.param("pg_query", {"sql": "VACUUM"}, "admin", id="VACUUM as a query"),
    pytest.param("pg_tx", {"action": "begin", "mode": "write"}, "write", id="tx write"),
    pytest.param("pg_tx", {"action": "begin", "mode": "ddl"}, "ddl", id="tx ddl"),
    pytest.param(
        "pg_schema", {"action": "create", "sql": "CREATE TABLE t (a int)"}, "ddl", id="create"
    ),
    pytest.param("pg_schema", {"action": "drop", "confirm": "t"}, "ddl", id="drop without sql"),
    pytest.param(
        "pg_schema", {"action": "alter", "sql": "SELECT 1", "dry_run": True}, "ddl", id="dry run"
    ),
    pytest.param("pg_admin", {"action": "databases"}, "admin", id="admin"),
    pytest.param("pg_admin", {"action": "reload", "name": "x"}, "admin", id="admin amiss"),
]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("tool", "arguments", "level"), HIDDEN)
async def test_what_is_not_listed_says_which_permission_it_needs(
    ruled: Entrances, tool: str, arguments: Json, level: str, era: str
) -> None:
    text = await refused(person(ruled, "read"), era, tool, **arguments)

    assert text.startswith("error: ")
    assert f'needs permission {level} on database "{DEFAULT}"; access rule 1 gives ' in text


async def test_a_denied_call_is_recorded(ruled: Entrances) -> None:
    await refused(person(ruled, "read"), MODERN, "pg_admin", action="reload")

    records = [line for line in ruled.log.splitlines() if "action=reload" in line]
    assert "read@example.com" in records[-1]
    assert "outcome=AccessDenied" in records[-1]


async def test_a_wrong_parameter_is_answered_with_those_listed(ruled: Entrances) -> None:
    text = await refused(person(ruled, "read"), MODERN, "pg_query", statement="SELECT 1")

    assert "there is no parameter statement" in text
    assert "database" in text
    assert "confirm" not in text


async def test_an_unknown_tool_stays_a_protocol_error(ruled: Entrances) -> None:
    answer = await called(person(ruled, "read"), MODERN, "pg_drop", action="all")

    assert answer.message["error"]["code"] == -32602
    assert "pg_admin" not in answer.message["error"]["message"]


async def test_a_narrowed_url_cannot_use_a_higher_handle(ruled: Entrances) -> None:
    wide, narrow = person(ruled, "admin"), person(ruled, "admin", access="read")
    begun = await called(wide, MODERN, "pg_tx", action="begin", mode="write")
    handle = begun.message["result"]["structuredContent"]["session_id"]

    tried = [
        await refused(narrow, MODERN, "pg_query", sql="SELECT 1", session_id=handle),
        await refused(narrow, MODERN, "pg_tx", action="commit", session_id=handle),
        await refused(narrow, MODERN, "pg_tx", action="rollback", session_id=handle[:8]),
    ]
    shown = (await called(narrow, MODERN, "pg_tx", action="list")).text
    ended = (await called(wide, MODERN, "pg_tx", action="rollback", session_id=handle)).text

    assert [text.count("this URL is narrowed to read by ?access=read") for text in tried] == [1] * 3
    assert handle[:8] not in shown
    assert ended.startswith("rolled back")


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_real_client_is_narrowed_by_its_url(ruled: Entrances, mode: str) -> None:
    async with Client(f"{ruled.tcp}?access=read", mode=mode) as client:
        tools = (await client.list_tools()).tools
        result = await client.call_tool("pg_query", {"sql": "DELETE FROM t", "mode": "write"})

    assert [tool.name for tool in tools] == FOUR
    assert result.is_error
    assert "this URL is narrowed to read" in str(result.content)
