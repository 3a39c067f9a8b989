"""
What the gateway tells a person at `/`: who they are, how to connect, what is going on.

Owns the text; reads counts only, never SQL, rows or handles of others.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pgmcp import __version__
from pgmcp.connect import connect_lines
from pgmcp.database import Databases
from pgmcp.identity import Caller
from pgmcp.transactions import Transactions

UNPUBLISHED = [
    "The gateway listens on a Unix socket, which clients cannot reach. Publish it first through",
    "a proxy, and name the proxy's address in MCP_ALLOWED_ORIGINS: https://pi.example.ts.net.",
]


def render(  # noqa: PLR0913 — facts from as many places
    *,
    caller: Caller,
    url: str | None,
    why_not_ready: str | None,
    databases: Databases,
    transactions: Transactions,
    began: datetime,
) -> str:
    """Return the page as plain text, one fact a line; without *url* nobody can connect yet."""
    up = datetime.now(UTC) - began
    lines = [
        f"pgmcp {__version__}, up {str(up).partition('.')[0]}",
        f"PostgreSQL     {why_not_ready or 'ready'}",
        f"you are        {caller.principal}",
        "you may        all that the gateway's login may do: there are no access rules",
        f"connections    {len(databases.own_pids())} open",
        f"transactions   {transactions.count()} open",
        "",
        "Connect a client:",
        *(f"  {line}" for line in (connect_lines(url) if url else UNPUBLISHED)),
    ]
    return "\n".join(lines) + "\n"
