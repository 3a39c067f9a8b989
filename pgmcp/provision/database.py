"""
One database: everything that the login roles need and must not have in it.

Owns the order of the parts; the operator's run over all databases is `server`'s.
"""

from __future__ import annotations

from pgmcp.database import CATALOGS_ONLY, Lease
from pgmcp.errors import CallerError
from pgmcp.provision.apply import apply
from pgmcp.provision.capabilities import plan_functions
from pgmcp.provision.excepted import plan_excepted
from pgmcp.provision.grants import plan_connect, plan_defaults, plan_relations, plan_schemas
from pgmcp.provision.owners import plan_owners
from pgmcp.provision.statements import plan_statements
from pgmcp.provision.step import Options, Outcome, Plan, is_true, shown
from pgmcp.provision.wanted import ROLES
from pgmcp.sql import load

LOCK = 7_310_868_735_421  # an advisory lock's key that nobody else is likely to use


async def plan_database(lease: Lease, options: Options, *, is_default: bool = False) -> Plan:
    """
    Say what *lease*'s database lacks; only looks, so that `doctor` can ask too.

    *is_default*: it is the one of calls that name none, where pg_stat_statements belongs. The
    plan's steps are in the order in which they must run. The six roles need not exist yet.
    """
    version, name = lease.server_version, lease.database
    rows = await lease.rows(load("provision", "databases", version), list(ROLES))
    database = next((row for row in rows if row["name"] == name), None)
    if database is None:
        raise CallerError(f'database "{name}" does not exist any more. Nothing was changed in it.')
    server = (await lease.rows(load("provision", "server", version)))[0]
    ownership = await plan_owners(lease, database, is_superuser=is_true(server["is_superuser"]))
    ddl_creates = not ownership.acts_as_owner
    schemas = await lease.rows(load("provision", "schemas", version), list(ROLES))
    relations = await lease.rows(load("provision", "relations", version), list(ROLES))
    creators = await lease.rows(load("provision", "creators", version), list(ROLES))
    return (
        (await plan_statements(lease) if is_default else Plan())
        + plan_connect(database)
        + ownership.plan
        + plan_schemas(schemas, name, options, ddl_creates=ddl_creates)
        + plan_relations(relations, name, options)
        + plan_excepted(schemas, relations, name, options)
        + plan_defaults(creators, options, ddl_creates=ddl_creates)
        + await plan_functions(lease)
    )


async def provision_database(
    lease: Lease, options: Options | None = None, *, is_default: bool = False
) -> Outcome:
    """
    Do in *lease*'s database what its login may, and tell the rest.

    *lease* may be a transaction or outside of one; PostgreSQL 18 keeps a lock on every table named
    in a GRANT until the transaction ends, so thousands of tables need the latter. Its login is a
    superuser or pgmcp_admin, who may do all of it in a database of its own but lend other owners
    (before PostgreSQL 16), hand on functions, and arrange for what superusers make.
    `Outcome.failed` holds sentences with the statements left to the operator.

    Raises:
        QueryFailed: another run was at work in this database for longer than the lock's limit.
    """
    # As in a run of the operator's: whoever may create in a schema here must not be asked.
    scope = "SET LOCAL" if lease.in_transaction else "SET"
    await lease.command(f"{scope} search_path = {CATALOGS_ONLY}")
    # A session's lock ends with the lease, whose connection is then cleaned.
    kind = "xact_lock" if lease.in_transaction else "lock"
    await lease.command(f"SELECT pg_catalog.pg_advisory_{kind}({LOCK})")
    plan = await plan_database(lease, options or Options(), is_default=is_default)
    return await apply(lease, plan, where=f"{shown(lease.database)}: ")
