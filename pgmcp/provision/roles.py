"""
The six login roles: made, and kept as they were meant.

Owns the roles themselves; what they may do in a database is others'.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pgmcp.database import Lease
from pgmcp.database.quote import identifier, literal
from pgmcp.errors import AccessDenied
from pgmcp.logins import ROLE_OF
from pgmcp.provision.step import Options, Plan, Row, Step, is_true, parts, unite
from pgmcp.provision.wanted import (
    ADMIN,
    MARK,
    PURPOSE,
    ROLES,
    attributes,
    connections,
    role_settings,
)
from pgmcp.settings import Settings
from pgmcp.sql import load

VERSIONS_PER_MAJOR = 10_000
COLUMN_OF = {
    "SUPERUSER": "rolsuper",
    "CREATEDB": "rolcreatedb",
    "CREATEROLE": "rolcreaterole",
    "INHERIT": "rolinherit",
    "REPLICATION": "rolreplication",
    "BYPASSRLS": "rolbypassrls",
}


async def plan_roles(lease: Lease, settings: Settings, options: Options) -> Plan:
    """
    Say what has to be done so that the roles are there and no more than they should be.

    Raises:
        AccessDenied: a role of that name is somebody else's, or a superuser.
    """
    major = lease.server_version // VERSIONS_PER_MAJOR
    rows = await lease.rows(load("provision", "roles", lease.server_version), list(ROLES))
    known = {str(row["role"]): row for row in rows}
    for role, row in known.items():
        _refuse(role, row, options)
    plans = []
    for login, role in ROLE_OF.items():
        found = known.get(role)
        if found is None:
            comment = f"{MARK}: {PURPOSE[login]}."
            plans.append(_create(role, comment, major, settings, options))
        else:
            plans.append(_keep(role, found, major, settings, options))
        plans.append(_settings(role, found, major, settings))
    return unite(plans)


def _refuse(role: str, row: Row, options: Options) -> None:
    """Leave alone what only has the name of one of ours."""
    if not (row["comment"] or "").startswith(MARK):
        raise AccessDenied(
            f"role {role} exists and was not made by pgmcp provision. Nothing was changed. Rename "
            f"or drop it; if it is yours to give: COMMENT ON ROLE {role} IS {literal(MARK)};"
        )
    if is_true(row["rolsuper"]) and not (role == ADMIN and options.superuser_admin):
        wanted = " or repeat with --superuser-admin." if role == ADMIN else ""
        raise AccessDenied(
            f"role {role} is a superuser, which no privilege holds back. Nothing was changed. Run "
            f"ALTER ROLE {role} NOSUPERUSER;{wanted}"
        )


def _create(role: str, comment: str, major: int, settings: Settings, options: Options) -> Plan:
    words = [word if has else f"NO{word}" for word, has in attributes(role, major, options).items()]
    limit = connections(role, settings)
    return Plan(
        steps=(
            Step(
                sql=f"CREATE ROLE {role} LOGIN {' '.join(words)} CONNECTION LIMIT {limit};\n"
                f"COMMENT ON ROLE {role} IS {literal(comment)}",
                what=f"create role {role}",
            ),
        )
    )


def _keep(role: str, row: Row, major: int, settings: Settings, options: Options) -> Plan:
    wrong = {
        word: has
        for word, has in attributes(role, major, options).items()
        if is_true(row[COLUMN_OF[word]]) is not has
    }
    words = [word if has else f"NO{word}" for word, has in wrong.items()]
    steps = []
    if words:
        steps.append(
            Step(sql=f"ALTER ROLE {role} {' '.join(words)}", what=f"set {role} {', '.join(words)}")
        )
    limit, wanted = int(row["connection_limit"] or -1), connections(role, settings)
    if 0 <= limit < wanted:
        steps.append(
            Step(
                sql=f"ALTER ROLE {role} CONNECTION LIMIT {wanted}",
                what=f"set the connection limit of {role} to {wanted}, as pools.total needs",
            )
        )
    return Plan(steps=tuple(steps), notes=tuple(_oddities(role, row)))


def _oddities(role: str, row: Row) -> Iterator[str]:
    if not is_true(row["rolcanlogin"]):
        yield (
            f"{role} may not log in (NOLOGIN), so its level is closed; to open it: "
            f"ALTER ROLE {role} LOGIN;"
        )
    if is_true(row["owns"]) and role not in (ROLE_OF["ddl"], ADMIN):
        yield (
            f"{role} owns objects, which it can change whatever is granted; in their database: "
            f"REASSIGN OWNED BY {role} TO …;"
        )


def _settings(role: str, row: Row | None, major: int, settings: Settings) -> Plan:
    given = parts(row["settings"]) if row else frozenset()
    wanted = role_settings(role, major, settings)
    if row and "default_transaction_read_only" in wanted and not is_true(row["reads_only"]):
        given -= {"default_transaction_read_only"}
    missing = {name: value for name, value in wanted.items() if name not in given}
    if not missing:
        return Plan()
    sql = ";\n".join(
        f"ALTER ROLE {role} SET {name} = {literal(value)}" for name, value in missing.items()
    )
    return Plan(steps=(Step(sql=sql, what=f"set {', '.join(missing)} for {role}"),))


def grant_role(granted: str, role: str) -> str:
    """Return the statement that makes *role* a member of *granted*."""
    return f"GRANT {identifier(granted)} TO {identifier(role)}"


def names_of(rows: Sequence[Row], column: str) -> list[str]:
    """Return one column of *rows*."""
    return [str(row[column]) for row in rows]
