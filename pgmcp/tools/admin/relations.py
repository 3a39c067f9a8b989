"""
The table or index that an action names, as PostgreSQL finds it.

Owns the look-up by `schema` and `table`; changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pgmcp.database import Lease
from pgmcp.database.quote import identifier, qualified
from pgmcp.errors import CallerError
from pgmcp.sql import load
from pgmcp.tools.admin.names import take_qualified, written
from pgmcp.tools.nearest import nearest

TABLE_KINDS = frozenset("rpmft")  # tables, partitioned ones, materialized views, foreign, TOAST
INDEX_KINDS = frozenset("iI")


@dataclass(frozen=True, kw_only=True, slots=True)
class Relation:
    """
    Hold one relation that exists.

    *identity* is its qualified and quoted name, *table_oid* the table of an index, *may_maintain*
    whether VACUUM, ANALYZE and REINDEX take it from this login instead of skipping it.
    """

    oid: str
    schema: str
    name: str
    identity: str
    kind: str
    owner: str
    owner_is_superuser: bool
    table_oid: str | None
    may_maintain: bool


async def find_relation(
    lease: Lease, schema: str | None, name: str, *, kinds: frozenset[str], what: str
) -> Relation:
    """
    Find *name* in *schema*, or along the search path where *schema* is None.

    A name is taken exactly as given; without *schema*, `shop.orders` is read by SQL's rules
    where nothing is called exactly that.

    Raises:
        CallerError: nothing is called so, or it is not *what* ("table", "index").
    """
    sql = load("admin", "relation", lease.server_version)
    candidates = [identifier(name) if schema is None else qualified(schema, name)]
    if schema is None and (taken := take_qualified(name)) is not None and not taken[1]:
        candidates.append(written(taken[0]))
    for candidate in candidates:
        if rows := await lease.rows(sql, candidate):
            found = relation_of(rows[0])
            if found.kind not in kinds:
                raise CallerError(f"{found.identity} is not a {what}. Name a {what}.")
            return found
    full = name if schema is None else f"{schema}.{name}"
    listed = await lease.rows(load("query", "relations", lease.server_version))
    near = nearest(full, [str(row["name"]) for row in listed])
    meant = f" The nearest names are: {', '.join(near)}." if near else ""
    raise CallerError(
        f'{what} "{full}" does not exist in database "{lease.database}".{meant} '
        "pg_schema action=list lists what there is."
    )


async def tables_of(lease: Lease, schema: str) -> list[Relation]:
    """
    Return the tables and materialized views of *schema* by name.

    Raises:
        CallerError: it holds none, or there is no such schema.
    """
    rows = await lease.rows(load("admin", "schema_tables", lease.server_version), schema)
    if not rows:
        raise CallerError(
            f'schema "{schema}" holds no tables in database "{lease.database}", or does not '
            "exist. pg_schema action=list kind=schema lists the schemas."
        )
    return [relation_of(row) for row in rows]


def relation_of(row: Mapping[str, str | None]) -> Relation:
    """Read one row of relation.sql or schema_tables.sql."""
    return Relation(
        oid=str(row["oid"]),
        schema=str(row["schema"]),
        name=str(row["name"]),
        identity=str(row["identity"]),
        kind=str(row["kind"]),
        owner=str(row["owner"]),
        owner_is_superuser=row["owner_is_superuser"] == "t",
        table_oid=row["table_oid"],
        may_maintain=row["may_maintain"] == "t",
    )
