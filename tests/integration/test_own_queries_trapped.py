"""pgmcp's own queries run no operator or function that somebody has put in their way."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest

from pgmcp.database import codecs, pools
from pgmcp.database.backend import STATEMENTS
from pgmcp.doctor import examine
from pgmcp.errors import PgmcpError
from pgmcp.http import Gateway
from pgmcp.provision import Options
from pgmcp.provision.script import write_script
from pgmcp.settings import load
from pgmcp.sql import VERSIONS_PER_MAJOR
from pgmcp.sql import load as load_sql
from pgmcp.tools import reach
from pgmcp.tools.monitor import reading
from tests.cluster import installed_binaries
from tests.conftest import MAJORS
from tests.integration.provisioning import Server, owned_database, server
from tests.integration.schema_shop import SHOP
from tests.integration.trapped_calls import CALLS, DDL, ODD, READS, Arguments
from tests.people import Person, gateway_with
from tests.traps import SQLSTATE, WORDS, Watch, set_traps
from tests.unit.test_sql_files import ACTIONS

CONFIRM = re.compile(r'confirm="((?:[^"]|"(?=\w|[.,]))*)"')
EXTENSION = "CREATE EXTENSION pg_stat_statements SCHEMA shop;"
PROBED = """
SELECT pg_catalog.pg_describe_object(d.refclassid, d.refobjid, 0)
  FROM pg_catalog.pg_depend AS d
  JOIN pg_catalog.pg_proc AS p ON p.oid = d.objid AND p.proname = 'probe'
 WHERE d.classid = 'pg_proc'::regclass
   AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
"""


@pytest.fixture(scope="module", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
async def trapped(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """Prepare a server with traps in every database, also in the one that is copied."""
    with server(request.param) as made:
        await owned_database(
            made.cluster, "app", SHOP.replace(EXTENSION, f"RESET ROLE;{EXTENSION}")
        )
        await made.cluster.execute(ODD, database="app")
        await set_traps(made.cluster, "template1", "postgres", "app")
        yield made


@pytest.fixture(scope="module")
async def provisioned(trapped: Server) -> Server:
    watch = Watch(trapped.cluster)
    outcome = await trapped.provision()
    assert (watch.fired(), outcome.failed) == ([], ())
    return trapped


async def test_a_trap_catches_what_is_not_exact(trapped: Server) -> None:
    """Otherwise the other tests would prove nothing."""
    connection = await trapped.cluster.connect("app")

    with pytest.raises(asyncpg.PostgresError, match=WORDS) as caught:
        await connection.fetch("SELECT relname || ':' FROM pg_catalog.pg_class")
    await connection.close()

    assert caught.value.sqlstate == SQLSTATE


# pg_monitor's run with a search_path that holds PostgreSQL's own schema alone.
EXACT = [(tool, action) for tool, action in ACTIONS if tool != "monitor"]
STRINGS = {
    "types": codecs.TYPES + codecs.BUILT_IN,
    "own types": codecs.TYPES + codecs.USERS,
    "statements": STATEMENTS,
    "admitted": pools.ADMITTED,
    "databases": reach.NAMES,
    "narrow": reach.NARROW,
    "enter": reading.ENTER,
}


async def found_elsewhere(made: Server, sql: str) -> list[str]:
    """Return the operators and functions outside pg_catalog that *sql* means when it is parsed."""
    connection = await made.cluster.connect("app")
    try:
        await connection.execute("SET search_path = pg_catalog")
        kinds = (await connection.prepare(sql)).get_parameters()
        types = ", ".join(
            f'"{kind.name.removesuffix("[]")}"{kind.name[-2:] * kind.name.endswith("[]")}'
            for kind in kinds
        )
        await connection.execute("RESET search_path")
        # A view's or such a function's parts are what the parser took them for.
        await connection.execute(
            f"BEGIN; CREATE FUNCTION public.probe({types}) RETURNS SETOF record LANGUAGE sql "
            f"BEGIN ATOMIC {sql.strip().removesuffix(';')}; END; SET search_path = pg_catalog"
        )
        return [row[0] for row in await connection.fetch(PROBED)]
    finally:
        await connection.close()


@pytest.mark.parametrize(("tool", "action"), EXACT)
async def test_an_own_query_means_only_postgresqls_own(
    trapped: Server, tool: str, action: str
) -> None:
    sql = load_sql(tool, action, trapped.cluster.major * VERSIONS_PER_MAJOR)

    assert await found_elsewhere(trapped, sql) == []


@pytest.mark.parametrize("name", STRINGS)
async def test_an_own_string_means_only_postgresqls_own(trapped: Server, name: str) -> None:
    assert await found_elsewhere(trapped, STRINGS[name]) == []


async def test_provisioning_again_runs_nobodys_code(provisioned: Server) -> None:
    watch = Watch(provisioned.cluster)

    outcome = await provisioned.provision(Options(read_all=True))
    await write_script(provisioned.settings(), Options())

    assert (watch.fired(), outcome.failed) == ([], ())


async def test_the_doctor_runs_nobodys_code(provisioned: Server) -> None:
    watch = Watch(provisioned.cluster)

    findings = [finding async for finding in examine(provisioned.settings())]

    assert watch.fired() == []
    assert [finding.text for finding in findings if WORDS in finding.text] == []


async def test_a_path_that_puts_others_first_is_not_used(provisioned: Server) -> None:
    """The owner of a database may set it; every operator in every query would then be his."""
    path = 'ALTER DATABASE app SET search_path = "$user", public, pg_catalog'
    await provisioned.cluster.execute(path)
    try:
        settings = load(environ=provisioned.environment("app"))
        async with gateway_with(settings) as gateway:
            shown = await Person(gateway).cell("SHOW search_path")
            kept = await Person(gateway).cell("SELECT pg_catalog.current_schemas(true)")
    finally:
        await provisioned.cluster.execute("ALTER DATABASE app RESET search_path")

    assert shown == '"$user", public'
    assert kept == "{pg_catalog,public}"


@pytest.fixture(scope="module", params=["roles", "superuser"])
async def gateway(provisioned: Server, request: pytest.FixtureRequest) -> AsyncIterator[Gateway]:
    """Run a gateway with the login roles, and one with the superuser alone."""
    flags = {
        ("backup", "directory"): provisioned.state,
        ("backup", "pg_dump"): str(installed_binaries()[provisioned.cluster.major].bin / "pg_dump"),
    }
    if request.param == "superuser":
        flags["server", "roles"] = "shared"
    settings = load(environ=provisioned.environment("app"), flags=flags)
    async with gateway_with(settings) as made:
        yield made


def name_of(value: Arguments | str) -> str:
    return value if isinstance(value, str) else " ".join(map(str, value.values()))


async def said(person: Person, tool: str, arguments: Arguments) -> str:
    """Return what the caller reads; confirm what is asked."""
    try:
        return (await person.call(tool, **arguments)).text
    except PgmcpError as error:
        refused = "\n".join(error.lines())
    asked = CONFIRM.search(refused)
    if asked is None or "confirm" in arguments or "CASCADE" in str(arguments):
        return refused
    return await said(person, tool, {**arguments, "confirm": asked[1]})


@pytest.mark.parametrize(("tool", "arguments"), CALLS, ids=name_of)
async def test_a_call_runs_nobodys_code(
    provisioned: Server, gateway: Gateway, tool: str, arguments: Arguments
) -> None:
    watch = Watch(provisioned.cluster)

    await said(Person(gateway), tool, arguments)

    assert watch.fired() == []


@pytest.mark.parametrize("action", ["cancel", "terminate"])
async def test_a_signal_runs_nobodys_code(
    provisioned: Server, gateway: Gateway, action: str
) -> None:
    watch = Watch(provisioned.cluster)
    async with provisioned.login("write", "app") as session:
        pid = session.get_server_pid()

        told = await said(Person(gateway), "pg_admin", {"action": action, "pid": pid})

    assert watch.fired() == []
    assert str(pid) in told


async def test_a_transaction_runs_nobodys_code(provisioned: Server, gateway: Gateway) -> None:
    watch = Watch(provisioned.cluster)
    person = Person(gateway)

    handle = await person.begin(mode="ddl")
    await person.tx("savepoint", session_id=handle, name="here")
    told = [
        await said(person, "pg_query", {"sql": READS[0], "session_id": handle}),
        await said(
            person, "pg_query", {"sql": "DELETE FROM shop.order_items", "session_id": handle}
        ),
        await said(
            person, "pg_schema", {"action": "drop", "sql": DDL[-2][1], "session_id": handle}
        ),
        await said(person, "pg_schema", {"action": "list", "session_id": handle}),
        await said(
            person, "pg_schema", {"action": "describe", "name": "item", "session_id": handle}
        ),
    ]
    await person.tx("list")
    await person.tx("rollback_to", session_id=handle, name="here")
    await person.tx("commit", session_id=handle)

    assert watch.fired() == []
    assert [text for text in told if WORDS in text] == []
