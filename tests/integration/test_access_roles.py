"""Every tool with a login role for each level: what works."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cluster import installed_binaries
from tests.conftest import MAJORS
from tests.integration.provisioning import Server
from tests.integration.roles_shop import APP, LATE, NOBODY, calling_with_roles, roles_shop
from tests.people import Person, gateway_with
from tests.process import GatewayProcess, start_gateway
from tests.scenario import play
from tests.scenario.python_client import connected, type_of_era

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
async def ready(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """Make the shop on each major version."""
    async with roles_shop(request.param) as started:
        yield started


@pytest.fixture
async def ana(ready: Server, tmp_path: Path) -> AsyncIterator[Person]:
    async with calling_with_roles(ready, tmp_path) as person:
        yield person


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


async def test_a_new_database_is_open_to_the_roles_at_once(ana: Person) -> None:
    await ana.call("pg_admin", action="create_database", name=LATE)
    try:
        made = "CREATE TABLE public.t (a integer)"
        await ana.call("pg_schema", action="create", sql=made, database=LATE)
        await ana.write("INSERT INTO public.t VALUES (7)", database=LATE)

        assert await ana.cell("SELECT a FROM public.t", database=LATE) == "7"
    finally:
        await ana.call("pg_admin", action="drop_database", name=LATE, confirm=LATE, full=True)


async def test_a_backup_is_made_as_its_own_role(ana: Person, ready: Server) -> None:
    await ready.cluster.execute("GRANT SELECT ON shop.secret TO pgmcp_backup", database=APP)
    program = installed_binaries()[ready.cluster.major].bin / "pg_dump"
    gateway = ana._call.settings
    backup = gateway.backup.model_copy(update={"pg_dump": str(program)})
    async with gateway_with(gateway.model_copy(update={"backup": backup})) as other:
        answer = await Person(other).call("pg_admin", action="backup")

    assert ".dump" in answer.text
