"""
What time it is, as an argument, so that limits can be tested without waiting.

Owns nothing; never sleeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MINUTE = 60.0  # seconds


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """Tell seconds that never go back, and the time of day in UTC."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = _now


def words(limit: timedelta) -> str:
    """Return a length of time in words: 5 minutes, 30 s."""
    seconds = limit.total_seconds()
    if seconds >= MINUTE and seconds % MINUTE == 0:
        minutes = round(seconds / MINUTE)
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{seconds:g} s"
