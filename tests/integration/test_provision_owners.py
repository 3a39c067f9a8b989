"""As whom pgmcp_ddl works, and whom it never may be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from pgmcp.database import Databases
from pgmcp.provision import Options, provision_database
from tests.conftest import MAJORS
from tests.integration.provisioning import OWNER, Server, owned_database, server

DENIED = "42501"
ACTS_AS = (
    "SELECT setconfig[1] FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = setdatabase "
    "WHERE datname = 'app' AND setrole = 'pgmcp_ddl'::regrole"
)
IS_MEMBER = "SELECT pg_has_role('pgmcp_ddl', '{}', 'MEMBER')"


@pytest.fixture(scope="module", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def started(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Run one server of each major version for the module."""
    with server(request.param) as made:
        yield made


@pytest.fixture
async def fresh(started: Server) -> AsyncIterator[Server]:
    """Return a server with one database of an ordinary owner, not provisioned yet."""
    await owned_database(started.cluster, "app", "CREATE TABLE item (id serial)")
    yield started
    await started.clean()


@pytest.mark.parametrize(
    "makes_it_so",
    [
        pytest.param("ALTER ROLE {owner} SUPERUSER", id="superuser"),
        pytest.param("ALTER ROLE {owner} CREATEROLE", id="createrole"),
        pytest.param("ALTER ROLE {owner} REPLICATION", id="replication"),
        pytest.param("ALTER ROLE {owner} BYPASSRLS", id="bypassrls"),
        pytest.param("GRANT pg_execute_server_program TO {owner}", id="program"),
        pytest.param("GRANT pg_write_server_files TO {owner}", id="files"),
        pytest.param("GRANT pg_read_all_data TO {owner}", id="all data"),
        pytest.param(
            "CREATE ROLE between; GRANT between TO {owner}; GRANT postgres TO between", id="through"
        ),
    ],
)
async def test_an_owner_who_hands_on_more_is_not_lent(fresh: Server, makes_it_so: str) -> None:
    await fresh.cluster.execute(makes_it_so.format(owner=f'"{OWNER}"'))

    outcome = await fresh.provision()

    assert outcome.failed == ()
    assert await fresh.value(IS_MEMBER.format(OWNER)) is False
    assert await fresh.value(ACTS_AS) is None
    assert (
        f'app: pgmcp_ddl cannot change 1 relation of "{OWNER}", whom it may not' in outcome.notes[0]
    )
    assert await fresh.sqlstate("ddl", "app", "DROP TABLE item") == DENIED
    assert await fresh.sqlstate("ddl", "app", "CREATE TABLE own ()") == ""
    assert await fresh.sqlstate("ddl", "app", "CREATE SCHEMA own") == ""


async def test_an_owner_who_becomes_a_superuser_is_taken_back(fresh: Server) -> None:
    """Else everybody of level ddl would be one."""
    await fresh.provision()
    before = await fresh.value(ACTS_AS)
    await fresh.cluster.execute(f'ALTER ROLE "{OWNER}" SUPERUSER')

    outcome = await fresh.provision()

    assert before == f"role={OWNER}"
    assert outcome.done[:2] == (
        f'revoked "{OWNER}" from pgmcp_ddl, which hands on SUPERUSER',
        "app: let pgmcp_ddl act as itself",
    )
    assert await fresh.value(IS_MEMBER.format(OWNER)) is False
    assert await fresh.sqlstate("ddl", "app", f'SET ROLE "{OWNER}"') == DENIED


@pytest.mark.parametrize(
    ("role", "given"),
    [("read", "pg_write_server_files"), ("write", "postgres"), ("monitor", "pgmcp_admin")],
)
async def test_a_membership_that_undoes_the_levels_is_taken_away(
    fresh: Server, role: str, given: str
) -> None:
    await fresh.provision()
    await fresh.cluster.execute(f"GRANT {given} TO pgmcp_{role}")

    outcome = await fresh.provision()

    assert outcome.done[0].startswith(f"revoked {given} from pgmcp_{role}")
    assert await fresh.value(f"SELECT pg_has_role('pgmcp_{role}', '{given}', 'MEMBER')") is False


async def test_a_membership_that_an_operator_gave_is_left(fresh: Server) -> None:
    await fresh.provision()
    await fresh.cluster.execute(
        "CREATE ROLE group_of_readers; GRANT group_of_readers TO pgmcp_read"
    )

    outcome = await fresh.provision()

    assert outcome.done == ()
    assert await fresh.value("SELECT pg_has_role('pgmcp_read', 'group_of_readers', 'MEMBER')")


async def test_in_a_superusers_database_the_owners_of_tables_are_lent(fresh: Server) -> None:
    await fresh.cluster.execute(
        "ALTER DATABASE app OWNER TO postgres; CREATE TABLE kept ()", database="app"
    )

    outcome = await fresh.provision()

    assert await fresh.sqlstate("ddl", "app", "ALTER TABLE item ADD more int") == ""
    assert await fresh.sqlstate("ddl", "app", "ALTER TABLE kept ADD more int") == DENIED
    assert "app: pgmcp_ddl cannot change 1 relation of postgres" in outcome.notes[0]
    async with fresh.login("ddl", "app") as session:
        await session.execute("CREATE SCHEMA s; CREATE TABLE s.own ()")
    assert await fresh.sqlstate("read", "app", "SELECT FROM s.own") == ""


async def test_tables_of_others_than_the_owner_are_told(fresh: Server) -> None:
    await fresh.cluster.execute(
        "CREATE ROLE other; CREATE TABLE others (); ALTER TABLE others OWNER TO other",
        database="app",
    )

    outcome = await fresh.provision()

    (note,) = outcome.notes
    assert f'pgmcp_ddl acts as "{OWNER}" and cannot change 1 relation of other; to let' in note
    assert note.endswith(f'ALTER TABLE … OWNER TO "{OWNER}";')


async def test_an_owner_who_is_a_member_of_pgmcp_ddl_makes_no_circle(fresh: Server) -> None:
    await fresh.provision(Options(databases=("postgres",)))
    await fresh.cluster.execute(f'GRANT pgmcp_ddl TO "{OWNER}"')

    outcome = await fresh.provision()

    assert outcome.failed == ()
    assert await fresh.value(ACTS_AS) is None
    assert "(membership in pgmcp_ddl)" in outcome.notes[0]


async def test_a_new_owner_is_followed(fresh: Server) -> None:
    await fresh.provision()
    await fresh.cluster.execute("CREATE ROLE second; ALTER DATABASE app OWNER TO second")

    outcome = await fresh.provision()

    assert "app: let pgmcp_ddl act as second" in outcome.done
    assert await fresh.value(ACTS_AS) == "role=second"


async def test_pgmcp_admin_provisions_a_database_that_it_made(fresh: Server) -> None:
    """As pg_admin action=create_database does: what it may not is left to the operator."""
    await fresh.provision()
    async with fresh.login("admin", "postgres") as session:
        await session.execute("CREATE DATABASE made OWNER pgmcp_ddl TEMPLATE template0")

    databases = Databases(fresh.settings())
    async with databases.write("made", login="admin") as lease:
        outcome = await provision_database(lease)
    await databases.close()

    assert [line for line in outcome.failed if "postgres" not in line] == [
        line for line in outcome.failed if "EXECUTE" in line
    ]
    async with fresh.login("ddl", "made") as session:
        await session.execute("CREATE TABLE t ()")
    assert await fresh.sqlstate("read", "made", "SELECT FROM t") == ""
    assert await fresh.sqlstate("write", "made", "DELETE FROM t") == ""
    again = await fresh.provision()
    assert again.failed == ()


@pytest.fixture
def fresh_from_16(fresh: Server) -> Server:
    """Return the server, where pgmcp_admin may make roles."""
    if fresh.cluster.major < 16:
        pytest.skip("CREATEROLE would give away every role")
    return fresh


async def test_pgmcp_admin_lends_an_owner_that_it_made(fresh_from_16: Server) -> None:
    """Who makes a role has ADMIN on it."""
    fresh = fresh_from_16
    await fresh.provision()
    async with fresh.login("admin", "postgres") as session:
        await session.execute("CREATE ROLE newcomer")
        await session.execute("CREATE DATABASE made OWNER newcomer TEMPLATE template0")

    databases = Databases(fresh.settings())
    async with databases.write("made", login="admin") as lease:
        outcome = await provision_database(lease)
    await databases.close()

    assert "made: let pgmcp_ddl act as newcomer" in outcome.done
    async with fresh.login("ddl", "made") as session:
        assert await session.fetchval("SELECT current_user") == "newcomer"
    await fresh.cluster.execute("ALTER ROLE newcomer SUPERUSER")
    await fresh.provision()
    assert await fresh.value(IS_MEMBER.format("newcomer")) is False


async def test_without_the_right_to_it_nothing_is_done_and_all_is_told(fresh: Server) -> None:
    """PostgreSQL only warns of a GRANT without effect, which must not look like one."""
    await fresh.provision(Options(databases=("postgres",)))

    databases = Databases(fresh.settings())
    async with databases.write("app", login="admin") as lease:
        outcome = await provision_database(lease)
    await databases.close()

    assert outcome.done == (
        "app: set default privileges for what pgmcp_admin, pgmcp_ddl will make",
    )
    assert await fresh.value(ACTS_AS) is None
    assert any(
        line.startswith("app: grant SELECT on 1 table to pgmcp_read: only its owner or a superuser")
        for line in outcome.failed
    )
    remedies = ("A superuser can: ", "pgmcp provision --dry-run prints the statement")
    assert all(any(words in line for words in remedies) for line in outcome.failed)


async def test_a_lent_owner_cannot_be_left_for_another(fresh: Server) -> None:
    await fresh.provision()

    async with fresh.login("ddl", "app") as session:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await session.execute("SET SESSION AUTHORIZATION postgres")


async def test_databases_of_one_owner_share_the_membership(fresh: Server) -> None:
    await owned_database(fresh.cluster, "second")

    outcome = await fresh.provision()

    acts = f'let pgmcp_ddl act as "{OWNER}"'
    assert [line for line in outcome.done if acts in line] == [f"app: {acts}", f"second: {acts}"]
    async with fresh.login("ddl", "second") as session:
        assert await session.fetchval("SELECT current_user") == OWNER
