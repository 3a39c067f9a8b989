"""
One measurement: so many connections, one case, for so long.

Owns the noun Sample; what a call is, is its caller's business.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bench.proc import cpu_seconds

Once = Callable[[], Awaitable[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Hold what one measurement found; times are milliseconds, *rate* is calls per second."""

    calls: int
    rate: float
    p50: float
    p99: float
    cpu: float


async def measure(
    calls: Sequence[Once], *, cold: Sequence[Once], seconds: float, pid: int
) -> Sample:
    """
    Run each of *calls* again and again, all at once, and time every one.

    Those of them that are *cold* run once before the clock starts.

    *pid* is the process whose CPU is counted. A call under way at the end is waited for and
    counted.
    """
    await asyncio.gather(*(once() for once in cold))
    times: list[float] = []
    used, started = cpu_seconds(pid), time.perf_counter()
    await asyncio.gather(*(_repeat_until(once, started + seconds, times) for once in calls))
    passed, used = time.perf_counter() - started, cpu_seconds(pid) - used
    times.sort()
    return Sample(
        calls=len(times),
        rate=len(times) / passed,
        p50=percentile(times, 0.50) * 1000,
        p99=percentile(times, 0.99) * 1000,
        cpu=used / len(times) * 1000,
    )


async def _repeat_until(once: Once, end: float, times: list[float]) -> None:
    before = time.perf_counter()
    while before < end or not times:
        await once()
        after = time.perf_counter()
        times.append(after - before)
        before = after


def percentile(ordered: Sequence[float], part: float) -> float:
    """Return the value below which *part* of the *ordered* values lie (nearest rank)."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
