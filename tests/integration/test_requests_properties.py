"""Whatever is sent is answered below 500, without an incident, and the process lives on."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cluster import ThrowawayCluster
from tests.entrances import KEY, RULES, Entrances, entrances
from tests.raw import META, MODERN
from tests.wire import ANSWER_SECONDS, Received, Wire

LEGACY = "2025-11-25"
# What HTTP carries in a value: anything but the controls, in single bytes.
VALUES = st.text(
    st.characters(max_codepoint=255, exclude_characters="".join(map(chr, [*range(32), 127]))),
    max_size=30,
)
NAMES = st.sampled_from(
    [
        *("Host", "Origin", "Authorization", "Forwarded"),
        *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port"),
        *(
            "Tailscale-User-Login",
            "Tailscale-User-Name",
            "Tailscale-User-Profile-Pic",
            "Tailscale-Headers-Info",
        ),
        *(
            "Tailscale-App-Capabilities",
            "Tailscale-Funnel-Request",
            "Mcp-Session-Id",
            "MCP-Protocol-Version",
        ),
        *("Mcp-Method", "Mcp-Name", "Mcp-Param-Sql", "Accept"),
        *("Content-Type", "Content-Encoding", "Last-Event-ID", "Cookie"),
        *("Expect", "Accept-Encoding", "Range", "If-None-Match"),
        *("X-HTTP-Method-Override"),
    ]
)
PLAUSIBLE = st.sampled_from(
    [
        *("localhost", "127.0.0.1", "[::1]:80", "pi.example.ts.net", "https://pi.example.ts.net"),
        *("100.64.0.1", "fd7a:115c:a1e0::9", "1, 2", "?1", "https", "http", "ana@example.com"),
        *("=?utf-8?q?=C3=BC?=", "=?utf-8?q?=FF?=", "=?x?b?!!?=", "=?utf-8?q?=0A?=", "=??=?="),
        *('{"example.com/cap/pgmcp":[{}]}', "{}", "[]", "[" * 3000, "NaN", '{"a":' * 2000),
        *(f"Bearer {KEY}", f"Basic {KEY}", "Bearer", "Bearer x", "bearer  y z"),
        *(MODERN, LEGACY, "2024-11-05", "2030-01-01", "tools/call", "pg_query", "initialize"),
        *("application/json", "text/event-stream", "*/*", "application/json, text/event-stream"),
        *("text/plain", "application/json; charset=utf-16", "gzip", "100-continue", "0" * 32, ""),
    ]
)
HEADERS = st.lists(st.tuples(NAMES, PLAUSIBLE | VALUES), max_size=7)
PATHS = st.sampled_from(
    ["/mcp", "/mcp/", "/mcp?access=read", "/mcp?access=x", "/mcp?%FF", "/mcp?a&a", "/", "/live",
     "/ready", "/%6dcp", "/mcp/..", "//mcp", "/mcp;x", "/\\", "/%00", "/mcp#a", "*"]
)  # fmt: skip
METHODS = st.sampled_from(["GET", "POST", "DELETE", "PUT", "OPTIONS", "HEAD", "PATCH", "TRACE"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["2.0", "1", MODERN, LEGACY, "pg_query", "pg_tx", "SELECT 1", "\ud800"])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
TOOL_METHODS = st.sampled_from(
    [
        *("initialize", "ping", "tools/list", "tools/call"),
        *("server/discover", "resources/list", "resources/read", "prompts/get"),
        *(
            "completion/complete",
            "logging/setLevel",
            "subscriptions/listen",
            "notifications/initialized",
        ),
        *(
            "notifications/cancelled",
            "notifications/progress",
            "elicitation/create",
            "nothing/known",
        ),
    ]
)
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["pg_query", "pg_tx", "nothing"]) | JSON,
        "arguments": st.fixed_dictionaries({}, optional={"sql": JSON, "action": JSON}) | JSON,
        "_meta": st.just(META) | JSON,
        "protocolVersion": LEAVES,
        "capabilities": JSON,
        "clientInfo": st.just({"name": "a", "version": "1"}) | JSON,
        "requestId": LEAVES,
        "requestState": LEAVES,
        "inputResponses": JSON,
        "cursor": LEAVES,
    },
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | LEAVES,
        "id": st.integers(0, 9) | LEAVES,
        "method": TOOL_METHODS | LEAVES,
        "params": PARAMS | JSON,
        "result": JSON,
        "error": JSON,
    },
)
BODIES = st.one_of(
    MESSAGES.map(lambda message: json.dumps(message).encode()),
    st.lists(MESSAGES, max_size=2).map(lambda batch: json.dumps(batch).encode()),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=60),
)
TARGETS = st.tuples(st.sampled_from(["tcp", "local", "tailscale"]), METHODS, PATHS)
ORDINARY = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}

# Together some fifteen seconds.
checked = settings(
    max_examples=800,
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def found(newest_cluster: ThrowawayCluster) -> Iterator[Entrances]:
    """Run the gateway that takes all of it, and look at it afterwards."""
    with entrances(newest_cluster.environment(), RULES) as started:
        yield started
        assert started.process.process.poll() is None
        text = started.log
        assert "incident" not in text
        assert "Traceback" not in text
        assert all(line.isprintable() for line in text.split("\n"))


def survives(answer: Received) -> bool:
    """Tell whether an answer is one that a client understands, and no fault of ours."""
    return answer.status < 500 and "incident" not in answer.body


async def send(
    url: str, method: str, path: str, lines: list[tuple[str, str]], body: bytes
) -> Received:
    """Send a request whose headers may repeat; what opens a stream is left when it has begun."""
    given = [("Connection", "close"), ("Content-Length", str(len(body))), *lines]
    given += [("Host", "localhost")] if all(name != "Host" for name, _ in lines) else []
    head = "".join(f"{name}: {value}\r\n" for name, value in given)
    reader, writer = await Wire(url).open()
    try:
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
        async with asyncio.timeout(ANSWER_SECONDS):
            first = await reader.readline()
            status = int(first.split()[1]) if first else 0
            headers = await reader.readuntil(b"\r\n\r\n") if first else b""
            is_stream = b"text/event-stream" in headers and method == "GET"
            text = b"" if is_stream else await reader.read()
    finally:
        writer.transport.abort()
    return Received(status=status, headers={}, body=text.decode(errors="replace"))


@checked
@given(target=TARGETS, lines=HEADERS, body=BODIES)
async def test_any_request_gets_an_answer(
    found: Entrances, target: tuple[str, str, str], lines: list[tuple[str, str]], body: bytes
) -> None:
    listener, method, path = target

    answer = await send(found.url(listener), method, path, lines, body)

    assert survives(answer), answer


@checked
@given(message=MESSAGES, version=st.sampled_from([MODERN, LEGACY, ""]), headers=HEADERS)
async def test_any_message_gets_an_answer(
    found: Entrances, message: dict[str, Any], version: str, headers: list[tuple[str, str]]
) -> None:
    """Past the front, as an ordinary client would send it."""
    inner = [(name, value) for name, value in headers if name.startswith(("Mcp-", "Last", "Acc"))]
    lines = [*ORDINARY.items(), ("MCP-Protocol-Version", version), *inner]

    answer = await send(found.local, "POST", "/mcp", lines, json.dumps(message).encode())

    assert survives(answer), answer


@checked
@given(line=st.binary(max_size=80), rest=st.binary(max_size=80))
async def test_any_bytes_get_an_answer_or_the_end_of_the_connection(
    found: Entrances, line: bytes, rest: bytes
) -> None:
    status = await found_by_bytes(found, line + b"\r\n" + rest + b"\r\n\r\n")

    assert status < 500


async def found_by_bytes(found: Entrances, sent: bytes) -> int:
    """Send *sent* and no more; return the status, 0 where there is none."""
    reader, writer = await Wire(found.local).open()
    try:
        writer.write(sent)
        writer.write_eof()
        head = await reader.readline()
    finally:
        writer.transport.abort()
    return int(head.split()[1]) if head else 0
