"""
How often an address may send a wrong key.

Owns the counts, a bounded table of them; never sees a key.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pgmcp.clock import Clock

MOST = 10  # wrong keys at once
REFILL_SECONDS = 6.0  # and one more each: 10 a minute
ADDRESSES = 1024  # the one that was quiet longest is forgotten first
TELL_SECONDS = 60.0  # between two lines of the journal about one address


@dataclass(kw_only=True, slots=True)
class _Bucket:
    tokens: float
    filled_at: float
    told_at: float = -math.inf


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Say whether the attempt counts as one too many, when to come back, and what to log."""

    is_too_many: bool
    retry_seconds: int
    is_to_be_told: bool


class Attempts:
    """Count the wrong keys of each address; a right one is nobody's business here."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def count(self, address: str) -> Verdict:
        """Count one wrong key from *address*."""
        now = self._clock.monotonic()
        bucket = self._buckets.pop(address, None) or _Bucket(tokens=MOST, filled_at=now)
        self._buckets[address] = bucket  # the last place: touched most recently
        while len(self._buckets) > ADDRESSES:
            del self._buckets[next(iter(self._buckets))]
        gained = (now - bucket.filled_at) / REFILL_SECONDS
        bucket.tokens, bucket.filled_at = min(MOST, bucket.tokens + gained), now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return Verdict(is_too_many=False, retry_seconds=0, is_to_be_told=True)
        is_to_be_told = now - bucket.told_at >= TELL_SECONDS
        if is_to_be_told:
            bucket.told_at = now
        wait = math.ceil((1 - bucket.tokens) * REFILL_SECONDS)
        return Verdict(is_too_many=True, retry_seconds=wait, is_to_be_told=is_to_be_told)
