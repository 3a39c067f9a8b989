"""
How long a start takes, and what a started gateway holds.

Owns the gateways that it starts for that.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass

import uvloop

from bench.proc import Memory, memory
from bench.wire import Line
from tests.process import GatewayProcess, start_gateway

SETTLED = 0.5  # seconds after the first call, in which nothing more is imported
TIMEOUT = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Hold the seconds from spawning to the first answers, and the memory after them."""

    live: float
    call: float
    memory: Memory


def address(gateway: GatewayProcess) -> tuple[str, int]:
    """Return host and port."""
    host, _, port = gateway.root.removeprefix("http://").rpartition(":")
    return host, int(port)


def time_start(environment: Mapping[str, str]) -> Start:
    """Start a gateway, wait for /live and for its first tools/call, look at it, end it."""
    spawned = time.perf_counter()
    with start_gateway(environment) as gateway:
        _require_live(*address(gateway))
        live = time.perf_counter() - spawned
        uvloop.run(_call_once(*address(gateway)))
        call = time.perf_counter() - spawned
        time.sleep(SETTLED)
        return Start(live=live, call=call, memory=memory(gateway.process.pid))


def _require_live(host: str, port: int) -> None:
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    connection.request("GET", "/live")
    status = connection.getresponse().status
    connection.close()
    if status != 200:
        raise RuntimeError(f"/live answered {status}")


async def _call_once(host: str, port: int) -> None:
    line = await Line.open(host, port, "2026-07-28")
    body = await line.query({"sql": "SELECT 1"})
    await line.close()
    if b'"isError":false' not in body:
        raise RuntimeError(f"the first call failed: {body[:500]!r}")
