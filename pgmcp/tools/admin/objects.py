"""
The object of a GRANT or REVOKE as the server resolves it, and its privileges at a moment.

Owns the look-up; changes nothing. What the system itself is made of is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from pgmcp.database import Lease
from pgmcp.database.quote import identifier
from pgmcp.errors import AccessDenied, CallerError
from pgmcp.sql import load
from pgmcp.tools.admin.guarded import refusal
from pgmcp.tools.admin.names import written
from pgmcp.tools.admin.targets import Target

CLASSES = {"table": "relation", "sequence": "relation", "domain": "type"}
SYSTEM_SCHEMAS = frozenset({"pg_catalog", "pg_toast", "information_schema"})
FUTURE_CODES = {
    "tables": "r",
    "sequences": "S",
    "functions": "f",
    "routines": "f",
    "types": "T",
    "schemas": "n",
}
SEQUENCE_KIND = "S"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """
    Hold a target that exists.

    *identity* is PostgreSQL's own spelling, quoted where needed; *acl* the privileges at the
    moment of the look-up, as aclitem texts, or the columns' where columns were named; *count*
    how many objects it covers.
    """

    identity: str
    acl: str | None
    count: int = 1


async def find(lease: Lease, target: Target, *, maker: str = "") -> Found:
    """
    Find what *target* names; *maker* is the role whose future objects are meant.

    Raises:
        CallerError: there is no such object, or it is of another kind.
        AccessDenied: it belongs to the system.
    """
    if target.form == "all":
        return await _all(lease, target)
    if target.form == "future":
        return await _future(lease, target, maker)
    if target.kind == "parameter":
        return await _parameter(lease, target)
    row_class = CLASSES.get(target.kind, target.kind)
    name = target.parts[0]
    if row_class in ("relation", "type"):
        name = written(target.parts)
    elif row_class == "function":
        row_class, name = _routine(target)
    sql = load("admin", "target", lease.server_version)
    rows = await lease.rows(sql, row_class, name)
    if not rows:
        raise CallerError(_missing(target))
    row = rows[0]
    if row["schema"] in SYSTEM_SCHEMAS or row["identity"] in SYSTEM_SCHEMAS:
        raise AccessDenied(_system(str(row["identity"])))
    if row_class == "relation" and (row["kind"] == SEQUENCE_KIND) != (target.kind == "sequence"):
        is_kind = "sequence" if row["kind"] == SEQUENCE_KIND else "table"
        raise CallerError(
            f'on: {row["identity"]} is not a {target.kind}. Write on="{is_kind} {row["identity"]}".'
        )
    acl = row["acl"]
    if target.columns:
        acl = await _columns(lease, target, str(row["oid"]), str(row["identity"]))
    return Found(identity=str(row["identity"]), acl=acl)


def _routine(target: Target) -> tuple[str, str]:
    if target.arguments is None:
        return "routine", written(target.parts)
    return "signature", f"{written(target.parts)}({target.arguments})"


async def _columns(lease: Lease, target: Target, oid: str, identity: str) -> str | None:
    sql = load("admin", "column_privileges", lease.server_version)
    rows = await lease.rows(sql, oid, list(target.columns))
    missing = set(target.columns) - {str(row["name"]) for row in rows}
    if missing:
        raise CallerError(
            f"on: {identity} has no column {', '.join(sorted(missing))}. "
            "pg_schema action=describe shows the columns."
        )
    return "; ".join(f"{row['name']}: {row['acl']}" for row in rows if row["acl"]) or None


async def _all(lease: Lease, target: Target) -> Found:
    schema = target.parts[0]
    await _require_schema(lease, schema)
    sql = load("admin", "schema_privileges", lease.server_version)
    row = (await lease.rows(sql, target.kind, schema))[0]
    count = int(row["objects"] or 0)
    if count == 0:
        raise CallerError(
            f'schema "{schema}" holds no {target.kind} now. Those made later are covered by '
            f'on="future {target.kind} in schema {identifier(schema)}".'
        )
    return Found(identity=identifier(schema), acl=row["acl"], count=count)


async def _future(lease: Lease, target: Target, maker: str) -> Found:
    schema = target.parts[0] if target.parts else None
    if schema is not None:
        await _require_schema(lease, schema)
    sql = load("admin", "default_privileges", lease.server_version)
    acl = await lease.value(sql, maker, schema, FUTURE_CODES[target.kind])
    where = f" in schema {identifier(schema)}" if schema is not None else ""
    return Found(identity=f"future {target.kind} of {identifier(maker)}{where}", acl=acl)


async def _require_schema(lease: Lease, schema: str) -> None:
    if schema in SYSTEM_SCHEMAS:
        raise AccessDenied(_system(schema))
    if not await lease.rows(load("admin", "target", lease.server_version), "schema", schema):
        raise CallerError(
            f'schema "{schema}" does not exist in database "{lease.database}". pg_schema '
            "action=list kind=schema lists them."
        )


async def _parameter(lease: Lease, target: Target) -> Found:
    name = ".".join(target.parts)
    rows = await lease.rows(load("admin", "parameter", lease.server_version), name)
    if not rows:
        raise CallerError(
            f'on: setting "{name}" does not exist. pg_admin action=setting name=… finds it.'
        )
    identity = str(rows[0]["identity"])
    if (reason := refusal(identity)) is not None:
        raise AccessDenied(reason)
    return Found(identity=written(tuple(identity.split("."))), acl=rows[0]["acl"])


def _missing(target: Target) -> str:
    name = ".".join(target.parts)
    if target.kind == "function":
        shown = name if target.arguments is None else f"{name}({target.arguments})"
        return (
            f"on: there is no single routine {shown}. Give its argument types, as in "
            f"function {name}(integer, text); pg_schema action=search finds it."
        )
    return (
        f"on: {target.kind} {name} does not exist. Names are folded to lower case unless they "
        'stand in double quotes: "Mixed Case". pg_schema action=list lists what there is.'
    )


def _system(identity: str) -> str:
    return (
        f"{identity} belongs to PostgreSQL's own catalogue; pg_admin does not change privileges "
        "there. A predefined role may serve (pg_monitor, pg_read_all_data); else the operator "
        "does it with psql."
    )
