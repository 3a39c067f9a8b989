"""What pgmcp provision opens in a database, and what it leaves closed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from pgmcp.provision import Options
from tests.conftest import MAJORS
from tests.integration.provisioning import LOGINS, OWNER, Server, owned_database, server

DENIED = "42501"


@pytest.fixture(scope="module", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def started(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Run one server of each major version for the module."""
    with server(request.param) as made:
        yield made


@pytest.fixture
async def fresh(started: Server) -> AsyncIterator[Server]:
    """Return a server with one database of an ordinary owner, not provisioned yet."""
    await owned_database(started.cluster, "app", "CREATE TABLE item (id serial, secret text)")
    yield started
    await started.clean()


async def test_columns_that_an_operator_chose_stay_all_that_is_read(fresh: Server) -> None:
    await fresh.provision()
    await fresh.cluster.execute(
        "REVOKE SELECT ON item FROM pgmcp_read; GRANT SELECT (id) ON item TO pgmcp_read",
        database="app",
    )

    outcome = await fresh.provision()

    assert outcome.done == ()
    assert await fresh.sqlstate("read", "app", "SELECT id FROM item") == ""
    assert await fresh.sqlstate("read", "app", "SELECT secret FROM item") == DENIED


@pytest.mark.parametrize("pattern", ["app.public.item", "*.public.it?m", "app.public"])
async def test_what_is_excepted_is_closed_again(fresh: Server, pattern: str) -> None:
    await fresh.provision()

    first = await fresh.provision(Options(excepted=(pattern,)))
    second = await fresh.provision(Options(excepted=(pattern,)))

    assert first.failed == ()
    assert second.done == ()
    assert await fresh.sqlstate("read", "app", "SELECT FROM item") == DENIED
    assert await fresh.sqlstate("write", "app", "DELETE FROM item") == DENIED


async def test_truncate_is_taken_where_policies_came_later(fresh: Server) -> None:
    """TRUNCATE asks no policy."""
    await fresh.provision()
    await fresh.cluster.execute("ALTER TABLE item ENABLE ROW LEVEL SECURITY", database="app")
    before = await fresh.sqlstate("write", "app", "TRUNCATE item")

    outcome = await fresh.provision()

    assert before == ""
    assert outcome.done == ("app: revoked TRUNCATE on 1 table from pgmcp_write",)
    assert await fresh.sqlstate("write", "app", "TRUNCATE item") == DENIED


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIEW v AS SELECT rolname, rolpassword FROM pg_authid",
        "CREATE VIEW w AS SELECT * FROM pg_shadow; CREATE VIEW v AS SELECT * FROM w",
        "CREATE MATERIALIZED VIEW v AS SELECT * FROM pg_user_mapping",
        "CREATE VIEW v AS SELECT 1 WHERE EXISTS (SELECT FROM pg_largeobject)",
    ],
)
async def test_a_superusers_view_of_secrets_is_not_opened(fresh: Server, sql: str) -> None:
    await fresh.provision()
    await fresh.cluster.execute(sql, database="app")
    new = await fresh.sqlstate("read", "app", "SELECT FROM v")

    outcome = await fresh.provision()

    assert new == ""  # by the default privileges, until the next run
    assert "not opened, as it reads password verifiers" in outcome.notes[-1]
    assert await fresh.sqlstate("read", "app", "SELECT FROM v") == DENIED


async def test_a_superusers_view_of_a_catalog_is_read_and_not_written(fresh: Server) -> None:
    await fresh.cluster.execute("CREATE VIEW v AS SELECT relname FROM pg_class", database="app")

    await fresh.provision()

    assert await fresh.sqlstate("read", "app", "SELECT FROM v") == ""
    assert await fresh.sqlstate("write", "app", "DELETE FROM v") == DENIED


async def test_publics_rights_are_never_changed(fresh: Server) -> None:
    await fresh.cluster.execute(
        "CREATE FUNCTION hidden() RETURNS int LANGUAGE sql AS 'SELECT 1'; "
        "REVOKE EXECUTE ON FUNCTION hidden() FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC",
        database="app",
    )
    acls = (
        "SELECT proacl FROM pg_proc UNION ALL SELECT nspacl FROM pg_namespace "
        "UNION ALL SELECT relacl FROM pg_class UNION ALL SELECT datacl FROM pg_database"
    )
    public = (
        "SELECT count(*), md5(string_agg(a::text, ' ' ORDER BY a::text)) "
        f"FROM ({acls}) AS s(acl) CROSS JOIN LATERAL aclexplode(acl) AS a WHERE a.grantee = 0"
    )
    before = await fresh.value(public, "app")

    await fresh.provision()

    assert await fresh.value(public, "app") == before
    assert await fresh.sqlstate("read", "app", "SELECT FROM item") == ""
    assert await fresh.sqlstate("read", "app", "SELECT hidden()") == DENIED


async def test_the_roles_connect_where_public_may_not(fresh: Server) -> None:
    await fresh.cluster.execute("REVOKE CONNECT ON DATABASE app FROM PUBLIC")

    outcome = await fresh.provision()

    assert (
        f"app: granted CONNECT to {', '.join(f'pgmcp_{name}' for name in LOGINS)}" in outcome.done
    )
    assert await fresh.sqlstate("monitor", "app", "SELECT") == ""


async def test_what_belongs_to_an_extension_is_left_alone(fresh: Server) -> None:
    await fresh.cluster.execute("CREATE EXTENSION pg_buffercache", database="app")

    await fresh.provision()

    assert await fresh.sqlstate("read", "app", "SELECT FROM pg_buffercache") == DENIED


async def test_read_all_is_asked_for_and_taken_back(fresh: Server) -> None:
    await fresh.provision(Options(read_all=True))
    opened = await fresh.sqlstate("read", "app", "SELECT FROM item")
    verifiers = await fresh.sqlstate("read", "app", "SELECT rolpassword FROM pg_authid")

    outcome = await fresh.provision()

    assert (opened, verifiers) == ("", "")
    assert outcome.done[0].startswith("revoked pg_read_all_data from pgmcp_read")
    assert await fresh.sqlstate("read", "app", "SELECT rolpassword FROM pg_authid") == DENIED
    assert await fresh.sqlstate("read", "app", "SELECT FROM item") == ""


async def test_whoever_may_create_is_arranged_for(fresh: Server) -> None:
    """Members of a group that may create, and roles with CREATE on a schema alone."""
    await fresh.cluster.execute(
        "CREATE ROLE makers; CREATE ROLE anna IN ROLE makers; CREATE ROLE otto; CREATE ROLE idle; "
        "GRANT CREATE ON SCHEMA public TO makers; CREATE SCHEMA theirs; "
        "GRANT USAGE, CREATE ON SCHEMA theirs TO otto",
        database="app",
    )

    await fresh.provision()

    await fresh.cluster.execute("SET ROLE anna; CREATE TABLE annas ()", database="app")
    await fresh.cluster.execute("SET ROLE otto; CREATE TABLE theirs.ottos ()", database="app")
    assert await fresh.sqlstate("read", "app", "SELECT FROM annas") == ""
    assert await fresh.sqlstate("read", "app", "SELECT FROM theirs.ottos") == ""
    arranged = await fresh.value(
        "SELECT count(*) FROM pg_default_acl WHERE defaclrole = 'idle'::regrole", "app"
    )
    assert arranged == 0


async def test_a_schema_where_everybody_creates_is_told(fresh: Server) -> None:
    await fresh.cluster.execute("GRANT CREATE ON SCHEMA public TO PUBLIC", database="app")

    outcome = await fresh.provision()

    assert outcome.notes[0].startswith("app: everybody may create in schema public; what roles")


async def test_many_tables_are_opened_in_a_few_statements(fresh: Server) -> None:
    await fresh.cluster.execute(
        f'SET ROLE "{OWNER}"; DO $$ BEGIN FOR i IN 1..1200 LOOP '
        "EXECUTE format('CREATE TABLE t%s ()', i); END LOOP; END $$",
        database="app",
    )

    outcome = await fresh.provision()

    assert [line for line in outcome.done if "SELECT on" in line and "table" in line] == [
        *["app: granted SELECT on 250 tables to pgmcp_read"] * 4,
        "app: granted SELECT on 201 tables to pgmcp_read",
    ]
