"""pg_admin on sessions and counters: cancel, terminate, reset_statistics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import asyncpg
import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.administering import calling, one, refusal, report, role, session

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
START = "SELECT backend_start::text FROM pg_stat_activity WHERE pid = $1"
HAS_IO = 16


@pytest.fixture
async def other(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Connection]:
    """Open a session that may be cancelled and ended."""
    async with session(cluster, database) as opened:
        yield opened


@pytest.fixture
async def looker(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Connection]:
    """Open a session that looks on."""
    async with session(cluster, database) as opened:
        yield opened


async def test_a_running_statement_is_cancelled_and_its_session_stays(
    call: Call, other: Connection, looker: Connection
) -> None:
    pid = other.get_server_pid()
    running = asyncio.create_task(other.fetchval("SELECT pg_sleep(30)"))
    async with asyncio.timeout(10):
        while not await looker.fetchval(
            "SELECT count(*) FROM pg_stat_activity, pg_sleep(0.02) "
            "WHERE pid = $1 AND state = 'active'",
            pid,
        ):
            pass

    answer = await one(call, "cancel", pid=pid)

    with pytest.raises(asyncpg.QueryCanceledError):
        await running
    assert await other.fetchval("SELECT 1") == 1
    assert answer["change"] == "asked to cancel its statement"
    assert answer["query"] == "SELECT pg_sleep(30)"
    assert answer["backend_start"] == await looker.fetchval(START, pid)


async def test_an_idle_session_has_nothing_to_cancel(call: Call, other: Connection) -> None:
    answer = await report(call, "cancel", pid=other.get_server_pid())

    assert answer["remarks"] == ["it was running nothing"]


async def test_ending_a_session_takes_its_start_and_a_confirmation(
    call: Call, other: Connection, looker: Connection
) -> None:
    pid = other.get_server_pid()
    start = await looker.fetchval(START, pid)

    asked = await refusal(call, "terminate", pid=pid)
    without = await refusal(call, "terminate", pid=pid, confirm=str(pid))
    answer = await one(call, "terminate", pid=pid, confirm=str(pid), backend_start=start)

    assert f'would end session {pid} (role postgres, database "' not in asked
    assert f"would end session {pid} (role postgres, database " in asked
    assert f'backend_start="{start}"' in asked
    assert f'confirm="{pid}"' in asked
    assert "terminate needs backend_start" in without
    assert answer["change"] == "ended"
    assert await looker.fetchval(START, pid) is None


@pytest.mark.parametrize("action", ["cancel", "terminate"])
async def test_a_pid_that_was_given_out_again_is_not_signalled(
    call: Call, other: Connection, looker: Connection, action: str
) -> None:
    pid = other.get_server_pid()

    text = await refusal(call, action, pid=pid, backend_start="2020-01-01 00:00:00+00")

    assert f"pid {pid} is another session now: it began at " in text
    assert await looker.fetchval(START, pid)


async def test_a_start_that_is_no_moment_is_postgresqls_error(
    call: Call, other: Connection
) -> None:
    text = await refusal(call, "cancel", pid=other.get_server_pid(), backend_start="noonish")

    assert 'error 22007: invalid input syntax for type timestamp with time zone: "noonish"' in text


async def test_the_gateways_own_sessions_are_never_signalled(call: Call) -> None:
    pid = await call.databases.read(
        None, lambda lease: lease.value("SELECT pg_catalog.pg_backend_pid()")
    )

    text = await refusal(call, "terminate", pid=int(pid or 0), confirm=pid)

    assert "one of the gateway's own sessions" in text


async def test_the_servers_helpers_are_never_signalled(call: Call, looker: Connection) -> None:
    pid = await looker.fetchval(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
    )

    text = await refusal(call, "terminate", pid=pid, confirm=str(pid))

    assert f"pid {pid} is no client's session but a checkpointer" in text


async def test_a_pid_that_is_nobodys_says_so(call: Call) -> None:
    assert "no session has pid 2147483647" in await refusal(call, "cancel", pid=2**31 - 1)


async def test_a_plain_login_learns_which_grant_it_lacks(
    cluster: ThrowawayCluster, database: str, other: Connection
) -> None:
    pid = other.get_server_pid()
    async with (
        role(cluster, "admin_plain"),
        role(cluster, "admin_victim"),
        session(cluster, database, user="admin_victim") as victim,
        calling(cluster, database, "admin_plain") as plain,
    ):
        hidden = await refusal(plain, "cancel", pid=pid)
        await cluster.execute("GRANT pg_read_all_stats TO admin_plain")
        seen = await refusal(plain, "cancel", pid=pid)
        foreign = await refusal(plain, "cancel", pid=victim.get_server_pid())
        await cluster.execute("GRANT pg_signal_backend TO admin_plain")
        sent = await one(plain, "cancel", pid=victim.get_server_pid())

    assert "GRANT pg_read_all_stats, pg_signal_backend TO admin_plain" in hidden
    assert "error 42501" in seen
    assert "only a superuser signals superusers" in seen
    assert "GRANT pg_signal_backend TO admin_plain; allows it" in foreign
    assert sent["change"] == "asked to cancel its statement"


async def test_the_counters_of_a_table_are_reset(call: Call, looker: Connection) -> None:
    await looker.execute(
        "CREATE TABLE counted (id int); INSERT INTO counted VALUES (1); "
        "SELECT pg_stat_force_next_flush()"
    )
    count = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'counted'"
    assert await looker.fetchval(count) == 1

    answer = await report(call, "reset_statistics", table="counted")

    assert await looker.fetchval(count) == 0
    assert "ANALYZE tables that change much" in answer["remarks"][0]


async def test_the_counters_of_a_database_are_reset(
    call: Call, database: str, looker: Connection
) -> None:
    reset = "SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()"
    before = await looker.fetchval(reset)

    answer = await one(call, "reset_statistics")

    assert answer["what"] == f'all counters of database "{database}"'
    assert await looker.fetchval(reset) != before


async def test_the_statements_of_one_database_are_reset(
    cluster: ThrowawayCluster, call: Call, looker: Connection
) -> None:
    missing = await refusal(call, "reset_statistics", name="pg_stat_statements")
    await looker.execute('CREATE SCHEMA "odd stats"')
    await looker.execute('CREATE EXTENSION pg_stat_statements SCHEMA "odd stats"')
    await looker.fetchval("SELECT 4711 AS remembered")
    async with session(cluster, "postgres") as elsewhere:
        # A shape of its own: statements of one shape share an entry, under their first text.
        await elsewhere.fetchval("SELECT ascii(chr(47 + 12)) * ln(4712) AS kept_elsewhere")

    await one(call, "reset_statistics", name="pg_stat_statements")

    count = 'SELECT count(*) FROM "odd stats".pg_stat_statements WHERE query LIKE $1'
    assert "action=create_extension name=pg_stat_statements installs it" in missing
    assert await looker.fetchval(count, "%AS remembered%") == 0
    assert await looker.fetchval(count, "%AS kept_elsewhere%") == 1


async def test_a_shared_view_is_reset_where_the_server_has_it(
    cluster: ThrowawayCluster, call: Call
) -> None:
    wal = await one(call, "reset_statistics", name="wal")
    newer = await (_change if cluster.major >= HAS_IO else refusal)(
        call, "reset_statistics", name="io"
    )
    unknown = await refusal(call, "reset_statistics", name="nothing")

    assert wal["what"] == 'the shared counters "wal"'
    assert ("not resettable on PostgreSQL 15" in newer) is (cluster.major < HAS_IO)
    assert "Known here are: pg_stat_statements, archiver" in unknown


async def test_resetting_without_the_right_names_the_grant(
    cluster: ThrowawayCluster, database: str
) -> None:
    async with (
        role(cluster, "admin_plain"),
        calling(cluster, database, "admin_plain") as plain,
    ):
        text = await refusal(plain, "reset_statistics")

    assert "error 42501: permission denied for function pg_stat_reset" in text
    assert "GRANT EXECUTE ON FUNCTION pg_stat_reset() TO admin_plain" in text


async def _change(call: Call, action: str, **arguments: object) -> str:
    return str(await one(call, action, **arguments))
