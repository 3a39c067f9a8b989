"""
Membership in roles: granted and revoked, with its options.

Owns GRANT role and REVOKE role; what would reach the operating system stays the operator's.
"""

from __future__ import annotations

from collections.abc import Sequence

from pgmcp.database import Lease
from pgmcp.database.quote import identifier
from pgmcp.errors import AccessDenied, CallerError
from pgmcp.results import Result
from pgmcp.sql import load
from pgmcp.tools.admin.attributes import chosen
from pgmcp.tools.admin.granting import PUBLIC, Change, describe, sentence
from pgmcp.tools.admin.names import confirmable
from pgmcp.tools.admin.objects import Found
from pgmcp.tools.admin.params import AdminParams
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

MEMBER_WORDS: tuple[str, ...] = ("ADMIN OPTION",)
MEMBER_WORDS_16: tuple[str, ...] = (
    *MEMBER_WORDS,
    "INHERIT TRUE",
    "INHERIT FALSE",
    "SET TRUE",
    "SET FALSE",
)
MEMBER_OPTIONS_16: tuple[str, ...] = ("ADMIN OPTION", "INHERIT OPTION", "SET OPTION")
PREDEFINED = "pg_"


async def change_membership(
    call: Call, lease: Lease, params: AdminParams, change: Change
) -> Result:
    """
    Grant or revoke membership in the target's role.

    Raises:
        AccessDenied: the role is the gateway's own, reaches the server's files and programs, or
            the membership is another grantor's.
    """
    role, version = change.target.parts[0], lease.server_version
    await _check(call, lease, params, change)
    options = _options(params, change, version)
    before = await lease.value(load("admin", "membership", version), role, params.to)
    if change.cascade:
        what = f"REVOKE {identifier(role)} FROM {change.to} with all that it passed on (CASCADE)"
        require_value(
            call,
            confirmable(role),
            params.confirm,
            what,
            database=lease.database,
            sealed=[what, *options, before],
        )
    who = await own_name(lease)
    with hinting(needing_createrole(lease, who, _hint(lease, who, role))):
        for option in options:
            await lease.command(sentence(change, identifier(role), option))
    after = await lease.value(load("admin", "membership", version), role, params.to)
    if not change.grants and before is not None and before == after and lease.notices:
        raise AccessDenied(
            f'"{params.to}" is still in "{role}": {after}. PostgreSQL says: '
            f"{'; '.join(lease.notices)}.",
            hint="a membership is revoked by the role that granted it, or by a member of that.",
        )
    quoted = identifier(role)
    return describe(
        change,
        "membership",
        Found(identity=quoted, acl=before),
        Found(identity=quoted, acl=after),
        lease.notices,
    )


async def _check(call: Call, lease: Lease, params: AdminParams, change: Change) -> None:
    role = change.target.parts[0]
    if params.privileges:
        raise CallerError(
            'privileges does not go with on="role …", which grants membership. Leave it out.'
        )
    if change.to == PUBLIC:
        raise CallerError("PUBLIC cannot be a member of a role. Give a role in to.")
    await find_role(lease, "on", role)
    await refuse_own(call, lease, role, "change members of")
    dangerous = await lease.rows(load("admin", "dangerous_roles", lease.server_version), role)
    if change.grants and dangerous:
        names = ", ".join(str(row["role"]) for row in dangerous)
        raise AccessDenied(
            f'membership in "{role}" would pass on the rights of {names}, which reach the '
            "server's files and programs; pg_admin does not grant it. The operator does that with "
            "psql."
        )


def _options(params: AdminParams, change: Change, version: int) -> Sequence[str]:
    """Return the options for one statement each: REVOKE takes only one at a time."""
    given = params.attributes or ()
    if change.grants:
        known = MEMBER_WORDS_16 if version >= SINCE_ADMIN_OPTION else MEMBER_WORDS
        return (", ".join(chosen(given, known)),)
    options = MEMBER_OPTIONS_16 if version >= SINCE_ADMIN_OPTION else MEMBER_WORDS
    return chosen(given, options) or ("",)


def _hint(lease: Lease, who: str, role: str) -> str:
    hint = (
        f"members are changed by a role with ADMIN OPTION: GRANT {identifier(role)} TO {who} WITH "
        "ADMIN OPTION; the operator runs it."
    )
    if lease.server_version < SINCE_ADMIN_OPTION and not role.startswith(PREDEFINED):
        hint += f" Below PostgreSQL 16 CREATEROLE serves as well: ALTER ROLE {who} CREATEROLE."
    return hint
