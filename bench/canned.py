"""
A server that answers every request at once with the same bytes: `python -m bench.canned`.

What the load generator reaches against it is the generator's own ceiling.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import uvloop

BODY = (
    b'{"jsonrpc":"2.0","id":1,"result":{"content":[{"text":"id\\tname\\tamount\\tcreated\\n'
    b"123456\\titem e10adc3949ba59abbe56e057f20f883e\\t45678.72\\t2026-01-11 08:37:36+00\\n"
    b'-- 1 row, 0.5 ms","type":"text"}],"isError":false,"resultType":"complete"}}'
)
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY)
) + BODY


class Canned(asyncio.Protocol):
    """Answer whatever arrives; every request of the generator fits one packet."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class, not a subclass

    def data_received(self, data: bytes) -> None:  # noqa: ARG002 — the interface's
        """Answer."""
        self._transport.write(ANSWER)


async def serve() -> None:
    """Listen on a free port of loopback, print it, serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Canned, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


@contextmanager
def start_canned() -> Iterator[tuple[int, int]]:
    """Run the server in a process of its own; give its port and process id."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.canned"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None  # noqa: S101 — opened as a pipe above
        yield int(process.stdout.readline()), process.pid
    finally:
        process.communicate(timeout=10)


if __name__ == "__main__":
    uvloop.run(serve())
