"""Every tool with a login role for each level: what works, and how a gap is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pgmcp.logins import ROLE_OF
from pgmcp.settings import load
from tests.cluster import installed_binaries
from tests.integration.provisioning import Server, owned_database, server
from tests.people import Person, gateway_with, refusal
from tests.process import GatewayProcess, start_gateway
from tests.scenario import play
from tests.scenario.python_client import connected, type_of_era

MAJORS = sorted(installed_binaries())
APP, LATE = "roles_app", "roles_late"
SHOP = """
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY);
CREATE TABLE shop.secret (id integer);
CREATE SEQUENCE shop.numbers;
CREATE FUNCTION shop.hidden() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE VIEW shop.open_secret AS SELECT id FROM shop.secret;
"""
OPERATOR = "the operator closes the gap with: pgmcp provision"
NOBODY = {"PGUSER": "nobody_at_all"}  # the operator's own login is not there to fall back to
ADMINISTERED = [
    pytest.param({"action": "vacuum", "table": "shop.orders"}, id="vacuum"),
    pytest.param({"action": "analyze", "schema": "shop"}, id="analyze"),
    pytest.param({"action": "reindex", "table": "shop.orders"}, id="reindex"),
    pytest.param({"action": "extensions", "full": True}, id="extensions"),
    pytest.param({"action": "create_extension", "name": "pg_trgm"}, id="create_extension"),
    pytest.param({"action": "set", "name": "work_mem", "value": "8MB", "database": APP}, id="set"),
    pytest.param({"action": "reset", "name": "work_mem", "database": APP}, id="reset"),
    pytest.param({"action": "set", "name": "work_mem", "value": "8MB"}, id="set the server's"),
    pytest.param({"action": "reset", "name": "work_mem"}, id="reset the server's"),
    pytest.param({"action": "reload"}, id="reload"),
    pytest.param({"action": "roles"}, id="roles"),
    pytest.param({"action": "databases"}, id="databases"),
    pytest.param({"action": "reset_statistics"}, id="reset_statistics"),
    pytest.param({"action": "reset_statistics", "table": "shop.orders"}, id="of a table"),
    pytest.param({"action": "reset_statistics", "name": "bgwriter"}, id="of the server"),
    pytest.param(
        {"action": "grant", "on": "table shop.orders", "to": "PUBLIC", "privileges": ["SELECT"]},
        id="grant",
    ),
    pytest.param(
        {"action": "revoke", "on": "table shop.orders", "to": "PUBLIC", "privileges": ["SELECT"]},
        id="revoke",
    ),
]


@pytest.fixture(scope="module", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def provisioned(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Start a cluster of each major version, for the roles of which there is one set."""
    with server(request.param) as started:
        yield started


@pytest.fixture(scope="module")
async def ready(provisioned: Server) -> Server:
    """Make a shop, let the roles in, and then take a part of it away from them."""
    await owned_database(provisioned.cluster, APP, SHOP)
    await provisioned.cluster.execute("CREATE TABLE public.rooted (a integer)", database=APP)
    await provisioned.provision()
    await provisioned.cluster.execute(
        "REVOKE ALL ON shop.secret, shop.numbers FROM pgmcp_read, pgmcp_write;"
        "REVOKE ALL ON FUNCTION shop.hidden() FROM PUBLIC;",
        database=APP,
    )
    return provisioned


@pytest.fixture
async def ana(ready: Server, tmp_path: Path) -> AsyncIterator[Person]:
    """Hold somebody who calls a gateway that has nothing but the roles."""
    directory = {"PGMCP_BACKUP_DIRECTORY": str(tmp_path)}
    environment = ready.environment(APP) | NOBODY | directory
    async with gateway_with(load(environ=environment)) as gateway:
        yield Person(gateway)


@pytest.fixture(scope="module")
def serving(ready: Server) -> Iterator[GatewayProcess]:
    """Run a gateway with the roles as a process of its own."""
    with start_gateway(ready.environment(APP) | NOBODY) as process:
        yield process


@pytest.mark.parametrize("era", ["2025-11-25", "2026-07-28"])
async def test_the_whole_scenario_plays_with_login_roles(
    serving: GatewayProcess, era: type_of_era
) -> None:
    async with connected(serving.url, era) as caller:
        assert await play(caller) > 50


@pytest.mark.parametrize("arguments", ADMINISTERED)
async def test_an_action_of_pg_admin_works_as_its_role(
    ana: Person, arguments: dict[str, object]
) -> None:
    assert "-- " in (await ana.call("pg_admin", **arguments)).text


async def test_each_level_is_its_own_role(ana: Person) -> None:
    who = "SELECT current_user, session_user"
    handle = await ana.begin(mode="ddl")

    read = (await ana.query(who)).text
    write = (await ana.write(who)).text
    ddl = (await ana.query(who, session_id=handle)).text
    await ana.tx("rollback", session_id=handle)

    assert "pgmcp_read\tpgmcp_read" in read
    assert "pgmcp_write\tpgmcp_write" in write
    assert "\tpgmcp_ddl" in ddl


@pytest.mark.parametrize("form", [{}, {"explain": "plan"}, {"explain": "analyze"}])
async def test_a_change_is_planned_as_who_may_make_it(ana: Person, form: dict[str, object]) -> None:
    answer = await ana.write("INSERT INTO shop.orders VALUES (1) ON CONFLICT DO NOTHING", **form)

    assert "-- " in answer.text


async def test_explain_of_a_change_in_sql_is_planned_too(ana: Person) -> None:
    assert "Insert on" in (await ana.query("EXPLAIN INSERT INTO shop.orders VALUES (2)")).text


GAPS = [
    pytest.param(
        "SELECT * FROM shop.secret",
        "read",
        "pgmcp_read may not SELECT from shop.secret",
        "GRANT SELECT ON shop.secret TO pgmcp_read",
        id="table",
    ),
    pytest.param(
        "INSERT INTO shop.secret VALUES (1)",
        "write",
        "pgmcp_write lacks INSERT, SELECT on shop.secret",
        "GRANT INSERT, SELECT ON shop.secret TO pgmcp_write",
        id="table to write to",
    ),
    pytest.param(
        "SELECT nextval('shop.numbers')",
        "write",
        "pgmcp_write lacks USAGE on SEQUENCE shop.numbers",
        "GRANT USAGE ON SEQUENCE shop.numbers TO pgmcp_write",
        id="sequence",
    ),
    pytest.param(
        "SELECT shop.hidden()",
        "read",
        "pgmcp_read lacks EXECUTE on FUNCTION hidden",
        "GRANT EXECUTE ON FUNCTION hidden TO pgmcp_read",
        id="function",
    ),
]


@pytest.mark.parametrize(("sql", "mode", "gap", "grant"), GAPS)
async def test_a_permission_error_names_the_gap_and_what_closes_it(
    ana: Person, sql: str, mode: str, gap: str, grant: str
) -> None:
    text = await refusal(ana.query(sql, mode=mode))

    assert text.startswith("error 42501: permission denied")
    assert f"hint: {gap}; {OPERATOR} (or {grant})." in text


async def test_the_grant_that_is_named_closes_the_gap(ana: Person, ready: Server) -> None:
    await ready.cluster.execute("GRANT SELECT ON shop.secret TO pgmcp_read", database=APP)
    try:
        answer = await ana.query("SELECT count(*) FROM shop.secret")
    finally:
        await ready.cluster.execute("REVOKE SELECT ON shop.secret FROM pgmcp_read", database=APP)

    assert answer.text.splitlines()[1] == "0"


async def test_what_a_superuser_owns_is_told(ana: Person) -> None:
    sql = "ALTER TABLE public.rooted ADD b integer"

    text = await refusal(ana.call("pg_schema", action="alter", sql=sql))

    assert "hint: pgmcp_ddl does not own table rooted" in text
    assert "ALTER TABLE rooted OWNER TO" in text


async def test_a_gap_inside_a_transaction_is_that_of_its_role(ana: Person) -> None:
    handle = await ana.begin(mode="write")
    text = await refusal(ana.query("SELECT * FROM shop.secret", session_id=handle))
    await ana.tx("rollback", session_id=handle)

    assert "pgmcp_write may not SELECT from shop.secret" in text


async def test_a_view_of_somebody_who_lacks_it_is_not_blamed_on_the_role(
    ana: Person, ready: Server
) -> None:
    await ready.cluster.execute(
        "GRANT SELECT ON shop.secret TO pgmcp_read; CREATE ROLE roles_clerk;"
        "ALTER VIEW shop.open_secret OWNER TO roles_clerk;"
        "GRANT SELECT ON shop.open_secret TO pgmcp_read",
        database=APP,
    )
    try:
        text = await refusal(ana.query("SELECT * FROM shop.open_secret"))
    finally:
        await ready.cluster.execute(
            "REVOKE SELECT ON shop.secret FROM pgmcp_read;"
            "DROP OWNED BY roles_clerk; DROP ROLE roles_clerk",
            database=APP,
        )

    assert "pgmcp_read itself has the privilege" in text


async def test_a_new_database_is_open_to_the_roles_at_once(ana: Person) -> None:
    await ana.call("pg_admin", action="create_database", name=LATE)
    try:
        made = "CREATE TABLE public.t (a integer)"
        await ana.call("pg_schema", action="create", sql=made, database=LATE)
        await ana.write("INSERT INTO public.t VALUES (7)", database=LATE)

        assert await ana.cell("SELECT a FROM public.t", database=LATE) == "7"
    finally:
        await ana.call("pg_admin", action="drop_database", name=LATE, confirm=LATE, full=True)


async def test_a_role_that_is_gone_is_told_with_what_brings_it_back(
    ana: Person, ready: Server
) -> None:
    await ready.cluster.execute("ALTER ROLE pgmcp_write RENAME TO pgmcp_gone")
    try:
        text = await refusal(ana.write("SELECT 1"))
    finally:
        await ready.cluster.execute("ALTER ROLE pgmcp_gone RENAME TO pgmcp_write")
        await ready.provision()

    assert "PostgreSQL refused the login role pgmcp_write" in text
    assert "The operator runs pgmcp provision" in text


async def test_a_database_that_is_closed_to_the_role_is_told(ana: Person, ready: Server) -> None:
    await ready.cluster.create_database(LATE)
    await ready.cluster.execute(f"REVOKE CONNECT ON DATABASE {LATE} FROM PUBLIC")
    try:
        text = await refusal(ana.query("SELECT 1", database=LATE))
    finally:
        await ready.cluster.drop_database(LATE)

    assert f'PostgreSQL refused the login role pgmcp_read in database "{LATE}"' in text
    assert "permission denied for database" in text


@pytest.mark.parametrize("role", ROLE_OF.values())
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"action": "alter_role", "attributes": ["NOLOGIN"]}, id="alter"),
        pytest.param({"action": "drop_role"}, id="drop"),
    ],
)
async def test_no_login_role_is_changed(
    ana: Person, role: str, arguments: dict[str, object]
) -> None:
    text = await refusal(ana.call("pg_admin", name=role, confirm=None, **arguments))

    assert f'role "{role}" is one that the gateway itself uses' in text


@pytest.mark.parametrize("role", ROLE_OF.values())
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"on": "schema shop", "privileges": ["ALL"]}, id="privilege"),
        pytest.param({"on": "role pg_monitor"}, id="membership"),
    ],
)
async def test_no_login_role_is_given_more(
    ana: Person, role: str, arguments: dict[str, object]
) -> None:
    text = await refusal(ana.call("pg_admin", action="grant", to=role, **arguments))

    assert f'role "{role}" is one that the gateway itself uses' in text


@pytest.mark.parametrize("role", ROLE_OF.values())
async def test_nobody_becomes_a_member_of_a_login_role(ana: Person, role: str) -> None:
    text = await refusal(ana.call("pg_admin", action="grant", on=f"role {role}", to="app owner"))

    assert f'role "{role}" is one that the gateway itself uses' in text


async def test_a_backup_is_made_as_its_own_role(ana: Person, ready: Server) -> None:
    await ready.cluster.execute("GRANT SELECT ON shop.secret TO pgmcp_backup", database=APP)
    program = installed_binaries()[ready.cluster.major].bin / "pg_dump"
    gateway = ana._call.settings
    backup = gateway.backup.model_copy(update={"pg_dump": str(program)})
    async with gateway_with(gateway.model_copy(update={"backup": backup})) as other:
        answer = await Person(other).call("pg_admin", action="backup")

    assert ".dump" in answer.text
