"""
HTTP by hand: requests that no client library would send, and MCP calls in the stateless revision.

Owns one connection a request; reads until the server is done.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

MODERN = "2026-07-28"
PATIENCE = 20.0  # seconds; far above what any answer takes
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
}
JSON_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
}


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Hold an HTTP answer; *status* is 0 where the server closed without one."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode(errors="replace")

    @property
    def message(self) -> Any:  # Any: a JSON-RPC message
        """Return the JSON-RPC message, from an event stream as well."""
        for line in self.text.splitlines():
            if line.startswith("data:") and "{" in line:
                return json.loads(line.removeprefix("data:"))
        return json.loads(self.body)


async def exchange(url: str, request: bytes, *, then_close: bool = False) -> Reply:
    """Send *request* as it is and return the first answer; with *then_close*, send no more."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        async with asyncio.timeout(PATIENCE):
            try:
                writer.write(request)
                await writer.drain()
                if then_close:
                    writer.write_eof()
            except ConnectionError:
                pass  # refused before it was read to its end: the answer is there already
            return await read_reply(reader)
    finally:
        writer.close()


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    """Read one answer."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return Reply(status=0, headers={}, body=b"")
    status, *lines = head.decode("latin-1").strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = await read_chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Reply(status=int(status.split()[1]), headers=headers, body=body)


async def read_chunks(reader: asyncio.StreamReader) -> bytes:
    """Read a chunked body."""
    body = b""
    while length := int(await reader.readline(), 16):
        body += await reader.readexactly(length)
        await reader.readline()
    await reader.readline()
    return body


def request_of(
    url: str, body: bytes, headers: dict[str, str] | None = None, *, method: str = "POST"
) -> bytes:
    """Return a request as bytes; a header given as empty is left out."""
    parts = urlsplit(url)
    given = {
        "Host": parts.netloc,
        **JSON_HEADERS,
        "Content-Length": str(len(body)),
        **(headers or {}),
    }
    lines = [f"{method} {parts.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in given.items() if value]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


async def post(url: str, body: bytes, headers: dict[str, str] | None = None) -> Reply:
    """Send *body* to the MCP endpoint."""
    return await exchange(url, request_of(url, body, headers))


def call_body(name: str, arguments: Any, **more: Any) -> bytes:  # Any: JSON
    """Return a tools/call of the stateless revision; *more* goes beside its params."""
    params = {"name": name, "arguments": arguments, "_meta": META}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params, **more}
    return json.dumps(message, ensure_ascii=True).encode()


def call_headers(name: str) -> dict[str, str]:
    """Return the headers that go with it."""
    return {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": name}


async def call(url: str, name: str, arguments: Any) -> Reply:  # Any: JSON
    """Call a tool in the stateless revision."""
    return await post(url, call_body(name, arguments), call_headers(name))
