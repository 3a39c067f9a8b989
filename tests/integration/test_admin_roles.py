"""pg_admin on roles: made with passwords that work, changed within bounds, dropped when free."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.administering import (
    calling,
    drops,
    one,
    refusal,
    report,
    role,
    rows,
    session,
)
from tests.witness import eventually

NAME = 'admin "bob"; x'
SINCE_ADMIN_OPTION = 16


@pytest.fixture
async def clean(cluster: ThrowawayCluster) -> AsyncIterator[None]:
    """Drop what a test makes, before and after it."""
    statement = "; ".join(
        f'DROP ROLE IF EXISTS "{name}"' for name in ("admin_new", "admin_bob", 'admin ""bob""; x')
    )
    await cluster.execute(statement)
    yield
    await cluster.execute(statement)


@pytest.mark.usefixtures("clean")
async def test_a_role_that_logs_in_gets_a_password_that_works(
    cluster: ThrowawayCluster, database: str, call: Call
) -> None:
    answer = await report(call, "create_role", name=NAME, attributes=["LOGIN", "CREATEDB"])
    password = answer["rows"][0][3]

    async with session(cluster, database, user=NAME, password=password) as opened:
        assert await opened.fetchval("SELECT current_user") == NAME
    assert "shown this once" in answer["remarks"][0]
    assert (await one(call, "roles", name=NAME))["attributes"] == "LOGIN, CREATEDB"


async def what_is_logged(cluster: ThrowawayCluster, database: str) -> object:
    """Return log_statement as a new session finds it."""
    async with session(cluster, database) as fresh:
        return await fresh.fetchval("SHOW log_statement")


@pytest.mark.usefixtures("clean")
async def test_the_clear_password_never_reaches_the_server(
    cluster: ThrowawayCluster, database: str, call: Call
) -> None:
    """The log has every statement, and PostgreSQL stores the verifier that was sent."""
    await cluster.execute("ALTER SYSTEM SET log_statement = 'all'; ")
    await cluster.execute("SELECT pg_reload_conf()")
    await eventually(lambda: what_is_logged(cluster, database), lambda what: what == "all")
    answer = await one(call, "create_role", name="admin_new", attributes=["LOGIN"])
    await cluster.execute("ALTER SYSTEM RESET log_statement")
    await cluster.execute("SELECT pg_reload_conf()")

    async with session(cluster, database) as opened:
        stored = await opened.fetchval(
            "SELECT rolpassword FROM pg_authid WHERE rolname = 'admin_new'"
        )
    assert stored.startswith("SCRAM-SHA-256$4096:")
    log = cluster.log.read_text(errors="replace")
    assert 'CREATE ROLE "admin_new" LOGIN PASSWORD' in log
    assert answer["password"] not in log


@pytest.mark.usefixtures("clean")
async def test_a_role_without_login_or_without_a_password_gets_none(call: Call) -> None:
    group = await one(call, "create_role", name="admin_new")
    peer = await one(call, "create_role", name="admin_bob", attributes=["LOGIN", "PASSWORD NULL"])

    assert "password" not in group
    assert "password" not in peer
    assert (group["attributes"], peer["attributes"]) == ("NOLOGIN", "LOGIN")


@pytest.mark.usefixtures("clean")
async def test_a_role_is_changed_renamed_and_given_a_new_password(
    cluster: ThrowawayCluster, database: str, call: Call
) -> None:
    await one(call, "create_role", name="admin_bob", attributes=["LOGIN"])

    changed = await one(
        call,
        "alter_role",
        name="admin_bob",
        to="admin_new",
        attributes=["PASSWORD", "CONNECTION LIMIT 3", "VALID UNTIL '2099-01-01 00:00+00'"],
    )

    assert changed["role"] == "admin_new"
    assert "CONNECTION LIMIT 3, VALID UNTIL '2099-01-01 00:00:00+00'" in changed["attributes"]
    async with session(cluster, database, user="admin_new", password=changed["password"]) as opened:
        assert await opened.fetchval("SELECT 1") == 1


@pytest.mark.usefixtures("clean")
async def test_a_moment_that_is_none_is_postgresqls_error(call: Call) -> None:
    text = await refusal(
        call, "create_role", name="admin_new", attributes=["LOGIN", "VALID UNTIL 'yesterdayish'"]
    )

    assert 'error 22007: invalid input syntax for type timestamp with time zone: "yesterd' in text
    assert "SCRAM" not in text
    assert await rows(call, "roles", name="admin_new") == []


@pytest.mark.usefixtures("clean")
async def test_a_role_that_exists_is_postgresqls_error(call: Call) -> None:
    await one(call, "create_role", name="admin_new")

    assert 'error 42710: role "admin_new" already exists' in await refusal(
        call, "create_role", name="admin_new"
    )


async def test_predefined_roles_are_listed_when_asked_for(call: Call) -> None:
    ordinary = await rows(call, "roles")
    predefined = await rows(call, "roles", name="pg_read*")

    assert not [row for row in ordinary if row["name"].startswith("pg_")]
    assert {"pg_read_all_data", "pg_read_all_stats"} <= {row["name"] for row in predefined}


async def test_superusers_and_the_gateways_own_roles_are_left_alone(
    cluster: ThrowawayCluster, call: Call
) -> None:
    async with role(cluster, "admin_super", "LOGIN SUPERUSER"):
        superuser = await refusal(call, "alter_role", name="admin_super", attributes=["PASSWORD"])
        dropped = await refusal(call, "drop_role", name="admin_super", confirm="admin_super")
    own = await refusal(call, "alter_role", name="postgres", attributes=["NOLOGIN"])
    gone = await refusal(call, "drop_role", name="postgres", confirm="postgres")

    assert "does not change superusers" in superuser
    assert "does not drop superusers" in dropped
    assert 'role "postgres" is one that the gateway itself uses' in own
    assert 'role "postgres" is one that the gateway itself uses' in gone


async def test_a_role_of_the_gateway_is_left_alone_even_when_it_is_not_in_use(
    cluster: ThrowawayCluster, call: Call
) -> None:
    async with role(cluster, "pgmcp_read"):
        text = await refusal(call, "alter_role", name="pgmcp_read", attributes=["CREATEROLE"])

    assert "the gateway itself uses" in text


async def test_alter_role_with_nothing_to_do_says_so(call: Call) -> None:
    assert "changes nothing as it stands" in await refusal(call, "alter_role", name="nobody")


async def test_a_role_that_is_not_there_is_named(call: Call) -> None:
    text = await refusal(call, "alter_role", name="admin_none", attributes=["LOGIN"])

    assert 'name: role "admin_none" does not exist. pg_admin action=roles lists them' in text


async def test_dropping_a_role_needs_its_name_and_says_what_goes(
    cluster: ThrowawayCluster, call: Call
) -> None:
    async with (
        role(cluster, "admin_group", "NOLOGIN"),
        role(cluster, "admin_bob", then="GRANT admin_group TO admin_bob"),
    ):
        text = await refusal(call, "drop_role", name="admin_bob")
        answer = await one(call, "drop_role", name="admin_bob", confirm="admin_bob")
        await cluster.execute("CREATE ROLE admin_bob")

    assert "DROP ROLE admin_bob (LOGIN; it leaves admin_group)" in text
    assert answer == {"role": "admin_bob", "change": "dropped"}


async def test_a_role_that_owns_something_is_not_dropped_and_it_is_listed(
    cluster: ThrowawayCluster, database: str, call: Call
) -> None:
    await cluster.execute(
        "CREATE SCHEMA admin_owned; CREATE TABLE admin_owned.t (id int);"
        "CREATE ROLE admin_owns; ALTER TABLE admin_owned.t OWNER TO admin_owns;"
        "GRANT USAGE ON SCHEMA admin_owned TO admin_owns",
        database=database,
    )
    await cluster.execute(
        "CREATE TABLE admin_elsewhere (id int); ALTER TABLE admin_elsewhere OWNER TO admin_owns"
    )

    text = await refusal(call, "drop_role", name="admin_owns", confirm="admin_owns")

    assert 'role "admin_owns" cannot be dropped: 3 objects depend on it' in text
    assert "owner of table admin_owned.t" in text
    assert "privileges on schema admin_owned" in text
    assert 'owner of 1 object in database "postgres"' in text
    assert 'REASSIGN OWNED BY "admin_owns" TO …; DROP OWNED BY "admin_owns"' in text
    assert f"in postgres, {database}, a superuser" in text
    await cluster.execute("DROP SCHEMA admin_owned CASCADE", database=database)
    await cluster.execute(f"DROP TABLE admin_elsewhere; {drops('admin_owns')}")


async def test_a_login_without_createrole_learns_which_grant_it_lacks(
    cluster: ThrowawayCluster, database: str
) -> None:
    async with (
        role(cluster, "admin_plain"),
        role(cluster, "admin_bob"),
        calling(cluster, database, "admin_plain") as plain,
    ):
        creating = await refusal(plain, "create_role", name="admin_never", attributes=["LOGIN"])
        altering = await refusal(plain, "alter_role", name="admin_bob", attributes=["CREATEDB"])
        dropping = await refusal(plain, "drop_role", name="admin_bob", confirm="admin_bob")

    assert "error 42501: permission denied to create role" in creating
    assert "SCRAM" not in creating
    assert "ALTER ROLE admin_plain CREATEROLE" in creating
    assert "error 42501: permission denied" in altering
    assert "error 42501: permission denied to drop role" in dropping


async def test_createrole_reaches_only_its_own_roles_from_16_on(
    cluster: ThrowawayCluster, database: str
) -> None:
    """Below 16 CREATEROLE reaches every ordinary role; from 16 on ADMIN OPTION decides."""
    refused = cluster.major >= SINCE_ADMIN_OPTION
    async with (
        role(cluster, "admin_maker", "LOGIN CREATEROLE"),
        role(cluster, "admin_bob"),
        calling(cluster, database, "admin_maker") as maker,
    ):
        await one(maker, "create_role", name="admin_new", attributes=["LOGIN"])
        await one(maker, "alter_role", name="admin_new", attributes=["CONNECTION LIMIT 2"])
        await one(maker, "drop_role", name="admin_new", confirm="admin_new")
        text = await (refusal if refused else _change)(
            maker, "alter_role", name="admin_bob", attributes=["CONNECTION LIMIT 2"]
        )

    assert ('GRANT "admin_bob" TO admin_maker WITH ADMIN OPTION' in text) is refused


@pytest.mark.usefixtures("clean")
async def test_createrole_is_not_given_where_it_reaches_programs(
    cluster: ThrowawayCluster, call: Call
) -> None:
    refused = cluster.major < SINCE_ADMIN_OPTION

    text = await (refusal if refused else _change)(
        call, "create_role", name="admin_new", attributes=["CREATEROLE"]
    )

    assert ("reaches the server's files and programs below PostgreSQL 16" in text) is refused


async def _change(call: Call, action: str, **arguments: object) -> str:
    return str(await one(call, action, **arguments))
