"""
The command `pgmcp doctor`: the findings as they are made, a line each.

Owns their order and the exit status; `examine` makes them.
"""

from __future__ import annotations

from collections.abc import Callable

from pgmcp.doctor import examine, status_of
from pgmcp.settings import Settings


async def run(settings: Settings, say: Callable[[str], None]) -> int:
    """Say every finding as it is made, and return the exit status: 1 where something is bad."""
    findings = []
    async for finding in examine(settings):
        findings.append(finding)
        say("\n".join(finding.lines()))
    return status_of(findings)
