"""PostgreSQL calls who uses a connection by the caller's name: in its views and in its own log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pgmcp.errors import PgmcpError
from pgmcp.http import Gateway
from pgmcp.settings import Settings, load
from tests.cluster import ThrowawayCluster, installed_binaries, throwaway_cluster
from tests.conftest import MAJORS
from tests.people import Person, adjusted, gateway_with
from tests.witness import Witness, eventually, witnessing

NAME = "SELECT current_setting('application_name')"
ANA = "pgmcp ana@example.com"
OPTIONS = {"log_line_prefix": "%a|%p|", "log_statement": "all", "log_min_error_statement": "error"}
SHOWN = """
SELECT application_name FROM pg_catalog.pg_stat_activity
 WHERE backend_type = 'client backend' AND datname = $1 AND pid <> pg_catalog.pg_backend_pid()
 ORDER BY application_name
"""


@pytest.fixture(scope="module", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def cluster(request: pytest.FixtureRequest) -> Iterator[ThrowawayCluster]:
    """Start a server that logs every statement with the name of the application."""
    with throwaway_cluster(request.param, options=OPTIONS) as started:
        yield started


@pytest.fixture(scope="module")
async def shop(cluster: ThrowawayCluster, database: str) -> str:
    await cluster.execute("CREATE TABLE t (a text)", database=database)
    return database


@pytest.fixture
async def gateway(cluster: ThrowawayCluster, shop: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway with a single connection, so that the next borrower gets the last one's."""
    settings: Settings = load(environ=cluster.environment(shop))
    program = installed_binaries()[cluster.major].bin / "pg_dump"
    backups = {"directory": tmp_path, "pg_dump": str(program)}
    async with gateway_with(adjusted(settings, pools={"per_database": 1}, backup=backups)) as made:
        yield made


@pytest.fixture
def ana(gateway: Gateway) -> Person:
    return Person(gateway, "tailscale:ana@example.com")


@pytest.fixture
async def witness(cluster: ThrowawayCluster, shop: str) -> AsyncIterator[Witness]:
    async with witnessing(cluster, shop) as looking:
        yield looking


async def names(witness: Witness) -> list[str]:
    """Return the names of all other connections to the database."""
    rows = await witness.connection.fetch(SHOWN, witness.database)
    return [str(row["application_name"]) for row in rows]


async def logged(cluster: ThrowawayCluster, fragment: str) -> set[str]:
    """Wait for entries of PostgreSQL's log with *fragment*, and return the names before them."""

    async def look() -> set[str]:
        lines = cluster.log.read_text(errors="replace").replace("\n\t", " ").splitlines()
        return {line.partition("|")[0] for line in lines if fragment in line}

    return await eventually(look, bool)


async def test_a_read_has_the_callers_name(ana: Person, cluster: ThrowawayCluster) -> None:
    shown = await ana.cell(f"{NAME} AS of_read")

    assert shown == ANA
    assert await logged(cluster, "AS of_read") == {ANA}


async def test_a_write_has_the_callers_name(ana: Person, cluster: ThrowawayCluster) -> None:
    await ana.write(f"INSERT INTO t (a) {NAME} AS of_write")

    assert await ana.cell("SELECT a FROM t WHERE a LIKE 'pgmcp%'") == ANA
    assert await logged(cluster, "AS of_write") == {ANA}


async def test_a_transaction_across_calls_keeps_the_callers_name(
    ana: Person, cluster: ThrowawayCluster, witness: Witness
) -> None:
    handle = await ana.begin(mode="write")
    first = await ana.cell(f"{NAME} AS of_first", session_id=handle)
    with suppress(PgmcpError):
        await ana.query("SELECT 1 / 0 AS of_failing", session_id=handle)
    between = await names(witness)
    await ana.tx("rollback", session_id=handle)

    assert first == ANA
    assert ANA in between
    assert await logged(cluster, "of_first") == {ANA}
    assert await logged(cluster, "of_failing") == {ANA}


async def test_what_runs_outside_transactions_has_the_callers_name(
    ana: Person, cluster: ThrowawayCluster
) -> None:
    await ana.call("pg_admin", action="vacuum", table="t")
    await ana.call("pg_schema", action="create", sql="CREATE INDEX CONCURRENTLY of_bare ON t (a)")
    await ana.call("pg_schema", action="drop", sql="DROP INDEX of_bare", confirm="public.of_bare")

    assert await logged(cluster, "statement: VACUUM") == {ANA}
    assert await logged(cluster, "CREATE INDEX CONCURRENTLY of_bare") == {ANA}
    assert await logged(cluster, "DROP INDEX of_bare") == {ANA}


async def test_a_backup_has_the_callers_name(ana: Person, cluster: ThrowawayCluster) -> None:
    await ana.call("pg_admin", action="backup", table="t")

    assert await logged(cluster, "COPY public.t") == {ANA}


async def test_pg_stat_activity_agrees_while_it_runs(ana: Person, witness: Witness) -> None:
    running = asyncio.create_task(ana.query("SELECT pg_sleep(20)"))
    await witness.starts("pg_sleep")

    during = await names(witness)
    running.cancel()
    await witness.ends("pg_sleep")

    assert during == [ANA]


ENDINGS = [
    pytest.param("SELECT 1", id="ok"),
    pytest.param("SELECT 1 / 0", id="failed"),
    pytest.param("SELECT pg_sleep(20)", id="timeout"),
]


@pytest.mark.parametrize("sql", ENDINGS)
async def test_the_name_does_not_stay_for_the_next_borrower(
    ana: Person, gateway: Gateway, witness: Witness, sql: str
) -> None:
    with suppress(PgmcpError):
        await ana.query(sql, timeout_seconds=0.3)

    idle = await eventually(lambda: names(witness), lambda seen: ANA not in seen)
    bob = await Person(gateway, "key:ci").cell(NAME)
    own = await gateway.databases.read(None, lambda lease: lease.value(NAME))

    assert idle == ["pgmcp"]
    assert (bob, own) == ("pgmcp key:ci", "pgmcp")


async def test_the_name_does_not_stay_after_what_runs_outside_transactions(
    ana: Person, gateway: Gateway, witness: Witness
) -> None:
    """There the name is the session's until the connection comes back."""
    await ana.call("pg_admin", action="analyze", table="t")

    assert await names(witness) == ["pgmcp"]
    assert await Person(gateway).cell(NAME) == "pgmcp local"


PRINCIPALS = [
    pytest.param("node:100.64.0.9", "pgmcp node:100.64.0.9", id="node"),
    pytest.param("tailscale:o'brien\\@x.org", "pgmcp o'brien\\@x.org", id="quote and backslash"),
    pytest.param("tailscale:größe@x.org", "pgmcp gr??e@x.org", id="not ASCII"),
    pytest.param("tailscale:a\nb@x.org", "pgmcp a?b@x.org", id="newline"),
    pytest.param(f"tailscale:{'x' * 90}@x.org", f"pgmcp {'x' * 57}", id="long"),
]


@pytest.mark.parametrize(("principal", "shown"), PRINCIPALS)
async def test_any_name_is_shown_in_what_postgresql_allows(
    gateway: Gateway, witness: Witness, principal: str, shown: str
) -> None:
    """A backslash comes doubled in the answer's text form."""
    person = Person(gateway, principal)

    handle = await person.begin()
    seen = await names(witness)
    await person.tx("rollback", session_id=handle)

    assert shown in seen
    assert (await person.cell(NAME)).replace("\\\\", "\\") == shown
