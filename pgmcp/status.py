"""
What the gateway tells a person at `/`: who they are, what they may do, how to connect.

Owns the text; reads counts only, never SQL, rows or handles of others. It is plain text, so that
no name in it is ever HTML.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pgmcp import __version__
from pgmcp.access import Access
from pgmcp.connect import UNPUBLISHED, connect_lines
from pgmcp.database import Databases
from pgmcp.identity import Caller
from pgmcp.settings import Settings
from pgmcp.transactions import Transactions

MARGIN = 15  # characters before what a line says
ROLES = "a login role for each level: PostgreSQL itself keeps them apart"
SHARED = "one login for every level, which only the gateway keeps apart; see pgmcp provision"
HEADERS = {
    "X-Content-Type-Options": "nosniff",  # or a browser could take a name in it for HTML
    "Cache-Control": "no-store",
}


def render(  # noqa: PLR0913 — facts from as many places
    *,
    caller: Caller,
    access: Access,
    settings: Settings,
    url: str | None,
    why_not_ready: str | None,
    databases: Databases,
    transactions: Transactions,
    began: datetime,
) -> str:
    """
    Return the page as plain text, one fact a line; without *url* nobody can connect yet.

    *caller* is who asks now: *access* is remembered, with the full name that it first had.
    """
    lines = [f"pgmcp {__version__}, up {str(datetime.now(UTC) - began).partition('.')[0]}"]
    facts = [("you are", caller.principal)]
    if caller.full_name:
        facts.append(("full name", caller.full_name))
    first, *others = permissions(access, has_roles=settings.server.logins.are_roles)
    facts += [("you may", first), *(("", other) for other in others)]
    if access.highest is not None:
        facts += [
            ("PostgreSQL", why_not_ready or "ready"),
            ("logins", ROLES if settings.server.logins.are_roles else SHARED),
            ("connections", f"{len(databases.own_pids())} open"),
            ("transactions", f"{transactions.count()} open"),
        ]
    lines += [f"{name:{MARGIN}}{fact}" for name, fact in facts]
    if access.highest is not None:
        shown = connect_lines(url) if url else UNPUBLISHED
        lines += ["", "Connect a client:", *(f"  {line}" for line in shown)]
    return "".join(f"{_plain(line)}\n" for line in lines)


def permissions(access: Access, *, has_roles: bool) -> Iterator[str]:
    """Yield what a caller may do where, and by which rule, in the order that decides."""
    if not access.is_ruled:
        whose = (
            "login roles may do, pgmcp_admin included" if has_roles else "gateway's login may do"
        )
        yield f"everything that the {whose}: there are no access rules"
        return
    found = [(rule.permissions, rule.databases, f"access rule {n}") for n, rule in access.rules]
    found += [
        (grant.permissions, grant.databases, "the tailnet's grant")
        for grant in access.grants
        if grant.permissions is not None
    ]
    if not found:
        yield "nothing: no access rule or grant covers you. The operator can add one to [[access]]"
    for permission, databases, source in found:
        yield f"{permission} on {', '.join(databases)}, by {source}"


def _plain(line: str) -> str:
    """Keep a name from adding lines, or from moving the cursor of a terminal."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in line)
