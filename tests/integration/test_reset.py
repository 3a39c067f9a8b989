"""What one borrower leaves in a session, the next one does not find: on the same backend."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pgmcp.http import Gateway
from pgmcp.settings import Settings
from tests.cluster import ThrowawayCluster
from tests.people import Person, adjusted, gateway_with
from tests.witness import Witness, witnessing

ROLE = "reset_somebody"
# Functions do what pg_query refuses as a statement: the gate does not look into them.
LEFTOVERS = f"""
CREATE SEQUENCE IF NOT EXISTS numbers;
CREATE SCHEMA IF NOT EXISTS trap;
CREATE TABLE IF NOT EXISTS written (id int);
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN CREATE ROLE {ROLE}; END IF;
END $$;
CREATE OR REPLACE FUNCTION perform(work text) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN EXECUTE work; RETURN 'done'; END $$;
CREATE OR REPLACE FUNCTION attempt(work text) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN EXECUTE work; RETURN 'worked'; EXCEPTION WHEN others THEN RETURN SQLSTATE; END $$;
CREATE OR REPLACE FUNCTION prepared(pattern text) RETURNS bigint LANGUAGE plpgsql AS
  $$ BEGIN RETURN (SELECT count(*) FROM pg_prepared_statements
                    WHERE from_sql AND name LIKE pattern); END $$;
CREATE OR REPLACE FUNCTION trap.pg_advisory_unlock_all() RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_advisory_lock(4711); END $$;
"""


@pytest.fixture(scope="module", autouse=True)
async def leftovers(cluster: ThrowawayCluster, database: str) -> AsyncIterator[None]:
    await cluster.execute(LEFTOVERS, database=database)
    yield
    await cluster.drop_database(database)
    await cluster.execute(f"DROP ROLE IF EXISTS {ROLE}")
    await cluster.create_database(database)  # its own fixture drops it


@pytest.fixture
async def gateway(settings: Settings) -> AsyncIterator[Gateway]:
    async with gateway_with(adjusted(settings, pools={"per_database": 1})) as made:
        yield made


@pytest.fixture
def ana(gateway: Gateway) -> Person:
    return Person(gateway, "ana")


@pytest.fixture
def bob(gateway: Gateway) -> Person:
    return Person(gateway, "bob")


@pytest.fixture
async def witness(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Witness]:
    async with witnessing(cluster, database) as looking:
        yield looking


def perform(work: str) -> str:
    """Return a SELECT that runs *work* inside a function."""
    quoted = work.replace("'", "''")
    return f"SELECT perform('{quoted}')"


CASES = [
    pytest.param(
        perform("SELECT set_config('my.token', 'secret', false)"),
        "SELECT coalesce(current_setting('my.token', true), '')",
        "",
        id="a custom setting",
    ),
    pytest.param(
        perform("SET work_mem = '7MB'"), "SELECT current_setting('work_mem')", "4MB", id="SET"
    ),
    pytest.param(
        perform("SET search_path = trap, pg_catalog"),
        "SELECT current_setting('search_path')",
        '"$user", public',
        id="search_path",
    ),
    pytest.param(
        perform("SET statement_timeout = 1"),
        "SELECT current_setting('statement_timeout')",
        "30s",
        id="statement_timeout",
    ),
    pytest.param(
        perform("SET default_transaction_read_only = on"),
        "SELECT current_setting('default_transaction_read_only')",
        "off",
        id="default_transaction_read_only",
    ),
    pytest.param(
        perform("SET client_encoding = 'LATIN1'"), "SELECT 'é…'", "é…", id="client_encoding"
    ),
    pytest.param(
        perform("SET datestyle = 'German'"),
        "SELECT date '2026-11-23'",
        "2026-11-23",
        id="datestyle",
    ),
    pytest.param(
        perform("SET application_name = 'not pgmcp'"),
        "SELECT current_setting('application_name')",
        "pgmcp bob",
        id="application_name",
    ),
    pytest.param(
        perform(f"SET ROLE {ROLE}"), "SELECT current_user::text", "postgres", id="SET ROLE"
    ),
    pytest.param(
        perform(f"SET SESSION AUTHORIZATION {ROLE}"),
        "SELECT session_user::text",
        "postgres",
        id="SET SESSION AUTHORIZATION",
    ),
    pytest.param(
        perform("SELECT pg_advisory_lock(42)"),
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
        "0",
        id="an advisory lock",
    ),
    pytest.param(
        perform("LISTEN gossip"),
        "SELECT count(*) FROM pg_listening_channels()",
        "0",
        id="LISTEN",
    ),
    pytest.param(
        perform("PREPARE leftover AS SELECT 'secret'"),
        "SELECT prepared('leftover')",
        "0",
        id="PREPARE",
    ),
    pytest.param(
        perform("PREPARE __asyncpg_leftover AS SELECT 'secret'"),
        "SELECT prepared('%')",
        "0",
        id="PREPARE under a driver's name",
    ),
    pytest.param(
        perform("DECLARE held CURSOR WITH HOLD FOR SELECT 'secret'"),
        "SELECT count(*) FROM pg_cursors WHERE name = 'held'",
        "0",
        id="a held cursor",
    ),
]
WRITTEN = [
    pytest.param(
        perform("CREATE TEMP TABLE mine AS SELECT 'secret' AS x"),
        "SELECT attempt('SELECT * FROM mine')",
        "42P01",
        id="a temporary table",
    ),
    pytest.param(
        perform("CREATE TEMP TABLE written AS SELECT 99 AS id"),
        "SELECT count(*) FROM written",
        "0",
        id="a temporary table that hides another",
    ),
    pytest.param(
        perform("SELECT nextval('numbers')"),
        "SELECT attempt('SELECT lastval()')",
        "55000",
        id="lastval",
    ),
]


async def check(first: Person, second: Person, left: str, seen: str, *, mode: str) -> str:
    """Let *first* leave something, and return what *second* sees, on the same backend."""
    before = await first.cell("SELECT pg_backend_pid()")
    await first.query(left, mode=mode)
    found = await second.cell(seen)
    assert await second.cell("SELECT pg_backend_pid()") == before
    return found


@pytest.mark.parametrize(("left", "seen", "expected"), CASES)
@pytest.mark.parametrize("mode", ["read", "write"])
async def test_the_next_borrower_sees_nothing(  # noqa: PLR0913, PLR0917 — the case
    ana: Person, bob: Person, mode: str, left: str, seen: str, expected: str
) -> None:
    assert await check(ana, bob, left, seen, mode=mode) == expected


@pytest.mark.parametrize(("left", "seen", "expected"), WRITTEN)
async def test_the_next_borrower_sees_nothing_of_what_was_written(
    ana: Person, bob: Person, left: str, seen: str, expected: str
) -> None:
    assert await check(ana, bob, left, seen, mode="write") == expected


@pytest.mark.parametrize(("left", "seen", "expected"), CASES)
async def test_a_failed_statement_leaves_nothing_either(
    ana: Person, bob: Person, left: str, seen: str, expected: str
) -> None:
    await ana.query("SELECT 1")
    failing = left.replace("SELECT ", "SELECT 1/(random() * 0)::int, ", 1)
    with pytest.raises(Exception, match="division by zero"):
        await ana.write(failing)

    assert await bob.cell(seen) == expected


async def test_a_function_in_the_search_path_cannot_take_the_place_of_the_reset(
    ana: Person, bob: Person
) -> None:
    left = perform("SET search_path = trap, pg_catalog")
    seen = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"

    assert await check(ana, bob, left, seen, mode="write") == "0"


async def test_statements_prepared_before_work_after_a_reset(ana: Person, bob: Person) -> None:
    """DISCARD ALL would destroy what the driver has prepared."""
    first = await ana.cell("SELECT id FROM (VALUES (7)) AS v(id) WHERE id = $1", params=[7])
    await ana.write(perform("SET work_mem = '7MB'"))

    again = await bob.cell("SELECT id FROM (VALUES (7)) AS v(id) WHERE id = $1", params=[7])

    assert (first, again) == ("7", "7")


async def test_a_transactions_connection_is_never_lent_again(
    ana: Person, bob: Person, witness: Witness
) -> None:
    handle = await ana.begin(mode="write")
    await ana.write(perform("CREATE TEMP TABLE mine AS SELECT 1 AS x"), session_id=handle)
    pid = await ana.cell("SELECT pg_backend_pid()", session_id=handle)

    await ana.tx("commit", session_id=handle)

    assert await bob.cell("SELECT pg_backend_pid()") != pid
    await witness.gone(int(pid))


async def test_a_readers_notices_are_not_the_next_ones(ana: Person, bob: Person) -> None:
    await ana.query(perform("DO $x$ BEGIN RAISE NOTICE 'private'; END $x$"))

    assert "private" not in (await bob.query("SELECT 1")).text
