"""What pg_monitor says where things are set up otherwise: no statistics, two-phase, logical."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pgmcp.errors import Unavailable
from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster, throwaway_cluster
from tests.conftest import MAJORS
from tests.integration.watching import eventually, look, one, rows, session, waiting

OPTIONS = {
    "shared_preload_libraries": "",
    "max_prepared_transactions": "5",
    "wal_level": "logical",
    "archive_mode": "on",
    "archive_command": "false",
}


@pytest.fixture(scope="module", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def cluster(request: pytest.FixtureRequest) -> Iterator[ThrowawayCluster]:
    """Start a cluster without pg_stat_statements, whose archiver fails."""
    with throwaway_cluster(request.param, options=OPTIONS) as started:
        yield started


async def test_slow_queries_say_what_enables_them(call: Call, database: str) -> None:
    with pytest.raises(Unavailable) as failure:
        await look(call, "slow_queries")

    assert failure.value.lines() == [
        (
            "error: pg_stat_statements is not loaded, so this server keeps no statistics of "
            "statements."
        ),
        (
            "hint: Add pg_stat_statements to shared_preload_libraries, restart PostgreSQL, then "
            f"pg_admin action=create_extension name=pg_stat_statements database={database}."
        ),
    ]


async def test_health_warns_that_there_are_no_statement_statistics(call: Call) -> None:
    row = one(await rows(call, "health", pattern="statement statistics"))

    assert (row["status"], row["value"]) == ("warn", "pg_stat_statements is not loaded")


async def test_a_prepared_transaction_is_listed_with_its_way_out(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    async with session(cluster, database) as first:
        await first.execute("BEGIN")
        await first.execute("CREATE TABLE held (id integer)")
        await first.execute("PREPARE TRANSACTION 'half done'")
    try:
        row = one(await rows(call, "activity"), state="prepared transaction")
        health = one(await rows(call, "health", pattern="oldest transaction"))
    finally:
        await cluster.execute("ROLLBACK PREPARED 'half done'", database=database)

    assert (row["pid"], row["database"]) == (None, database)
    assert row["query"] == "COMMIT PREPARED or ROLLBACK PREPARED 'half done'"
    assert health["value"].startswith("prepared half done, ")


async def test_a_prepared_transaction_can_be_the_root_blocker(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute("CREATE TABLE IF NOT EXISTS kept (id integer)", database=database)
    async with session(cluster, database) as first:
        await first.execute("BEGIN")
        await first.execute("LOCK TABLE kept")
        await first.execute("PREPARE TRANSACTION 'keeps a lock'")
    try:
        async with (
            session(cluster, database) as waiter,
            waiting(waiter, "BEGIN; LOCK TABLE kept"),
        ):

            async def waits() -> object:
                return await rows(call, "locks", pattern="kept")

            top, second = await eventually(waits)
    finally:
        await cluster.execute("ROLLBACK PREPARED 'keeps a lock'", database=database)

    assert (top["pid"], top["state"]) == (0, "prepared transaction")
    assert top["holds"] == "AccessExclusiveLock on public.kept"
    assert second["chain"] == f"0 > {waiter.pid}"


async def test_a_logical_slot_shows_its_plugin_and_lag(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute(
        "SELECT pg_create_logical_replication_slot('decoded', 'pgoutput')", database=database
    )
    try:
        row = one(await rows(call, "replication", pattern="decoded"), name="decoded")
    finally:
        await cluster.execute("SELECT pg_drop_replication_slot('decoded')", database=database)

    assert (row["kind"], row["peer"], row["database"]) == ("logical slot", "pgoutput", database)
    assert row["lag_bytes"] >= 0
    assert "WAL reserved" in row["details"]


async def test_a_failing_archiver_is_critical(call: Call, cluster: ThrowawayCluster) -> None:
    await cluster.execute("CREATE TABLE written (id integer)")
    await cluster.execute("SELECT pg_switch_wal()")

    async def fails() -> object:
        row = one(await rows(call, "health", pattern="archiver"))
        return row if row["status"] != "ok" else None

    row = await eventually(fails)
    found = one(await rows(call, "wal", pattern="archiver"))

    assert row["status"] == "crit"
    assert row["value"].startswith("failing: 0000000100000000")
    assert "0 archived, " in found["value"]
    assert "last failure 0000000100000000" in found["hint"]


async def test_a_subscription_without_a_worker_is_found(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute(
        "CREATE SUBSCRIPTION listening CONNECTION 'dbname=nowhere' PUBLICATION news "
        "WITH (connect = false)",
        database=database,
    )
    try:
        row = one(await rows(call, "replication", pattern="listening"), kind="subscription")
    finally:
        await cluster.execute(
            "ALTER SUBSCRIPTION listening SET (slot_name = NONE)", database=database
        )
        await cluster.execute("DROP SUBSCRIPTION listening", database=database)

    assert (row["name"], row["state"], row["peer"]) == ("listening", "disabled", "news")
