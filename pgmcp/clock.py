"""
What time it is, as an argument, so that limits can be tested without waiting.

Owns nothing; never sleeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """Tell seconds that never go back, and the time of day in UTC."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = _now
