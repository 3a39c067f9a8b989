"""
What is written down about a call: one line for the journal.

Owns the noun Record; never sees a value, a row or a secret.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

log = logging.getLogger("pgmcp.call")


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """Say who called what and how it ended; *outcome* is ok, an error's class or an incident."""

    caller: str
    tool: str
    action: str
    milliseconds: float
    outcome: str
    sqlstate: str


def write(record: Record) -> None:
    """Write the record as key=value; what came from the caller is quoted on one line."""
    log.info(
        "caller=%s tool=%s action=%.20r ms=%.1f outcome=%s sqlstate=%s",
        record.caller,
        record.tool,
        record.action,
        record.milliseconds,
        record.outcome,
        record.sqlstate or "-",
    )
