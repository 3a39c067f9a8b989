"""Requests meant to break something: each gets an answer, and the same process takes the next."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests import raw
from tests.cluster import ThrowawayCluster
from tests.integration.hostile import QUERY, surviving, with_arguments
from tests.process import GatewayProcess, start_gateway

LEGACY = {"MCP-Protocol-Version": "2025-11-25"}


@pytest.fixture(autouse=True)
async def survivor(gateway_process: GatewayProcess) -> AsyncIterator[None]:
    async with surviving(gateway_process):
        yield


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
        # Python's parser gives up at 1000 levels in 3.11, beyond 5000 in 3.13.
        with_arguments('{"sql": ' + "[" * 100_000 + "]" * 100_000 + "}"),
        QUERY,
        400,
        "",
        id="deep sql",
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
