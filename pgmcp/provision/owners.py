"""
As whom pgmcp_ddl works in a database: as its owner, where that gives away nothing else.

Owns the judgement of owners; never lends a superuser, nor anybody who hands on more than tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgmcp.database import Lease
from pgmcp.database.quote import identifier, literal
from pgmcp.provision.memberships import too_much
from pgmcp.provision.roles import grant_role
from pgmcp.provision.step import Plan, Row, Step, counted, is_true, listed, shown, unite
from pgmcp.provision.wanted import ADMIN, DDL, ROLES
from pgmcp.sql import load


@dataclass(frozen=True, kw_only=True, slots=True)
class Ownership:
    """Say whether pgmcp_ddl *acts_as_owner* here, and what has to be done for it."""

    acts_as_owner: bool
    plan: Plan


async def plan_owners(lease: Lease, database: Row, *, is_superuser: bool) -> Ownership:
    """Decide as whom pgmcp_ddl works in this database; *database* is its row of databases.sql."""
    rows = await lease.rows(load("provision", "owners", lease.server_version))
    owner = next((row for row in rows if is_true(row["owns_database"])), None)
    if owner is not None and is_lendable(owner):
        plan = _act_as(lease.database, owner, database, is_superuser=is_superuser)
        return Ownership(acts_as_owner=True, plan=plan + _others(rows, owner))
    lendable = [row for row in rows if is_lendable(row)]
    plan = unite(_lend(row) for row in lendable)
    if database["ddl_acts_as"] is not None:
        reset = _setting(lease.database, None, is_superuser=is_superuser)
        plan += Plan(steps=(Step(sql=reset, what=f"let {DDL} act as itself"),))
    if owner is None or owner["owner"] != DDL:
        plan += _create_schemas(lease.database, database)
    return Ownership(acts_as_owner=False, plan=plan + _out_of_reach(rows))


def is_lendable(row: Row) -> bool:
    """
    Tell whether pgmcp_ddl may be made a member of an owner.

    Attributes are not inherited, but SET ROLE gives them: an owner who may make roles, replicate
    or pass by policies would give that to everybody of level ddl.
    """
    return not (row["owner"] in ROLES or is_true(row["in_circle"]) or too_much(row["hands_on"]))


def _lend(row: Row) -> Plan:
    if is_true(row["is_lent"]):
        return Plan()
    owner = str(row["owner"])
    return Plan(
        steps=(
            Step(
                sql=grant_role(owner, DDL),
                what=f"grant membership in {shown(owner)} to {DDL}",
                is_shared=True,
            ),
        )
    )


def _act_as(name: str, owner: Row, database: Row, *, is_superuser: bool) -> Plan:
    """Lend the owner and set the role in one step: without the first the second must not be."""
    role, parts = str(owner["owner"]), []
    if not is_true(owner["is_lent"]):
        parts.append(grant_role(role, DDL))
    if database["ddl_acts_as"] != role:
        parts.append(_setting(name, role, is_superuser=is_superuser))
    if not parts:
        return Plan()
    return Plan(steps=(Step(sql=";\n".join(parts), what=f"let {DDL} act as {shown(role)}"),))


def _setting(name: str, owner: str | None, *, is_superuser: bool) -> str:
    change = "RESET role" if owner is None else f"SET role = {literal(owner)}"
    sql = f"ALTER ROLE {DDL} IN DATABASE {identifier(name)} {change}"
    # Who is no superuser may not change the role's settings, but the role may, and its members.
    return sql if is_superuser else f"SET LOCAL ROLE {DDL};\n{sql};\nRESET ROLE"


def _create_schemas(name: str, database: Row) -> Plan:
    if f"{DDL}:CREATE" in (database["held"] or "").split(","):
        return Plan()
    return Plan(
        steps=(
            Step(
                sql=f"GRANT CREATE ON DATABASE {identifier(name)} TO {DDL}",
                what=f"grant CREATE on the database to {DDL}",
                may_act=is_true(database["may_act"]),
            ),
        )
    )


def _others(rows: Sequence[Row], owner: Row) -> Plan:
    """Say what the database's owner cannot change in it, and so pgmcp_ddl cannot either."""
    foreign = [row for row in rows if row is not owner and _tables(row)]
    if not foreign:
        return Plan()
    names = [str(row["owner"]) for row in foreign]
    note = (
        f"{DDL} acts as {shown(str(owner['owner']))} and cannot change "
        f"{counted(sum(map(_tables, foreign)), 'relation')} of {listed(names)}; to let it: "
        f"ALTER TABLE … OWNER TO {identifier(str(owner['owner']))};"
    )
    return Plan(notes=(note,))


def _out_of_reach(rows: Sequence[Row]) -> Plan:
    """Say whose tables pgmcp_ddl cannot change, and why."""
    notes = []
    for row in rows:
        if not _tables(row) or is_lendable(row) or row["owner"] in (DDL, ADMIN):
            continue
        owner = shown(str(row["owner"]))
        why = ", ".join(sorted(too_much(row["hands_on"]))) or f"membership in {DDL}"
        notes.append(
            f"{DDL} cannot change {counted(_tables(row), 'relation')} of {owner}, whom it may not "
            f"act as ({why}); to let it, give them to a role without: CREATE ROLE app_owner "
            "NOLOGIN; ALTER DATABASE … OWNER TO app_owner; ALTER TABLE … OWNER TO app_owner;"
        )
    return Plan(notes=tuple(notes))


def _tables(row: Row) -> int:
    return int(row["tables"] or 0)
