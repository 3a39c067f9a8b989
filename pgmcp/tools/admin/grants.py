"""
GRANT and REVOKE: privileges on objects, on those made later, and membership in roles.

Owns both statements and tells what they changed: PostgreSQL only warns where it grants nothing.
"""

from __future__ import annotations

from pgmcp.database import Lease
from pgmcp.database.quote import identifier
from pgmcp.errors import AccessDenied, CallerError
from pgmcp.results import Result
from pgmcp.tools.admin.attributes import chosen
from pgmcp.tools.admin.granting import PUBLIC, Change, describe, sentence
from pgmcp.tools.admin.membership import change_membership
from pgmcp.tools.admin.names import confirmable
from pgmcp.tools.admin.objects import find
from pgmcp.tools.admin.params import AdminParams
from pgmcp.tools.admin.privileges import read_privileges
from pgmcp.tools.admin.standing import find_role, hinting, needing, own_name, refuse_own
from pgmcp.tools.admin.targets import read_target
from pgmcp.tools.base import Call
from pgmcp.tools.confirm import require_value

GRANT_OPTION = "GRANT OPTION"


async def grant(call: Call, params: AdminParams) -> Result:
    """Grant privileges on an object, or membership in a role, to one role or PUBLIC."""
    return await _change(call, params, grants=True)


async def revoke(call: Call, params: AdminParams) -> Result:
    """Revoke what `grant` gives; with params.full also what the role passed on (CASCADE)."""
    return await _change(call, params, grants=False)


async def _change(call: Call, params: AdminParams, *, grants: bool) -> Result:
    target = read_target(params.on or "")
    if params.owner is not None and target.form != "future":
        raise CallerError('owner belongs to on="future …": the role that makes the objects.')
    # Roles, settings and tablespaces are all databases', whichever one the call connects to.
    if target.kind in ("role", "parameter", "tablespace"):
        call.databases.require("admin", None, f"pg_admin action={params.action} on={target.kind}")
    elif target.kind == "database":
        call.databases.require("admin", target.parts[0], f"pg_admin action={params.action}")
    async with call.databases.write(params.database, level="admin") as lease:
        change = Change(
            grants=grants,
            target=target,
            to=await _grantee(call, lease, params.to or ""),
            cascade=params.full is True,
        )
        if target.form == "role":
            return await change_membership(call, lease, params, change)
        return await _privileges(call, lease, params, change)


async def _grantee(call: Call, lease: Lease, to: str) -> str:
    if to.upper() == PUBLIC:
        return PUBLIC
    await find_role(lease, "to", to)
    await refuse_own(call, lease, to, "change privileges of")
    return identifier(to)


async def _privileges(call: Call, lease: Lease, params: AdminParams, change: Change) -> Result:
    target, given = change.target, params.privileges or ()
    words = read_privileges(given, target.kind, target.columns, lease.server_version)
    option = bool(chosen(params.attributes or (), (GRANT_OPTION,)))
    maker = await _maker(lease, params) if target.form == "future" else ""
    before = await find(lease, target, maker=maker)
    if change.cascade:
        what = f"REVOKE {words} ON {before.identity} FROM {params.to} with all that it passed on"
        require_value(
            call,
            confirmable(before.identity),
            params.confirm,
            f"{what} (CASCADE)",
            database=lease.database,
            sealed=[what, maker, option, before.acl],
        )
    name = identifier(target.parts[0]) if target.form == "all" else before.identity
    on = target.keyword if target.form == "future" else f"{target.keyword} {name}"
    sql = sentence(change, f"{words} ON {on}", GRANT_OPTION if option else "")
    if target.form == "future":
        within = f" IN SCHEMA {identifier(target.parts[0])}" if target.parts else ""
        sql = f"ALTER DEFAULT PRIVILEGES FOR ROLE {identifier(maker)}{within} {sql}"
    who = await own_name(lease)
    noted = len(lease.notices)
    with hinting(needing(_hint(who, maker))):
        await lease.command(sql)
    after = await find(lease, target, maker=maker)
    notices = lease.notices[noted:]
    if notices and before.acl == after.acl:
        raise AccessDenied(
            f"nothing was changed on {before.identity}. PostgreSQL says: {'; '.join(notices)}.",
            hint=_hint(who, maker),
        )
    return describe(change, words, before, after, notices)


async def _maker(lease: Lease, params: AdminParams) -> str:
    """Return the role whose future objects are meant: params.owner, else the gateway's own."""
    if params.owner is None:
        return str(await lease.value("SELECT current_user"))
    await find_role(lease, "owner", params.owner)
    return params.owner


def _hint(who: str, maker: str) -> str:
    if maker:
        return (
            f"default privileges are changed by the role they belong to or a member of it: GRANT "
            f"{identifier(maker)} TO {who}; the operator runs it."
        )
    return (
        "privileges are given by the owner of the object, a superuser, or a role that has them "
        f"WITH GRANT OPTION: the owner can GRANT … TO {who} WITH GRANT OPTION."
    )
