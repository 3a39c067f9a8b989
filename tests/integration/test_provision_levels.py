"""What each login role of pgmcp provision may do, said by PostgreSQL itself."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import MAJORS
from tests.integration.provisioning import LOGINS, OWNER, Server, owned_database, server

DENIED, READ_ONLY, NOT_OWNER = "42501", "25006", "42501"
SQL = """
CREATE TABLE item (id serial PRIMARY KEY, name text);
INSERT INTO item (name) VALUES ('a');
CREATE VIEW named AS SELECT id, name FROM item;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM item;
CREATE TABLE part (id int) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
CREATE TABLE mine (owner text, note text);
ALTER TABLE mine ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON mine USING (owner = current_user);
INSERT INTO mine VALUES ('pgmcp_read', 'seen'), ('somebody', 'hidden');
"""


@pytest.fixture(scope="module", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
async def provisioned(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """Provision a server with one database of an ordinary owner."""
    with server(request.param) as made:
        await owned_database(made.cluster, "app", SQL)
        outcome = await made.provision()
        assert outcome.failed == ()
        yield made


CASES: list[tuple[str, str, str]] = [
    # what is read
    ("read", "SELECT FROM item", ""),
    ("read", "SELECT FROM named", ""),
    ("read", "SELECT FROM counted", ""),
    ("read", "SELECT FROM part", ""),
    ("read", "SELECT last_value FROM item_id_seq", ""),
    ("read", "SELECT rolpassword FROM pg_authid", DENIED),
    ("read", "SELECT FROM pg_user_mapping", DENIED),
    ("read", "SELECT pg_read_file('/etc/passwd')", DENIED),
    ("read", "SELECT pg_reload_conf()", DENIED),
    ("read", "INSERT INTO item (name) VALUES ('b')", READ_ONLY),
    ("read", "SET TRANSACTION READ WRITE; INSERT INTO item (name) VALUES ('b')", DENIED),
    ("read", "SET TRANSACTION READ WRITE; SELECT nextval('item_id_seq')", DENIED),
    ("read", "SET TRANSACTION READ WRITE; CREATE TABLE own ()", DENIED),
    ("read", "COPY item TO PROGRAM 'true'", DENIED),
    ("read", "SET ROLE pgmcp_write", DENIED),
    ("read", f'SET ROLE "{OWNER}"', DENIED),
    # what is written
    ("write", "SELECT FROM item", ""),
    ("write", "INSERT INTO item (name) VALUES ('b')", ""),
    ("write", "UPDATE named SET name = 'c'", ""),
    ("write", "DELETE FROM item", ""),
    ("write", "TRUNCATE item", ""),
    ("write", "TRUNCATE mine", DENIED),
    ("write", "INSERT INTO part VALUES (1)", ""),
    ("write", "SELECT setval('item_id_seq', 9)", ""),
    ("write", "LOCK TABLE item IN EXCLUSIVE MODE", ""),
    ("write", "REFRESH MATERIALIZED VIEW counted", DENIED),
    ("write", "CREATE TABLE own ()", DENIED),
    ("write", "ALTER TABLE item ADD more int", DENIED),
    ("write", "SET ROLE pgmcp_ddl", DENIED),
    ("write", "DELETE FROM pg_catalog.pg_class", DENIED),
    # what is made
    ("ddl", "CREATE TABLE own ()", ""),
    ("ddl", "ALTER TABLE item ADD more int", ""),
    ("ddl", "DROP TABLE item CASCADE", ""),
    ("ddl", "REFRESH MATERIALIZED VIEW counted", ""),
    ("ddl", "CREATE SCHEMA more", ""),
    ("ddl", "CREATE ROLE more", DENIED),
    ("ddl", "SET ROLE pgmcp_admin", DENIED),
    ("ddl", "SET ROLE postgres", DENIED),
    ("ddl", "CREATE FUNCTION f() RETURNS int LANGUAGE internal AS 'pg_backend_pid'", DENIED),
    ("ddl", "COPY item TO PROGRAM 'true'", DENIED),
    # what is administered
    ("admin", "ANALYZE item", ""),
    ("admin", "GRANT SELECT ON item TO pg_monitor", ""),
    ("admin", "CREATE EXTENSION hstore", ""),
    ("admin", "SELECT pg_reload_conf()", ""),
    ("admin", "SELECT pg_stat_reset()", ""),
    ("admin", "CHECKPOINT", ""),
    ("admin", "SET LOCAL log_min_duration_statement = 0", ""),
    ("admin", "ALTER ROLE pgmcp_read SUPERUSER", DENIED),
    ("admin", "ALTER ROLE pgmcp_backup PASSWORD 'x'", DENIED),
    ("admin", "GRANT pgmcp_backup TO pgmcp_admin", DENIED),
    ("admin", "GRANT pg_execute_server_program TO pgmcp_admin", DENIED),
    ("admin", "SET ROLE pgmcp_backup", DENIED),
    ("admin", "SELECT rolpassword FROM pg_authid", DENIED),
    ("admin", "COPY item TO PROGRAM 'true'", DENIED),
    ("admin", "SET LOCAL zero_damaged_pages = on", DENIED),
    # the two for single purposes
    ("monitor", "SELECT FROM item", DENIED),
    ("monitor", "SELECT last_value FROM item_id_seq", ""),
    ("monitor", "SELECT FROM pg_ls_waldir()", ""),
    ("monitor", "SHOW shared_preload_libraries", ""),
    ("monitor", "SELECT pg_reload_conf()", DENIED),
    ("backup", "SELECT FROM item", ""),
    ("backup", "SET TRANSACTION READ WRITE; INSERT INTO item (name) VALUES ('b')", DENIED),
    ("backup", "SET TRANSACTION READ WRITE; CREATE TABLE own ()", DENIED),
]


@pytest.mark.parametrize(
    ("login", "sql", "sqlstate"),
    [pytest.param(*case, id=f"{case[0]}: {case[1]}") for case in CASES],
)
async def test_a_role_may_do_what_its_level_says_and_no_more(
    provisioned: Server, login: str, sql: str, sqlstate: str
) -> None:
    assert await provisioned.sqlstate(login, "app", sql) == sqlstate


@pytest.mark.parametrize("login", LOGINS)
async def test_no_role_has_an_attribute_beyond_its_work(provisioned: Server, login: str) -> None:
    made = await provisioned.value(
        "SELECT concat_ws(' ', CASE WHEN rolsuper THEN 'super' END, "
        "CASE WHEN rolcreatedb THEN 'createdb' END, CASE WHEN rolcreaterole THEN 'createrole' END, "
        "CASE WHEN rolreplication THEN 'replication' END, "
        "CASE WHEN rolbypassrls THEN 'bypassrls' END) "
        f"FROM pg_roles WHERE rolname = 'pgmcp_{login}'"
    )

    # Below 16, CREATEROLE would give away every role.
    admin = "createdb createrole" if provisioned.cluster.major >= 16 else "createdb"
    assert made == {"admin": admin, "backup": "bypassrls"}.get(login, "")


async def test_policies_hold_for_readers_and_writers(provisioned: Server) -> None:
    async with provisioned.login("read", "app") as reader:
        seen = await reader.fetch("SELECT note FROM mine")
    async with provisioned.login("write", "app") as writer:
        changed = await writer.execute("UPDATE mine SET note = 'changed'")

    assert [row["note"] for row in seen] == ["seen"]
    assert changed == "UPDATE 0"


async def test_a_backup_is_whole_where_policies_hide_rows(provisioned: Server) -> None:
    """As pg_dump asks: with row_security off a hidden row is an error, not a gap."""
    async with provisioned.login("backup", "app") as session:
        await session.execute("SET row_security = off")
        notes = await session.fetch("SELECT note FROM mine ORDER BY note")

    assert [row["note"] for row in notes] == ["hidden", "seen"]


async def test_a_backup_holds_large_objects_of_others(provisioned: Server) -> None:
    """No privilege and no predefined role reads them all on PostgreSQL 15 to 18."""
    await provisioned.cluster.execute("SELECT lo_from_bytea(4242, 'abc')", database="app")

    async with provisioned.login("backup", "app") as session:
        content = await session.fetchval("SELECT lo_get(4242)")

    assert content == b"abc"


async def test_what_ddl_makes_is_the_owners_and_open_to_the_others(provisioned: Server) -> None:
    async with provisioned.login("ddl", "app") as session:
        await session.execute("CREATE SCHEMA later; CREATE TABLE later.on (id serial)")

    owner = await provisioned.value(
        "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'later.on'::regclass", "app"
    )
    assert owner == f'"{OWNER}"'
    assert await provisioned.sqlstate("read", "app", "SELECT FROM later.on") == ""
    assert await provisioned.sqlstate("write", "app", "INSERT INTO later.on DEFAULT VALUES") == ""
    assert (
        await provisioned.sqlstate("monitor", "app", "SELECT last_value FROM later.on_id_seq") == ""
    )


@pytest.mark.parametrize("maker", [OWNER, "postgres"])
async def test_what_an_owner_or_superuser_makes_later_is_open(
    provisioned: Server, maker: str
) -> None:
    await provisioned.cluster.execute(
        f'SET ROLE "{maker}"; CREATE TABLE "made by {maker}" ()', database="app"
    )

    assert await provisioned.sqlstate("read", "app", f'SELECT FROM "made by {maker}"') == ""


async def test_a_session_keeps_its_owner_after_a_reset(provisioned: Server) -> None:
    """The gateway cleans a connection with these, and the next one's objects are the owner's."""
    async with provisioned.login("ddl", "app") as session:
        await session.execute("SELECT set_config('role', 'none', false)")
        before = await session.fetchval("SELECT current_user")
        await session.execute("RESET SESSION AUTHORIZATION; RESET ALL")
        after = await session.fetchval("SELECT current_user")

    assert (before, after) == ("pgmcp_ddl", OWNER)
