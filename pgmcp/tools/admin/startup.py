"""
Values that PostgreSQL takes without a word and then cannot start with.

Owns the few checks that only the whole configuration allows; PostgreSQL's own come after them.
"""

from __future__ import annotations

from collections.abc import Mapping

from pgmcp.errors import CallerError

WAL_LEVELS = ("minimal", "replica", "logical")
# What is there already must fit at the next start: slots, prepared transactions, and on a standby
# the primary's own values.
RAISED_ONLY = frozenset(
    {
        "max_replication_slots",
        "max_prepared_transactions",
        "max_wal_senders",
        "max_worker_processes",
        "max_locks_per_transaction",
    }
)
RESERVED = ("superuser_reserved_connections", "reserved_connections")


def check_startup(name: str, value: str, current: Mapping[str, str], *, own: int) -> None:
    """
    Refuse a *value* for the setting *name* that could keep the server from starting.

    *current* has the values in force by lower-case name; *own* is how many connections the
    gateway itself may open.

    Raises:
        CallerError: says which value is possible.
    """
    if name == "wal_level":
        level, now = value.lower(), current.get("wal_level", "replica")
        if level in WAL_LEVELS and WAL_LEVELS.index(level) < WAL_LEVELS.index(now):
            raise CallerError(
                f'wal_level "{value}" is below "{now}"; slots, standbys or the archive may need '
                "that, and PostgreSQL would not start. The operator lowers it with psql."
            )
        return
    number = int(value) if value.isascii() and value.isdigit() else None
    if number is None:
        return
    if name == "max_connections":
        least = sum(int(current.get(reserved, "0")) for reserved in RESERVED) + own + 1
        if number < least:
            raise CallerError(
                f"max_connections: {number} is below {least}: the reserved connections, the "
                f"gateway's own {own} and one for the operator. Choose more."
            )
    elif name in RAISED_ONLY and number < int(current.get(name, "0")):
        raise CallerError(
            f"{name}: {number} is below today's {current[name]}; PostgreSQL may not start with "
            "less than what it holds now. The operator lowers it with psql."
        )
