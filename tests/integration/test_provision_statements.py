"""pg_stat_statements: created by a run in the default database, where the library is loaded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from pgmcp.http import Gateway
from pgmcp.identity import LOCAL
from pgmcp.ledger import Owner
from pgmcp.provision import Options
from pgmcp.provision.script import write_script
from pgmcp.settings import load
from tests.cluster import throwaway_cluster
from tests.conftest import MAJORS, ignore_progress
from tests.integration.provisioning import Server, server, unprovisioned
from tests.integration.watching import look

CREATED = "postgres: created extension pg_stat_statements"
IS_THERE = "SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'"


@pytest.fixture(scope="module", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def started(request: pytest.FixtureRequest) -> Iterator[Server]:
    with server(request.param) as made:
        yield made


@pytest.fixture
async def fresh(started: Server) -> AsyncIterator[Server]:
    """Return a server that has the library and no extension."""
    await started.cluster.execute("DROP EXTENSION IF EXISTS pg_stat_statements")
    async with unprovisioned(started):
        yield started


async def test_slow_queries_work_after_the_first_run(fresh: Server) -> None:
    first, second = await fresh.provision(), await fresh.provision()
    gateway = Gateway(load(environ=fresh.environment()))

    async with gateway.running():
        owner = Owner(principal="local", session="test")
        call = gateway.make_call(LOCAL, owner, ignore_progress)
        answer = await look(call, "slow_queries", format="json")

    assert CREATED in first.done
    assert (first.failed, second.done) == ((), ())
    assert answer.structured is not None
    assert "GRANT pg_monitor" not in answer.text
    assert await fresh.sqlstate("admin", "postgres", "SELECT pg_stat_statements_reset()") == ""
    assert await fresh.value(IS_THERE, "app") == 0


async def test_a_dry_run_shows_it_and_creates_nothing(fresh: Server) -> None:
    lines = await write_script(fresh.settings(), Options())

    assert "CREATE EXTENSION pg_stat_statements SCHEMA public;" in "\n".join(lines)
    assert await fresh.value(IS_THERE) == 0


async def test_what_a_dry_run_prints_leaves_nothing_to_create(fresh: Server) -> None:
    script = "\n".join(await write_script(fresh.settings(), Options()))

    complaints = fresh.psql("-q", "-f", "-", script=script)[1]
    outcome = await fresh.provision()

    assert complaints == ""
    assert [line for line in outcome.done if "password" not in line] == []


async def test_a_run_that_leaves_the_default_database_out_creates_none(fresh: Server) -> None:
    outcome = await fresh.provision(Options(databases=("app",)))

    assert outcome.failed == ()
    assert await fresh.value(IS_THERE) == 0


async def test_without_a_schema_public_it_is_a_note(fresh: Server) -> None:
    await fresh.cluster.execute("ALTER SCHEMA public RENAME TO elsewhere")

    outcome = await fresh.provision()

    await fresh.cluster.execute("ALTER SCHEMA elsewhere RENAME TO public")
    assert outcome.failed == ()
    assert [note for note in outcome.notes if "there is no schema public to create it in" in note]


async def test_a_server_without_the_library_is_no_failure() -> None:
    with throwaway_cluster(MAJORS[-1], options={"shared_preload_libraries": ""}) as cluster:
        environment = cluster.environment()
        bare = Server(cluster=cluster, state=cluster.log.parent)
        lines = await write_script(load(environ=environment), Options())
        outcome = await bare.provision(passfile=cluster.log.parent / "x.pgpass")

    assert "EXTENSION" not in "\n".join(lines)
    assert outcome.failed == ()
    assert CREATED not in outcome.done
