"""
A hand-written HTTP/1.1 keep-alive client that speaks just enough MCP, in both eras.

Light on purpose: it must not be what is measured.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Literal

Era = Literal["2026-07-28", "2025-11-25"]
READ_LIMIT = 8 << 20  # bytes buffered before the socket is paused; above the largest answer
CLIENT = {"name": "bench", "version": "1"}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": CLIENT,
}
SESSION = b"mcp-session-id:"


class Line:
    """Hold one TCP connection; of the earlier revision also one MCP session."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, era: Era, host: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._era = era
        self._number = 0
        self._head = (
            f"POST /mcp HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {era}\r\n"
        )
        if era == "2026-07-28":
            self._head += "Mcp-Method: tools/call\r\nMcp-Name: pg_query\r\n"

    @classmethod
    async def open(cls, host: str, port: int, era: Era) -> Line:
        """Connect, and open a session where the era has them."""
        reader, writer = await asyncio.open_connection(host, port, limit=READ_LIMIT)
        line = cls(reader, writer, era, f"{host}:{port}")
        if era == "2025-11-25":
            await line._initialize()
        return line

    async def _initialize(self) -> None:
        offered = {"protocolVersion": self._era, "capabilities": {}, "clientInfo": CLIENT}
        self._send({"id": 0, "method": "initialize", "params": offered})
        head, _ = await self._receive()
        for line in head.split(b"\r\n"):
            if line.lower().startswith(SESSION):
                session = line[len(SESSION) :].strip().decode()
                self._head += f"Mcp-Session-Id: {session}\r\n"
        self._send({"method": "notifications/initialized"})
        await self._receive()

    def _send(self, message: dict[str, Any]) -> None:  # Any: JSON
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        head = f"{self._head}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)

    async def query(self, arguments: dict[str, Any]) -> bytes:  # Any: JSON
        """Call pg_query and return the answer's body, SSE framing and all."""
        self._number += 1
        params: dict[str, Any] = {"name": "pg_query", "arguments": arguments}
        if self._era == "2026-07-28":
            params["_meta"] = META
        self._send({"id": self._number, "method": "tools/call", "params": params})
        return (await self._receive())[1]

    async def _receive(self) -> tuple[bytes, bytes]:
        """Return one answer's head and body."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        if not lower.startswith(b"http/1.1 2"):
            rest = await self._body(lower)
            raise RuntimeError(f"{head.splitlines()[0]!r}: {rest[:500]!r}")
        return head, await self._body(lower)

    async def _body(self, lower: bytes) -> bytes:
        if b"transfer-encoding: chunked" not in lower:
            _, _, after = lower.partition(b"content-length:")
            return await self._reader.readexactly(int(after.partition(b"\r\n")[0]))
        parts = []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            parts.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readexactly(2)
        return b"".join(parts)

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()
