"""
Settings' values as SHOW writes them: in the largest unit that leaves no fraction.

Owns the units; pg_settings has bare numbers and a unit of its own, such as 8kB.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

# Largest first. Source: PostgreSQL's guc.c, memory_unit_conversion_table and time_….
MEMORY = {"TB": 1 << 40, "GB": 1 << 30, "MB": 1 << 20, "kB": 1 << 10, "B": 1}
TIME = {"d": 86_400_000_000, "h": 3_600_000_000, "min": 60_000_000, "s": 1_000_000, "ms": 1000}
TIME_UNITS = TIME | {"us": 1}
UNIT = re.compile(r"(?P<times>\d*)(?P<name>[A-Za-z]+)")


def shown(value: str | None, unit: str | None) -> str | None:
    """Return pg_settings' *value*, counted in *unit*, as SHOW does."""
    found = UNIT.fullmatch(unit or "")
    if value is None or found is None:
        return value
    units = MEMORY if found["name"] in MEMORY else TIME_UNITS
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return value
    if amount <= 0 or found["name"] not in units:  # 0 and -1 have a meaning of their own
        return value
    amount *= units[found["name"]] * int(found["times"] or 1)
    for name, size in units.items():
        if amount % size == 0:
            return f"{amount // size:f}{name}"
    return f"{value}{unit}"
