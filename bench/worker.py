"""
A process that makes load: `python -m bench.worker`, orders and samples as lines of JSON.

The first order says what to call; it keeps its connections open from then on.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, cast

import asyncpg
import uvloop

from bench.cases import BY_NAME, CONNECTIONS, MANY, Case, Name
from bench.measure import Once, measure
from bench.wire import Era, Line

MOST = max(CONNECTIONS)
Make = Callable[[Case, int], Once]


async def open_raw(target: dict[str, Any]) -> tuple[Make, int]:  # Any: JSON
    """Open one asyncpg connection for each; its CPU is this process' own."""
    opened = [await asyncpg.connect(**target["connect"], timeout=10) for _ in range(MOST)]

    def make(case: Case, number: int) -> Once:
        connection = opened[number]

        async def once() -> None:
            key = case.key()
            rows = await connection.fetch(case.sql, *(() if key is None else (key,)))
            if len(rows) != case.rows:
                raise RuntimeError(f"{case.title}: asyncpg returned {len(rows)} rows")

        return once

    return make, os.getpid()


async def open_gateway(target: dict[str, Any]) -> tuple[Make, int]:  # Any: JSON
    """Open one HTTP connection for each, in the era asked for; CPU is the gateway's."""
    era = cast("Era", target["era"])
    lines = [await Line.open(target["host"], target["port"], era) for _ in range(MOST)]

    def make(case: Case, number: int) -> Once:
        line = lines[number]
        arguments: dict[str, Any] = {"sql": case.sql, "max_rows": MANY}  # Any: JSON
        if case.rows != MANY:
            del arguments["max_rows"]

        async def once() -> None:
            if (key := case.key()) is not None:
                arguments["params"] = [key]
            body = await line.query(arguments)
            if case.expected not in body or b'"isError":false' not in body:
                raise RuntimeError(f"{case.title}, {era}: not the answer: {body[:500]!r}")

        return once

    return make, int(target["pid"])


async def work() -> None:
    """Obey the orders on standard input until it ends."""
    target = await _order()
    if target is None:
        return
    opener: Callable[[dict[str, Any]], Awaitable[tuple[Make, int]]]
    opener = open_raw if "connect" in target else open_gateway
    make, pid = await opener(target)
    _tell({"ready": True})
    warm: dict[str, int] = {}  # how many connections have run the case before
    while (order := await _order()) is not None:
        case = BY_NAME[cast("Name", order["case"])]
        calls = [make(case, number) for number in range(order["connections"])]
        cold = calls[warm.get(case.name, 0) :] or calls[:1]
        warm[case.name] = max(warm.get(case.name, 0), len(calls))
        _tell(asdict(await measure(calls, cold=cold, seconds=order["seconds"], pid=pid)))


async def _order() -> dict[str, Any] | None:
    # Nothing is under way between two orders, so that the loop may wait in a thread.
    line = await asyncio.to_thread(sys.stdin.readline)
    return json.loads(line) if line.strip() else None


def _tell(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    uvloop.run(work())
