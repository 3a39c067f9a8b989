"""
MCP over a bare socket, for what no client library does: drop a request, cancel one, lie in headers.

Owns the sockets it opens; knows HTTP/1.1 and both protocol eras, and nothing of tools.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

LEGACY = "2025-11-25"
MODERN = "2026-07-28"
ANSWER_SECONDS = 30.0
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "wire", "version": "1"},
}
_ids = itertools.count(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """Hold one HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def message(self) -> dict[str, Any]:  # Any: JSON
        """Return the JSON-RPC message in it, from plain JSON or from the stream's last event."""
        lines = [line[5:] for line in self.body.splitlines() if line.startswith("data:")]
        found = json.loads([line for line in lines if line.strip()][-1] if lines else self.body)
        assert isinstance(found, dict)
        return found

    @property
    def text(self) -> str:
        """Return the tool's text."""
        return str(self.message["result"]["content"][0]["text"])


class Pending:
    """Hold a request that was sent and not answered yet."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, id_: int
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.id = id_

    async def answer(self) -> Received:
        """Read to the end of the connection, and close it."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                raw = await self._reader.read()
        finally:
            self.drop()
        head, _, body = raw.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        if headers.get("transfer-encoding") == "chunked":
            body = _dechunk(body)
        return Received(status=int(status.split(" ")[1]), headers=headers, body=body.decode())

    async def first(self, text: str) -> bool:
        """Read until *text* has come, and tell whether it has; the request stays open."""
        raw = b""
        async with asyncio.timeout(ANSWER_SECONDS):
            while text.encode() not in raw and (chunk := await self._reader.read(1 << 16)):
                raw += chunk
        return text.encode() in raw

    def drop(self) -> None:
        """Close the connection at once, as a client does that has lost interest."""
        self._writer.transport.abort()


class Wire:
    """
    Send requests to the gateway at *url*, each on a connection of its own.

    *url* may be unix:PATH; *headers* go with every request, *path* is where messages go.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str] | None = None, path: str = "/mcp"
    ) -> None:
        parts = urlsplit(url)
        self.url = url
        self.socket = parts.path if parts.scheme == "unix" else ""
        self.host = parts.hostname or "localhost"
        self.port = parts.port or 0
        self.headers = dict(headers or {})
        self.path = path
        self._sent: list[Pending] = []

    def close(self) -> None:
        """Drop every request that nobody waited for."""
        for pending in self._sent:
            pending.drop()

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection, for what no method here sends."""
        if self.socket:
            return await asyncio.open_unix_connection(self.socket)
        return await asyncio.open_connection(self.host, self.port)

    async def send(  # noqa: PLR0913 — the parts of a request
        self,
        method: str,
        path: str = "/mcp",
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        number: int = 0,
        version: str = "1.1",
    ) -> Pending:
        """Send one request and wait for nothing."""
        reader, writer = await self.open()
        host = f"{self.host}:{self.port}" if self.port else self.host
        lines = {"Host": host, "Connection": "close", **self.headers, **(headers or {})}
        lines = {name: value for name, value in lines.items() if version != "1.0" or value}
        if method == "POST":
            lines["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"{method} {path} HTTP/{version}\r\n{head}\r\n".encode("latin-1") + body)
        await writer.drain()
        pending = Pending(reader, writer, number)
        self._sent.append(pending)
        return pending

    async def request(self, method: str, path: str = "/mcp", **parts: Any) -> Received:  # Any: send
        """Send one request and return its answer."""
        return await (await self.send(method, path, **parts)).answer()

    async def post(
        self, method: str, params: Mapping[str, object], headers: Mapping[str, str]
    ) -> Pending:
        """Send one JSON-RPC message; a notification has no id."""
        message: dict[str, object] = {"jsonrpc": "2.0", "method": method, "params": params}
        number = 0
        if not method.startswith("notifications/"):
            message["id"] = number = next(_ids)
        body = json.dumps(message).encode()
        lines = {**ACCEPT, **headers}
        return await self.send("POST", self.path, headers=lines, body=body, number=number)

    async def modern(self, tool: str, **arguments: object) -> Pending:
        """Call *tool* in revision 2026-07-28."""
        headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": tool}
        params = {"name": tool, "arguments": arguments, "_meta": ENVELOPE}
        return await self.post("tools/call", params, headers)

    async def initialize(self) -> LegacySession:
        """Open a session of revision 2025-11-25."""
        params = {
            "protocolVersion": LEGACY,
            "capabilities": {},
            "clientInfo": {"name": "wire", "version": "1"},
        }
        answer = await (await self.post("initialize", params, {})).answer()
        session = LegacySession(self, answer.headers["mcp-session-id"])
        await session.notify("notifications/initialized")
        return session


class LegacySession:
    """Call tools within one MCP session."""

    def __init__(self, wire: Wire, id_: str) -> None:
        self.wire = wire
        self.id = id_
        self.headers = {"Mcp-Session-Id": id_, "MCP-Protocol-Version": LEGACY}

    async def call(self, tool: str, **arguments: object) -> Pending:
        """Call *tool*; the answer may be waited for later."""
        params = {"name": tool, "arguments": arguments}
        return await self.wire.post("tools/call", params, self.headers)

    async def notify(self, method: str, **params: object) -> Received:
        """Send a notification."""
        return await (await self.wire.post(method, params, self.headers)).answer()

    async def cancel(self, pending: Pending) -> None:
        """Cancel a request of this session."""
        await self.notify("notifications/cancelled", requestId=pending.id, reason="test")

    async def delete(self) -> Received:
        """End the session."""
        return await self.wire.request("DELETE", headers=self.headers)


def _dechunk(body: bytes) -> bytes:
    """Undo chunked transfer; a stream cut short gives what had come."""
    parts = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        parts.append(rest[:length])
        body = rest[length + 2 :]
    return b"".join(parts)
