"""Requests meant to break something: each gets an answer, and the same process takes the next."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from mcp import Client, MCPError

from tests import raw
from tests.asking import text_of
from tests.cluster import ThrowawayCluster
from tests.process import GatewayProcess, start_gateway

LEGACY = {"MCP-Protocol-Version": "2025-11-25"}
QUERY = raw.call_headers("pg_query")


@pytest.fixture(autouse=True)
async def survivor(gateway_process: GatewayProcess) -> AsyncIterator[None]:
    """Insist after every test that the process lives, was not replaced, and answers."""
    yield
    assert gateway_process.process.poll() is None
    reply = await raw.call(gateway_process.url, "pg_query", {"sql": "SELECT 42"})
    assert "\n42\n" in reply.message["result"]["content"][0]["text"]
    assert "incident" not in gateway_process.log.read_text()


def with_arguments(arguments: str) -> bytes:
    """Return a tools/call of pg_query whose arguments are *arguments*, word for word."""
    return raw.call_body("pg_query", "HERE").replace(b'"HERE"', arguments.encode())


REQUESTS = [
    pytest.param(b"{", {}, 400, "Parse error", id="no JSON"),
    pytest.param(b"", {}, 400, "Parse error", id="empty body"),
    pytest.param(b"5", {}, 400, "error", id="a number"),
    pytest.param(b'"x"', {}, 400, "error", id="a string"),
    pytest.param(b"null", {}, 400, "error", id="null"),
    pytest.param(b"[]", {}, 400, "error", id="empty batch"),
    pytest.param(b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', {}, 400, "error", id="batch"),
    pytest.param(b'{"jsonrpc":"1.0","id":1,"method":"ping"}', {}, 400, "error", id="JSON-RPC 1"),
    pytest.param(b'{"jsonrpc":"2.0","id":1,"method":5}', {}, 400, "error", id="method of no text"),
    pytest.param(b'{"a":"\xff\xfe"}', {}, 400, "Parse error", id="no UTF-8"),
    pytest.param("{}".encode("utf-16"), {}, 400, "Parse error", id="UTF-16"),
    pytest.param(b"[" * 200_000, {}, 400, "Parse error", id="deep array"),
    pytest.param(b'{"a":' * 100_000, {}, 400, "Parse error", id="deep object"),
    pytest.param(b" " * 5_000_000, {}, 413, "too large", id="5 MB"),
    pytest.param(b"{}", {"Content-Type": "text/plain"}, 400, "Content-Type", id="text/plain"),
    pytest.param(b"{}", {"Content-Type": ""}, 400, "Content-Type", id="no content type"),
    pytest.param(
        raw.call_body("pg_query", {"sql": "SELECT 1"}),
        {**QUERY, "Accept": "text/html"},
        406,
        "",
        id="accepts HTML only",
    ),
    pytest.param(
        raw.call_body("pg_query", {"sql": "SELECT 1"}),
        {**QUERY, "MCP-Protocol-Version": "1999-01-01"},
        400,
        "version",
        id="unknown version in the header",
    ),
    pytest.param(
        raw.call_body("pg_query", {"sql": "SELECT 1"}).replace(b"2026-07-28", b"2099-01-01"),
        {**QUERY, "MCP-Protocol-Version": "2099-01-01"},
        400,
        "2026-07-28",
        id="unknown version lists the known",
    ),
    pytest.param(
        raw.call_body("pg_query", {"sql": "SELECT 1"}),
        raw.call_headers("pg_tx"),
        400,
        "-32020",
        id="header names another tool",
    ),
    pytest.param(
        raw.call_body("pg_nothing", {}),
        raw.call_headers("pg_nothing"),
        400,
        "Known: pg_query, pg_schema, pg_tx, pg_monitor, pg_admin",
        id="unknown tool",
    ),
    pytest.param(
        raw.call_body("pg_query", ["SELECT 1"]), QUERY, 400, "-32602", id="arguments as a list"
    ),
    pytest.param(
        with_arguments('{"sql": ' + "[" * 5000 + "]" * 5000 + "}"), QUERY, 400, "", id="deep sql"
    ),
    pytest.param(
        with_arguments('{"sql": "SELECT $1::numeric", "params": [' + "9" * 5000 + "]}"),
        QUERY,
        400,
        "Parse error",
        id="an integer of 5000 digits",
    ),
    pytest.param(
        b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}', LEGACY, 400, "session", id="no session"
    ),
    pytest.param(
        b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
        {**LEGACY, "Mcp-Session-Id": "nobody"},
        404,
        "Session not found",
        id="unknown session",
    ),
    pytest.param(
        b"{}",
        {f"X-Flood-{number}": "y" * 100 for number in range(3000)},
        431,
        "above 32768 bytes",
        id="3000 headers",
    ),
    pytest.param(
        b"{}", {"X-Long": "y" * 500_000}, 431, "above 32768 bytes", id="a header of 500 kB"
    ),
    pytest.param(b"{}", {"Content-Length": "-1"}, 400, "", id="negative length"),
    pytest.param(
        b"{}", {"Transfer-Encoding": "chunked"}, 400, "", id="length and chunks contradict"
    ),
]


@pytest.mark.parametrize(("body", "headers", "status", "words"), REQUESTS)
async def test_a_broken_request_is_refused(
    gateway_url: str, body: bytes, headers: dict[str, str], status: int, words: str
) -> None:
    reply = await raw.post(gateway_url, body, headers)

    assert reply.status == status
    assert words.lower() in reply.text.lower()
    assert len(reply.body) < 10_000


ARGUMENTS = [
    pytest.param('{"sql": "SELECT 1; DROP TABLE t"}', "2 statements", id="two statements"),
    pytest.param('{"sql": "SELECT 1;\\u0000 DROP TABLE t"}', "NUL", id="NUL"),
    pytest.param('{"sql": "SELECT \'\\ud800\'"}', "lone surrogate", id="lone surrogate"),
    pytest.param('{"sql": "' + "x" * 3_000_000 + '"}', "3000000 bytes", id="3 MB of SQL"),
    pytest.param('{"sql": "' + "/*" * 20_000 + '"}', "operator characters", id="comment bomb"),
    pytest.param('{"sql": "SELECT 1 ' + "+-" * 9000 + '1"}', "operator", id="operator run"),
    pytest.param('{"sql": "SELECT ' + "(" * 30_000 + '"}', "42601", id="parentheses"),
    pytest.param('{"sql": "SELECT 1' + "+1" * 4_000 + '"}', "too deeply", id="a chain of sums"),
    pytest.param('{"sql": "SELECT 1' + "+1" * 30_000 + '"}', " parts; ", id="a very long chain"),
    pytest.param('{"sql": "SELECT \'"}', "unterminated", id="unbalanced quote"),
    pytest.param('{"sql": 5}', "valid string", id="sql of a number"),
    pytest.param('{"sql": null}', "valid string", id="sql of null"),
    pytest.param("{}", "sql is missing", id="no sql"),
    pytest.param("null", "sql is missing", id="no arguments"),
    pytest.param('{"sql": "SELECT 1", "limit": 5}', "no parameter limit", id="unknown argument"),
    pytest.param('{"sql": "SELECT 1", "a\\ud800": 5}', "unable to parse", id="surrogate in a name"),
    pytest.param('{"sql": "SELECT 1", "max_rows": 1e99}', "max_rows", id="1e99 rows"),
    pytest.param('{"sql": "SELECT 1", "max_rows": NaN}', "max_rows", id="NaN rows"),
    pytest.param(
        '{"sql": "SELECT 1", "timeout_seconds": NaN}', "timeout_seconds", id="NaN seconds"
    ),
    pytest.param('{"sql": "SELECT 1", "timeout_seconds": -1}', "timeout_seconds", id="-1 seconds"),
    pytest.param('{"sql": "SELECT $1::float8", "params": [1e400]}', "1e400", id="1e400"),
    pytest.param(
        '{"sql": "SELECT $1", "params": {"1": 2}}', "valid list", id="params as an object"
    ),
    pytest.param('{"sql": "SELECT 1", "database": "\\u0000"}', "NUL", id="NUL as a database"),
    pytest.param(
        '{"sql": "SELECT 1", "database": "' + "x" * 9999 + '"}', "xxx…", id="long database"
    ),
    pytest.param(
        '{"sql": "SELECT 1", "session_id": "' + "x" * 9999 + '"}', "xxx…", id="long handle"
    ),
]


@pytest.mark.parametrize(("arguments", "words"), ARGUMENTS)
async def test_broken_arguments_get_a_sentence(
    gateway_url: str, arguments: str, words: str
) -> None:
    reply = await raw.post(gateway_url, with_arguments(arguments), QUERY)

    result = reply.message["result"]
    assert result["isError"] is True
    assert words in result["content"][0]["text"]
    assert len(result["content"][0]["text"]) < 3000


async def test_of_two_equal_keys_the_last_is_taken(gateway_url: str) -> None:
    """JSON's readers agree on that; no other value was looked at before."""
    body = with_arguments('{"sql": "DELETE FROM t", "sql": "SELECT 7 AS seven"}')

    reply = await raw.post(gateway_url, body, QUERY)

    assert reply.message["result"]["content"][0]["text"].startswith("seven\n7\n")


async def test_a_sql_of_ten_megabytes_is_refused_before_it_is_read(gateway_url: str) -> None:
    body = with_arguments('{"sql": "' + "x" * 10_000_000 + '"}')

    reply = await raw.post(gateway_url, body, QUERY)

    assert reply.status in (413, 0)  # 0: closed while the rest was still being sent


METHODS = [
    pytest.param("GET", 405, id="GET"),
    pytest.param("PUT", 405, id="PUT"),
    pytest.param("DELETE", 405, id="DELETE"),
    pytest.param("OPTIONS", 405, id="OPTIONS"),
    pytest.param("FOO", 400, id="FOO"),
]


@pytest.mark.parametrize(("method", "status"), METHODS)
async def test_other_methods_are_refused(gateway_url: str, method: str, status: int) -> None:
    request = raw.request_of(gateway_url, b"", QUERY, method=method)

    assert (await raw.exchange(gateway_url, request)).status == status


GARBAGE = [
    pytest.param(b"\x00\xff\x00\r\n\r\n", id="bytes"),
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", id="TLS"),
    pytest.param(b"POST /mcp HTTP/9.9\r\nHost: localhost\r\n\r\n", id="HTTP/9.9"),
    pytest.param(b"POST /mcp\r\n\r\n", id="HTTP/0.9"),
    pytest.param(b"POST /mcp HTTP/1.1\r\nHost: a\r\nHost : b\r\n\r\n", id="space before a colon"),
    pytest.param(
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        id="bad chunk",
    ),
]


@pytest.mark.parametrize("request_bytes", GARBAGE)
async def test_what_is_no_http_is_refused(gateway_url: str, request_bytes: bytes) -> None:
    reply = await raw.exchange(gateway_url, request_bytes, then_close=True)

    assert reply.status in (0, 400, 421)


async def test_a_slow_body_keeps_nobody_waiting(gateway_url: str) -> None:
    parts = urlsplit(gateway_url)
    body = raw.call_body("pg_query", {"sql": "SELECT 5 AS slow"})
    request = raw.request_of(gateway_url, body, QUERY)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request[:-10])
    await writer.drain()

    others = await asyncio.gather(
        *(raw.call(gateway_url, "pg_query", {"sql": "SELECT 1"}) for _ in range(5))
    )
    writer.write(request[-10:])
    reply = await raw.read_reply(reader)
    writer.close()

    assert [other.status for other in others] == [200] * 5
    assert "slow" in reply.text


async def test_a_hundred_unfinished_requests_keep_nobody_waiting(gateway_url: str) -> None:
    parts = urlsplit(gateway_url)
    head = raw.request_of(gateway_url, b"x" * 1000, QUERY)[:-900]
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(100):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
            stack.callback(writer.close)
            writer.write(head)

        reply = await raw.call(gateway_url, "pg_query", {"sql": "SELECT 1"})

    assert reply.status == 200


async def test_requests_in_a_row_on_one_connection_are_all_answered(gateway_url: str) -> None:
    parts = urlsplit(gateway_url)
    bodies = [raw.call_body("pg_query", {"sql": f"SELECT {number} AS n"}) for number in range(5)]
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)

    writer.write(b"".join(raw.request_of(gateway_url, body, QUERY) for body in bodies))
    replies = [await raw.read_reply(reader) for _ in bodies]
    writer.close()

    texts = [reply.message["result"]["content"][0]["text"] for reply in replies]
    assert [text.split("\n")[1] for text in texts] == ["0", "1", "2", "3", "4"]


async def test_a_dropped_request_leaves_the_others_alone(gateway_url: str) -> None:
    parts = urlsplit(gateway_url)
    body = raw.call_body("pg_query", {"sql": "SELECT pg_sleep(20)"})
    for _ in range(10):
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(raw.request_of(gateway_url, body, QUERY))
        await writer.drain()
        writer.transport.abort()

    reply = await raw.call(gateway_url, "pg_query", {"sql": "SELECT 1"})

    assert reply.message["result"]["isError"] is False


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_an_unknown_tool_is_a_protocol_error_in_both_eras(
    gateway_url: str, mode: str
) -> None:
    async with Client(gateway_url, mode=mode) as client:
        with pytest.raises(MCPError, match="no tool is called 'pg_nothing'"):
            await client.call_tool("pg_nothing", {})


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_an_unknown_argument_lists_the_valid_ones_in_both_eras(
    gateway_url: str, mode: str
) -> None:
    async with Client(gateway_url, mode=mode) as client:
        result = await client.call_tool("pg_query", {"sql": "SELECT 1", "transaction": "tx_1"})

    assert "there is no parameter transaction. Parameters: sql, params, " in text_of(result)


async def test_one_session_too_many_is_told_so(
    newest_cluster: ThrowawayCluster, tmp_path: Path
) -> None:
    config = tmp_path / "pgmcp.toml"
    config.write_text("[http]\nmax_sessions = 3\n")
    initialize = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"},
        },
    }
    body = json.dumps(initialize).encode()

    with start_gateway(newest_cluster.environment(), ["--config", str(config)]) as gateway:
        replies = [await raw.post(gateway.url, body) for _ in range(4)]
        stateless = await raw.call(gateway.url, "pg_query", {"sql": "SELECT 1"})
        ended = {**LEGACY, "Mcp-Session-Id": replies[0].headers["mcp-session-id"]}
        request = raw.request_of(gateway.url, b"", ended, method="DELETE")
        deleted = await raw.exchange(gateway.url, request)
        again = await raw.post(gateway.url, body)

    assert [reply.status for reply in replies] == [200, 200, 200, 503]
    assert "session" in replies[3].text.lower()
    assert stateless.status == 200
    assert deleted.status == 200
    assert again.status == 200
