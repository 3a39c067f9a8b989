"""
The five tools, in the order in which clients list them.

Owns the list; each tool is a module of its own, and says what callers of a level see of it.
"""

from __future__ import annotations

from pgmcp.kinds import Level
from pgmcp.settings import Settings
from pgmcp.tools import admin, monitor, query, schema, tx
from pgmcp.tools.base import Tool


def tools(settings: Settings, level: Level = "admin") -> tuple[Tool, ...]:
    """
    Return the tools that callers of *level* are offered, with the limits of *settings*.

    The highest level that a caller has anywhere decides what is listed; what it may do in one
    database is checked at every call.
    """
    everybody = (
        query.offered(level),
        schema.offered(level),
        tx.offered(level, settings),
        monitor.TOOL,
    )
    return (*everybody, admin.TOOL) if level == "admin" else everybody
