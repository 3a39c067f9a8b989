"""
What Linux says about a process: CPU used, memory held.

Reads /proc; never signals anything.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """Hold resident and proportional set size in MB (10^6 bytes)."""

    rss: float
    pss: float


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of *pid*, all threads, in steps of a clock tick."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> Memory:
    """Return what *pid* holds now."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name in ("Rss", "Pss"):
            found[name] = int(value.split()[0]) * 1024 / 1e6
    return Memory(rss=found["Rss"], pss=found["Pss"])
