"""
Two hundred clients of one caller that ask for all they can get, and two of another that do not.

Owns the clients while the block runs; judges nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.callers import Callers
from tests.wire import LegacySession, Received, Wire

EACH = 40  # clients of each of the five kinds
BREATH = 0.02  # seconds; a client that is refused asks again so soon


@dataclass(kw_only=True)
class Heard:
    """Collect what the greedy clients were told, by the answer's beginning."""

    answers: Counter[str] = field(default_factory=Counter)

    def add(self, answer: Received) -> None:
        """Count one answer."""
        if answer.status != 200:
            self.answers[f"{answer.status} {answer.body[:60]}"] += 1
        elif answer.message.get("result", {}).get("isError"):
            self.answers[answer.text[:60]] += 1
        else:
            self.answers["ok"] += 1


async def call(way: Wire | LegacySession, tool: str, **arguments: object) -> Received:
    """Call a tool in the era of *way* and return the answer."""
    pending = await (way.modern if isinstance(way, Wire) else way.call)(tool, **arguments)
    return await pending.answer()


async def sleep(wire: Wire, heard: Heard) -> None:
    """Run statements that last, and hold their turn."""
    heard.add(await call(wire, "pg_query", sql="SELECT pg_sleep(1)"))


async def take_much(wire: Wire, heard: Heard) -> None:
    """Ask for a large result."""
    sql = "SELECT n, repeat('x', 500) FROM generate_series(1, 200000) AS n"
    heard.add(await call(wire, "pg_query", sql=sql, max_rows=5000))


async def flood(wire: Wire, heard: Heard) -> None:
    """Make cheap calls, and ask for the pages, which no limit of calls covers."""
    for path in ("/", "/ready"):
        page = await wire.request("GET", path)
        heard.answers[f"{page.status} {path}"] += 1
    heard.add(await call(wire, "pg_query", sql="SELECT 1"))


async def hoard(wire: Wire, heard: Heard) -> None:
    """Open a session and begin transactions in it that nobody ends."""
    session = await wire.initialize()
    for _ in range(20):
        heard.add(await call(session, "pg_tx", action="begin", mode="write"))
        await asyncio.sleep(BREATH)


async def listen(wire: Wire, heard: Heard) -> None:
    """Open a session and a stream of it, and leave both open."""
    session = await wire.initialize()
    headers = {**session.headers, "Accept": "text/event-stream"}
    pending = await wire.send("GET", headers=headers)
    heard.answers["stream"] += 1
    await pending.answer()


KINDS: tuple[Callable[[Wire, Heard], Awaitable[None]], ...] = (
    sleep,
    take_much,
    flood,
    hoard,
    listen,
)


async def again_and_again(
    work: Callable[[Wire, Heard], Awaitable[None]], wire: Wire, heard: Heard
) -> None:
    """Be one greedy client, whatever it is told."""
    while True:
        # A refused or dropped connection, or no session where one was asked for.
        with contextlib.suppress(OSError, KeyError, IndexError, ValueError, TimeoutError):
            await work(wire, heard)
        await asyncio.sleep(BREATH)


@asynccontextmanager
async def greedy_crowd(callers: Callers) -> AsyncIterator[Heard]:
    """Let two hundred clients of the greedy caller do their worst while the block runs."""
    heard = Heard()
    wires = [callers.greedy for _ in range(EACH * len(KINDS))]
    tasks = [
        asyncio.create_task(again_and_again(KINDS[number % len(KINDS)], wire, heard))
        for number, wire in enumerate(wires)
    ]
    try:
        yield heard
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for wire in wires:
            wire.close()


@dataclass(kw_only=True)
class Served:
    """Collect how long the polite caller waited, in seconds, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    async def time(self, name: str, asked: Awaitable[Received]) -> Received | None:
        """Wait for an answer; return it if it is a good one."""
        began = time.perf_counter()
        answer = await asked
        self.seconds.setdefault(name, []).append(time.perf_counter() - began)
        if answer.status != 200 or answer.message["result"].get("isError"):
            self.failed.append(f"{name}: {answer.status} {answer.body[:300]}")
            return None
        return answer

    def __str__(self) -> str:
        return "\n".join(
            f"{name:14} {len(all_):4} calls   median {sorted(all_)[len(all_) // 2] * 1000:6.1f} ms"
            f"   p95 {sorted(all_)[len(all_) * 95 // 100] * 1000:6.1f} ms"
            f"   worst {max(all_) * 1000:6.1f} ms"
            for name, all_ in self.seconds.items()
        )


async def be_polite(wire: Wire, served: Served, *, until: float) -> None:
    """Query back to back, and in between change something in a transaction."""
    while time.monotonic() < until:
        await served.time("SELECT 1", call(wire, "pg_query", sql="SELECT 1"))


async def be_polite_in_transactions(wire: Wire, served: Served, *, until: float) -> None:
    """Begin, write, commit; again and again."""
    while time.monotonic() < until:
        begun = await served.time("begin", call(wire, "pg_tx", action="begin", mode="write"))
        if begun is None:
            continue
        handle = begun.message["result"]["structuredContent"]["session_id"]
        sql = "INSERT INTO fairness VALUES (1)"
        await served.time("INSERT", call(wire, "pg_query", sql=sql, session_id=handle))
        await served.time("commit", call(wire, "pg_tx", action="commit", session_id=handle))
