"""
What a destructive statement needs before it runs: the names of what it would change.

Owns the comparison and the refusal's words; asks PostgreSQL how it resolves the names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgmcp.database import Lease
from pgmcp.database.quote import identifier
from pgmcp.errors import ConfirmationNeeded
from pgmcp.grammar import Target
from pgmcp.sql import load
from pgmcp.statement import Statement

QUOTED = "SELECT pg_catalog.quote_ident($1) AS name"
NAMED = 10  # of what goes along
CATALOGS = {
    "relation": "pg_class",
    "part": "pg_class",
    "function": "pg_proc",
    "type": "pg_type",
    "schema": "pg_namespace",
}
MORE = "; pg_schema dry_run=true shows all"


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """
    Hold what PostgreSQL takes a target for: its qualified name and a relation's estimated rows.

    *oid* is the object's, or of a part its relation's; None where nothing is looked up by it.
    """

    name: str
    rows: str | None = None
    oid: str | None = None


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
        found = await _resolve(lease, target)
        if found is None or found.name in names:
            continue
        names.append(found.name)
        about = f", about {found.rows} rows" if found.rows not in (None, "0") else ""
        along = await _along(lease, target, found)
        facts.append(f"{target.verb}: {found.name}{about}{along}")
    if names:
        drops = any(target.along == "dropped" for target in statement.targets)
        require_value(",".join(names), confirm, "; ".join(facts), more=MORE if drops else "")


def require_value(wanted: str, confirm: str | None, what: str, *, more: str = "") -> None:
    """
    Refuse unless *confirm* equals *wanted*; spaces around commas do not count.

    *what* says in a few words what would happen, *more* where one learns more of it.
    """
    given = ",".join(part.strip() for part in (confirm or "").split(","))
    if wanted in (given, confirm):  # a quoted name may itself hold a comma and a space
        return
    mismatch = f' confirm="{confirm}" does not match.' if confirm else ""
    raise ConfirmationNeeded(
        f"not confirmed, nothing was done. It would {what}.{mismatch}",
        hint=f'to go ahead, repeat the call with confirm="{wanted}"{more}',
    )


async def _resolve(lease: Lease, target: Target) -> Resolved | None:
    """Return what a target is; None where nothing has its name."""
    written = ".".join(identifier(name) for name in target.names)
    if target.catalog in ("relation", "type", "schema"):
        return await _look(lease, target.catalog, written)
    if target.catalog == "function":
        given = target.arguments
        signature = None if given is None else f"{written}({', '.join(given)})"
        return await _look(lease, "function", written, signature, list(given or ()))
    if target.catalog == "part":
        owner = ".".join(identifier(name) for name in target.names[:-1])
        found = await _look(lease, "relation", owner)
        if found is None:
            return None
        name = f"{found.name}.{await lease.value(QUOTED, target.names[-1])}"
        return Resolved(name=name, rows=found.rows, oid=found.oid)
    quoted = [await lease.value(QUOTED, name) or name for name in target.names]
    return Resolved(name=".".join(quoted))


async def _look(lease: Lease, catalog: str, *arguments: object) -> Resolved | None:
    rows = await lease.rows(load("confirm", catalog, lease.server_version), *arguments)
    if not rows:
        return None
    return Resolved(name=str(rows[0]["name"]), rows=rows[0].get("rows"), oid=rows[0]["oid"])


async def _along(lease: Lease, target: Target, found: Resolved) -> str:
    """Return what would go along, in words."""
    version, oid = lease.server_version, found.oid
    if not target.along or oid is None:
        return ""
    if target.along != "dropped":
        only_cascade = "t" if target.along == "deleted" else "f"
        rows = await lease.rows(load("confirm", "referencing", version), oid, only_cascade)
        return _taking("rows go in" if target.along == "deleted" else "also empties", rows)
    column: str | None = "0"
    if target.catalog == "part":
        column = await lease.value(load("confirm", "column", version), oid, target.names[-1])
    if column is None:  # a trigger, policy or rule, on which nothing depends
        return ""
    catalog = CATALOGS[target.catalog]
    rows = await lease.rows(load("schema", "dependants", version), catalog, oid, column)
    shown = [{"name": f"{row['kind']} {row['name']}"} for row in rows]
    if catalog == "pg_class":
        keys = await lease.rows(load("confirm", "foreign_keys", version), oid, column)
        shown += [{"name": f"foreign key {row['name']}"} for row in keys]
    return _taking("also drops", shown)


def _taking(verb: str, rows: Sequence[Mapping[str, str | None]]) -> str:
    if not rows:
        return ""
    rest = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return f", {verb} {', '.join(str(row['name']) for row in rows[:NAMED])}{rest}"
