"""
What a destructive statement needs before it runs: the names of what it would change.

Owns the comparison and the refusal's words; asks PostgreSQL how it resolves the names.
"""

from __future__ import annotations

from pgmcp.database import Lease
from pgmcp.database.quote import identifier
from pgmcp.errors import ConfirmationNeeded
from pgmcp.grammar import Target
from pgmcp.sql import load
from pgmcp.statement import Statement

QUOTED = "SELECT pg_catalog.quote_ident($1) AS name"


async def require(lease: Lease, statement: Statement, confirm: str | None) -> None:
    """
    Refuse a destructive *statement* unless *confirm* names what it changes.

    The names are schema-qualified as PostgreSQL resolves them now, comma-separated, in statement
    order, each once. What does not exist is left to PostgreSQL's own error.

    Raises:
        ConfirmationNeeded: nothing was done; the text has the value to repeat.
    """
    if not statement.targets:
        return
    names: list[str] = []
    facts: list[str] = []
    for target in statement.targets:
        name, rows = await _resolve(lease, target)
        if name is None or name in names:
            continue
        names.append(name)
        about = f", about {rows} rows" if rows not in (None, "0") else ""
        facts.append(f"{target.verb}: {name}{about}")
    if names:
        require_value(",".join(names), confirm, "; ".join(facts))


def require_value(wanted: str, confirm: str | None, what: str) -> None:
    """
    Refuse unless *confirm* equals *wanted*; spaces around commas do not count.

    *what* says in a few words what would happen.
    """
    given = ",".join(part.strip() for part in (confirm or "").split(","))
    if wanted in (given, confirm):  # a quoted name may itself hold a comma and a space
        return
    mismatch = f' confirm="{confirm}" does not match.' if confirm else ""
    raise ConfirmationNeeded(
        f"not confirmed, nothing was done. It would {what}.{mismatch}",
        hint=f'to go ahead, repeat the call with confirm="{wanted}"',
    )


async def _resolve(lease: Lease, target: Target) -> tuple[str | None, str | None]:
    """Return the qualified name, None where nothing has it, and a relation's estimated rows."""
    written = ".".join(identifier(name) for name in target.names)
    if target.catalog == "relation":
        return await _relation(lease, written)
    if target.catalog == "function":
        given = target.arguments
        signature = None if given is None else f"{written}({', '.join(given)})"
        return await lease.value(
            load("confirm", "function", lease.server_version), written, signature, list(given or ())
        ), None
    if target.catalog == "type":
        return await lease.value(load("confirm", "type", lease.server_version), written), None
    if target.catalog == "part":
        owner = ".".join(identifier(name) for name in target.names[:-1])
        relation, rows = await _relation(lease, owner)
        if relation is None:
            return None, None
        return f"{relation}.{await lease.value(QUOTED, target.names[-1])}", rows
    quoted = [await lease.value(QUOTED, name) or name for name in target.names]
    return ".".join(quoted), None


async def _relation(lease: Lease, written: str) -> tuple[str | None, str | None]:
    found = await lease.rows(load("confirm", "relation", lease.server_version), written)
    return (found[0]["name"], found[0]["rows"]) if found else (None, None)
