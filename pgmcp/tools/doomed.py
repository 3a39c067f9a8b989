"""
What a destructive statement would change beyond recall, as PostgreSQL resolves it now.

Owns the noun Doomed; names what goes along, and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pgmcp.database import Lease
from pgmcp.database.quote import identifier
from pgmcp.grammar import Target
from pgmcp.sql import load
from pgmcp.statement import Statement
from pgmcp.tools.consequences import Subject, mode_of

QUOTED = "SELECT pg_catalog.quote_ident($1) AS name"
CATALOGS = {
    "relation": "pg_class",
    "part": "pg_class",
    "function": "pg_proc",
    "type": "pg_type",
    "schema": "pg_namespace",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Doomed:
    """
    Hold one target: what happens to it and its qualified name.

    *oid* is the object's, or of a part its relation's; "" where nothing is looked up by it.
    *along* are the objects that go with it, *taking* the words for how. *locks* are the relations
    that would be locked, its own first.
    """

    verb: str
    name: str
    oid: str = ""
    taking: str = ""
    along: tuple[str, ...] = ()
    locks: tuple[Subject, ...] = ()


async def doomed_by(lease: Lease, statement: Statement) -> list[Doomed]:
    """Return what *statement* would destroy, in its order; what does not exist is left out."""
    doomed = []
    for target in statement.targets:
        found = await _resolve(lease, target, concurrently=statement.concurrently)
        if found is not None:
            doomed.append(await _with_along(lease, target, found))
    return doomed


async def _resolve(lease: Lease, target: Target, *, concurrently: bool) -> Doomed | None:
    verb = f"{target.verb} (ONLY)" if target.only else target.verb
    written = ".".join(identifier(name) for name in target.names)
    if target.catalog in ("type", "schema"):
        return await _look(lease, verb, target.catalog, written)
    if target.catalog == "function":
        given = target.arguments
        signature = None if given is None else f"{written}({', '.join(given)})"
        return await _look(lease, verb, "function", written, signature, list(given or ()))
    if target.catalog not in ("relation", "part"):
        quoted = [await lease.value(QUOTED, name) or name for name in target.names]
        return Doomed(verb=verb, name=".".join(quoted))
    if target.catalog == "part":
        written = ".".join(identifier(name) for name in target.names[:-1])
    found = await _look(lease, verb, "relation", written)
    if found is None:
        return None
    mode = mode_of(target, concurrently=concurrently)
    own = Subject(name=found.name, oid=found.oid, mode=mode, only=target.only)
    if target.catalog == "relation":
        return replace(found, locks=(own,))
    part = await lease.value(QUOTED, target.names[-1])
    return replace(found, name=f"{found.name}.{part}", locks=(own,))


async def _look(lease: Lease, verb: str, catalog: str, *arguments: object) -> Doomed | None:
    rows = await lease.rows(load("confirm", catalog, lease.server_version), *arguments)
    if not rows:
        return None
    return Doomed(verb=verb, name=str(rows[0]["name"]), oid=str(rows[0]["oid"]))


async def _with_along(lease: Lease, target: Target, found: Doomed) -> Doomed:
    """Return *found* with what would go along."""
    if not target.along or not found.oid:
        return found
    if target.along == "dropped":
        return replace(found, taking="also drops", along=await _dropped(lease, target, found))
    deletes = target.along == "deleted"
    sql = load("confirm", "referencing", lease.server_version)
    rows = await lease.rows(sql, found.oid, "t" if deletes else "f")
    mode = found.locks[0].mode
    reached = [Subject(name=str(row["name"]), oid=str(row["oid"]), mode=mode) for row in rows]
    return replace(
        found,
        taking="rows go in" if deletes else "also empties",
        along=tuple(subject.name for subject in reached),
        locks=(*found.locks, *reached),
    )


async def _dropped(lease: Lease, target: Target, found: Doomed) -> tuple[str, ...]:
    version, column = lease.server_version, "0"
    if target.catalog == "part":
        number = await lease.value(load("confirm", "column", version), found.oid, target.names[-1])
        if number is None:  # a trigger, policy or rule, on which nothing depends
            return ()
        column = number
    catalog = CATALOGS[target.catalog]
    rows = await lease.rows(load("confirm", "dropped", version), catalog, found.oid, column)
    return tuple(f"{row['kind']} {row['name']}" for row in rows)
