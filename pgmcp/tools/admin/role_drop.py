"""
Dropping a role: what stands in the way, who can clear it, and the drop itself.

Owns DROP ROLE; reassigns and drops nothing that the role owns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pgmcp.database import Lease
from pgmcp.database.quote import identifier
from pgmcp.errors import AccessDenied, CallerError
from pgmcp.results import Result
from pgmcp.sql import load
from pgmcp.tools.admin.names import confirmable
from pgmcp.tools.admin.params import AdminParams
from pgmcp.tools.admin.report import counted, done, first_of
from pgmcp.tools.admin.standing import (
    SINCE_ADMIN_OPTION,
    find_role,
    hinting,
    needing_createrole,
    own_name,
    refuse_own,
)
from pgmcp.tools.base import Call
from pgmcp.tools.confirm import require_value

OUT_OF_REACH = "(out of your reach)"
NAMED = 10  # objects named in a refusal; the rest is counted


async def drop_role(call: Call, params: AdminParams) -> Result:
    """Drop a role that owns nothing and holds no privileges any more."""
    name = params.name or ""
    async with call.databases.write(params.database, level="admin") as lease:
        role = await find_role(lease, "name", name)
        await refuse_own(call, lease, name, "drop")
        if role["is_superuser"] == "t":
            raise AccessDenied(
                f'role "{name}" is a superuser; pg_admin does not drop superusers. The operator '
                "does that with psql."
            )
        found = await lease.rows(
            load("admin", "role_dependencies", lease.server_version), role["oid"]
        )
        if found:
            raise _standing_in_the_way(lease, name, [_told(call, row) for row in found])
        sealed = [role[fact] for fact in ("oid", "attributes", "member_of", "members")]
        require_value(
            call,
            confirmable(name),
            params.confirm,
            _what(role),
            database=lease.database,
            sealed=["DROP ROLE", *sealed],
        )
        who = await own_name(lease)
        with hinting(needing_createrole(lease, who, _hint(lease, who, name))):
            await lease.command(f"DROP ROLE {identifier(name)}")
    return done({"role": name, "change": "dropped"})


def _told(call: Call, row: Mapping[str, str | None]) -> Mapping[str, str | None]:
    """Leave out the name of a database that the caller may not reach."""
    database = row["database"]
    is_told = database is None or call.access.may_reach(database)
    return row if is_told else {**row, "database": OUT_OF_REACH}


def _what(role: Mapping[str, str | None]) -> str:
    facts = [str(role["attributes"])]
    if role["sessions"] != "0":
        facts.append(f"{counted(int(role['sessions'] or 0), 'session')} connected as it")
    if role["member_of"]:
        facts.append(f"it leaves {role['member_of']}")
    if role["members"]:
        facts.append(f"it has the members {role['members']}")
    return f"DROP ROLE {role['role']} ({'; '.join(facts)})"


def _standing_in_the_way(
    lease: Lease, name: str, found: Sequence[Mapping[str, str | None]]
) -> CallerError:
    """Name what depends on the role here, count what does elsewhere, and say who clears it."""
    named = [f"{row['relation']} {row['object']}" for row in found if row["object"]]
    elsewhere = [
        f"{row['relation']} {counted(int(row['objects'] or 0), 'object')} in database "
        f'"{row["database"]}"'
        for row in found
        if not row["object"]
    ]
    places = {row["database"] or lease.database for row in found}
    total = sum(int(row["objects"] or 0) for row in found)
    quoted = identifier(name)
    return CallerError(
        f'role "{name}" cannot be dropped: {counted(total, "object")} '
        f"depend{'s' if total == 1 else ''} on it: {first_of([*named, *elsewhere], NAMED)}.",
        hint=f"in {', '.join(sorted(places))}, a superuser (or a member of both roles) runs with "
        f"psql: REASSIGN OWNED BY {quoted} TO …; DROP OWNED BY {quoted}; then drop_role works. A "
        "single object changes its owner with pg_schema action=alter, a privilege goes with "
        "action=revoke.",
    )


def _hint(lease: Lease, who: str, name: str) -> str:
    if lease.server_version >= SINCE_ADMIN_OPTION:
        return (
            "Dropping a role needs CREATEROLE and ADMIN OPTION on it: GRANT "
            f"{identifier(name)} TO {who} WITH ADMIN OPTION; the operator runs it."
        )
    return f"Dropping a role needs CREATEROLE: ALTER ROLE {who} CREATEROLE; the operator runs it."
