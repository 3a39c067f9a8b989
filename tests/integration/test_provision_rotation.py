"""New passwords of the login roles while a gateway runs: it goes on without a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pgmcp.errors import PgmcpError
from pgmcp.http import Gateway
from pgmcp.provision import Options
from pgmcp.settings import load
from tests.cluster import installed_binaries
from tests.conftest import MAJORS
from tests.integration.provisioning import Server
from tests.integration.roles_shop import APP, NOBODY, roles_shop
from tests.people import Person, adjusted, gateway_with

LOG_IN = "SELECT session_user"


@pytest.fixture(params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
async def ready(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """Run a provisioned server that asks for passwords."""
    async with roles_shop(request.param) as started:
        yield started


@pytest.fixture
async def gateway(ready: Server, tmp_path: Path) -> AsyncIterator[Gateway]:
    """Return a gateway that has nothing but the roles, and has used the old passwords."""
    settings = load(environ=ready.environment(APP) | NOBODY)
    program = str(installed_binaries()[ready.cluster.major].bin / "pg_dump")
    settings = adjusted(settings, backup={"directory": tmp_path, "pg_dump": program})
    async with gateway_with(settings) as made:
        assert "pgmcp_read" in (await Person(made).query(LOG_IN)).text
        yield made


async def rotate(ready: Server, gateway: Gateway) -> None:
    """Set new passwords, and leave the gateway no connection of before."""
    outcome = await ready.provision(Options(rotate=True))
    assert outcome.failed == ()
    await gateway.databases.drain(APP)


async def test_a_read_after_new_passwords_works(ready: Server, gateway: Gateway) -> None:
    await rotate(ready, gateway)

    assert "pgmcp_read" in (await Person(gateway).query(LOG_IN)).text


async def test_calls_at_once_all_find_the_new_passwords(ready: Server, gateway: Gateway) -> None:
    """The first to read the file must not make the others believe that nothing has changed."""
    await rotate(ready, gateway)
    person = Person(gateway)

    answers = await asyncio.gather(
        *(person.query("SELECT session_user, pg_sleep(0.1)") for _ in range(3)),
        person.query(LOG_IN, mode="write"),
    )

    assert ["pgmcp_" in answer.text for answer in answers] == [True] * 4


async def test_a_transaction_after_new_passwords_begins(ready: Server, gateway: Gateway) -> None:
    await rotate(ready, gateway)

    assert (await Person(gateway).call("pg_tx", action="begin")).text


async def test_a_backup_after_new_passwords_is_written(
    ready: Server, gateway: Gateway, tmp_path: Path
) -> None:
    """pg_dump logs in by itself, with the password that holds now."""
    await rotate(ready, gateway)

    await Person(gateway).call("pg_admin", action="backup", table="orders", schema="shop")

    assert [path.suffix for path in tmp_path.iterdir()] == [".dump"]


async def test_a_password_that_is_in_no_file_is_refused(ready: Server, gateway: Gateway) -> None:
    await ready.cluster.execute("ALTER ROLE pgmcp_read PASSWORD 'of somebody else'")
    await gateway.databases.drain(APP)

    with pytest.raises(PgmcpError, match="refused the login role pgmcp_read") as caught:
        await Person(gateway).query(LOG_IN)

    assert caught.value.sqlstate == "28P01"
