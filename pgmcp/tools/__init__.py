"""
The five tools, in the order in which clients list them.

Owns the list; each tool is a module of its own.
"""

from __future__ import annotations

from dataclasses import replace

from pgmcp.settings import Settings
from pgmcp.tools import admin, monitor, query, schema, tx
from pgmcp.tools.base import Tool


def tools(settings: Settings) -> tuple[Tool, ...]:
    """Return the tools, with the limits of *settings* in their descriptions."""
    limits = settings.transactions
    transactions = replace(
        tx.TOOL,
        description=tx.describe(
            idle=limits.idle,
            contended=limits.idle_contended,
            total=limits.total,
            most=limits.per_owner,
        ),
    )
    return (query.TOOL, schema.TOOL, transactions, monitor.TOOL, admin.TOOL)
