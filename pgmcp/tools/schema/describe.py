"""
What pg_schema describe gathers: every fact that one needs to write correct SQL for an object.

Owns which queries belong to which kind of object; the text is `rendering`'s.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pgmcp.database import Lease
from pgmcp.errors import CallerError
from pgmcp.tools.base import Answer, Call
from pgmcp.tools.schema.names import Found, find
from pgmcp.tools.schema.page import Facts, Page, without_nothing
from pgmcp.tools.schema.reading import fact_of, facts_of, reading
from pgmcp.tools.schema.rendering import lines_of

if TYPE_CHECKING:
    from pgmcp.tools.schema.params import SchemaParams

REST = "Read the rest with pg_query from information_schema, pg_get_viewdef or pg_get_functiondef."
SECTIONS = (
    "types",
    "constraints",
    "referenced_by",
    "indexes",
    "triggers",
    "policies",
    "statistics",
)
EXPRESSIONS = {"constraints", "indexes", "triggers", "policies", "statistics"}
CATALOGS = {"relation": "pg_class", "type": "pg_type", "routine": "pg_proc"}


async def describe(call: Call, params: SchemaParams) -> Answer:
    """
    Describe the object that the call names.

    Raises:
        CallerError: no such object (with the nearest names), or several.
    """
    started = time.perf_counter()
    call.record.names = (params.schema_, params.name)

    async def work(lease: Lease) -> Facts:
        found = await find(lease, params.name or "", schema=params.schema_, kind=params.kind)
        return await gather(lease, found)

    facts = await reading(call, work, database=params.database, session_id=params.session_id)
    page = Page(lines=lines_of, max_bytes=call.settings.limits.max_bytes, rest=REST)
    elapsed = (time.perf_counter() - started) * 1000
    return page.answer(facts, milliseconds=elapsed, format=params.format)


async def gather(lease: Lease, found: Found) -> Facts:
    """Return the facts of one object; it may be dropped meanwhile, which is an error as well."""
    if found.catalog == "relation":
        facts = await _relation(lease, found)
    elif found.catalog == "routine":
        facts = await fact_of(lease, "routine", found.oid)
    elif found.catalog == "type":
        facts = await fact_of(lease, "type", found.oid)
    elif found.catalog == "schema":
        facts = await fact_of(lease, "space", found.oid)
    else:
        facts = await fact_of(lease, "extension", found.oid)
    if not facts:
        raise CallerError(f"{found.kind} {found.shown} was dropped while it was described.")
    if found.catalog in CATALOGS:
        dependants = await facts_of(lease, "dependants", CATALOGS[found.catalog], found.oid, 0)
        facts["used_by"] = dependants
    acl, owner = facts.pop("acl", None), facts.get("owner")
    if acl is not None:
        facts["privileges"] = await facts_of(lease, "privileges", _acl_text(acl), owner)
    facts["also_named_so"] = list(found.also)
    return without_nothing(facts)


def _acl_text(acl: object) -> str:
    """Return the access list as PostgreSQL's array text; row_to_json makes it a list of texts."""
    entries = acl if isinstance(acl, list) else []
    quoted = (str(entry).replace("\\", "\\\\").replace('"', '\\"') for entry in entries)
    return "{" + ",".join(f'"{entry}"' for entry in quoted) + "}"


async def _relation(lease: Lease, found: Found) -> Facts:
    facts = await fact_of(lease, "relation", found.oid)
    if not facts:
        return {}
    if facts["kind"] == "sequence":
        return facts | await fact_of(lease, "sequence", found.oid)
    if facts["kind"] == "index":
        return facts | await fact_of(lease, "index", found.oid)
    definition = facts.pop("definition", None)
    locked = bool(facts.get("locked"))
    facts["columns"] = await facts_of(lease, "columns", found.oid, "true" if locked else "false")
    for query in SECTIONS:
        # PostgreSQL prints an expression only with a lock on its table.
        if not (locked and query in EXPRESSIONS):
            facts[query] = await facts_of(lease, query, found.oid)
    family = await facts_of(lease, "family", found.oid)
    for role in ("partition of", "inherits", "inherited by", "partition"):
        members = [member for member in family if member["role"] == role]
        key = "partitions" if role == "partition" else role.replace(" ", "_")
        facts[key] = [{k: v for k, v in member.items() if k != "role"} for member in members]
    facts["partition_count"] = len(facts["partitions"]) or None
    facts["definition"] = definition
    return facts
