"""
Stand in tailscaled's place: `proxy.py SOCKET PORT` serves a gateway's socket to the network.

Every caller is ana@example.com, unless the header X-Fake-Peer names another of tests/tailnet.py.
"""

from __future__ import annotations

import asyncio
import sys

from tests.tailnet import Tailnet


async def serve(path: str, port: int) -> None:
    """Serve until the end."""
    tailnet = Tailnet(target=f"unix:{path}")
    server = await asyncio.start_server(tailnet.handle, "0.0.0.0", port)  # noqa: S104 — a test's net
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
