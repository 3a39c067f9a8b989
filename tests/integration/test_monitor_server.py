"""What pg_monitor says of the server itself: health, WAL, replication, settings, statements."""

from __future__ import annotations

import pytest

from pgmcp.errors import CallerError, Unavailable
from pgmcp.tools.base import Call
from pgmcp.tools.monitor.report import HEALTH
from tests.cluster import ThrowawayCluster
from tests.integration.watching import eventually, look, one, report, rows, session, waiting

STATUSES = ["crit", "warn", "unknown", "ok"]


@pytest.fixture(scope="module", autouse=True)
async def statements(cluster: ThrowawayCluster, database: str) -> None:
    """Create pg_stat_statements, in a schema of its own."""
    await cluster.execute(
        'CREATE SCHEMA "Odd"; CREATE EXTENSION pg_stat_statements SCHEMA "Odd"', database=database
    )


async def test_health_answers_every_check_the_worst_first(call: Call) -> None:
    found = await report(call, "health")
    statuses = [row[1] for row in found["rows"]]

    assert [column["name"] for column in found["columns"]] == [
        "check",
        "status",
        "value",
        "threshold",
        "hint",
    ]
    assert {row[0].replace(" ", "_") for row in found["rows"]} == set(HEALTH)
    assert statuses == sorted(statuses, key=STATUSES.index)
    assert "unknown" not in statuses
    assert found["remarks"][0].startswith(f"{statuses.count('crit')} crit, ")


async def test_health_names_the_server(call: Call, cluster: ThrowawayCluster) -> None:
    row = one(await rows(call, "health", pattern="server"))

    assert row["value"].startswith(f"PostgreSQL {cluster.major}.")
    assert "primary, up since 20" in row["value"]


async def test_settings_that_lose_data_are_critical(call: Call) -> None:
    """The test's own cluster runs with fsync=off."""
    row = one(await rows(call, "health", pattern="dangerous*"))

    assert row["status"] == "crit"
    assert "fsync=off: a crash can destroy the cluster" in row["value"]


async def test_blocked_sessions_are_counted(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    async with session(cluster, database) as holder, session(cluster, database) as waiter:
        await holder.execute("SELECT pg_advisory_lock(1)")
        async with waiting(waiter, "SELECT pg_advisory_lock(1)"):

            async def blocked() -> object:
                row = one(await rows(call, "health", pattern="blocked sessions"))
                return row if row["value"] != "none" else None

            row = await eventually(blocked)

    assert row["value"].startswith("1, longest wait ")
    assert row["hint"] == "see who blocks them: action=locks"


async def test_wal_says_where_it_stands_and_how_fast_it_grows(call: Call) -> None:
    found = {row["item"]: row["value"] for row in await rows(call, "wal")}

    assert list(found) == [
        "position",
        "current file",
        "wal_level",
        "since last checkpoint",
        "written",
        "average rate",
        "records",
        "buffers full",
        "writes",
        "checkpoints",
        "archiver",
        "directory",
    ]
    assert found["average rate"].endswith(" a minute")
    assert found["archiver"] == "off"
    assert "by time" in found["checkpoints"]


async def test_replication_always_shows_this_server(call: Call) -> None:
    row = one(await rows(call, "replication", pattern="nothing is called so"))

    assert (row["kind"], row["state"]) == ("server", "primary")


async def test_a_slot_that_nobody_reads_keeps_wal(call: Call, cluster: ThrowawayCluster) -> None:
    await cluster.execute("SELECT pg_create_physical_replication_slot('forgotten', true)")
    try:
        row = one(await rows(call, "replication", pattern="forgotten"), kind="physical slot")
        health = one(await rows(call, "health", pattern="replication slots"))
    finally:
        await cluster.execute("SELECT pg_drop_replication_slot('forgotten')")

    assert row["state"] == "inactive"
    assert row["retained_bytes"] >= 0
    assert row["finding"].startswith("nobody reads it and it keeps WAL")
    assert health["value"].startswith("1, 1 inactive, 0 losing WAL, forgotten keeps ")


async def test_settings_without_pattern_are_those_that_were_changed(call: Call) -> None:
    found = await rows(call, "settings")

    row = one(found, name="fsync")
    assert (row["value"], row["default_value"], row["source"]) == ("off", "on", "command line")
    assert row["changed_by"] == "reload"
    assert "work_mem" not in {row["name"] for row in found}


async def test_settings_with_a_pattern_are_all_that_match(call: Call) -> None:
    row = one(await rows(call, "settings", pattern="work_mem"), name="work_mem")

    assert (row["value"], row["unit"], row["source"]) == ("4096", "kB", "default")
    assert row["pending_restart"] is False


async def test_a_setting_that_waits_for_a_restart_is_marked(
    call: Call, cluster: ThrowawayCluster
) -> None:
    await cluster.execute("ALTER SYSTEM SET max_locks_per_transaction = 99")
    await cluster.execute("SELECT pg_reload_conf()")
    try:

        async def pending() -> object:
            found = await rows(call, "settings")
            return "max_locks_per_transaction" in {
                row["name"] for row in found if row["pending_restart"]
            }

        await eventually(pending)
        health = one(await rows(call, "health", pattern="pending restart"))
    finally:
        await cluster.execute("ALTER SYSTEM RESET max_locks_per_transaction")
        await cluster.execute("SELECT pg_reload_conf()")

    assert health["status"] == "warn"
    assert "max_locks_per_transaction" in health["value"]


async def test_settings_of_roles_and_databases_are_listed(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute(f"ALTER DATABASE \"{database}\" SET temp_buffers = '9MB'")

    row = one(await rows(call, "settings"), name="temp_buffers")

    assert (row["value"], row["source"]) == ("9MB", f"database {database}")


async def test_slow_queries_are_this_databases_by_total_time(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    async with session(cluster, database) as busy:
        await busy.execute("SELECT pg_sleep(0.2)")
        await busy.execute("CREATE ROLE statement_test PASSWORD 'secret'; DROP ROLE statement_test")

    found = await rows(call, "slow_queries")
    sleep, create = (
        one([row for row in found if row["query"].startswith(start)])
        for start in ("SELECT pg_sleep", "CREATE ROLE statement_test")
    )

    assert sleep["calls"] == 1
    assert sleep["total_ms"] >= 200
    assert found.index(sleep) < 3
    assert (sleep["query"], sleep["role"]) == ("SELECT pg_sleep($1)", "postgres")
    assert create["query"].endswith("PASSWORD ***")


async def test_pgmcps_own_queries_go_by_their_purpose(call: Call) -> None:
    await rows(call, "sequences")

    found = [row["query"] for row in await rows(call, "slow_queries", pattern="pgmcp: *")]

    assert "pgmcp: how full sequences are, against their own and their column's limit." in found


async def test_slow_queries_need_the_extension_in_this_database(call: Call) -> None:
    with pytest.raises(Unavailable, match="not created in database") as failure:
        await look(call, "slow_queries", database="postgres")

    assert failure.value.hint == (
        "pg_admin action=create_extension name=pg_stat_statements database=postgres. "
        "It then shows what ran since it was loaded."
    )


async def test_a_database_that_does_not_exist_is_named(call: Call) -> None:
    with pytest.raises(CallerError, match='database "nowhere" does not exist'):
        await look(call, "health", database="nowhere")


async def test_more_rows_than_the_ceiling_are_refused(call: Call) -> None:
    with pytest.raises(CallerError, match="max_rows: 5001 is outside 1 to 5000"):
        await look(call, "health", max_rows=5001)


async def test_text_and_json_say_the_same(call: Call) -> None:
    text = (await look(call, "health", pattern="server")).text
    found = await report(call, "health", pattern="server")

    header, line, receipt = text.split("\n")
    assert header.split("\t") == [column["name"] for column in found["columns"]]
    assert line.split("\t")[:3] == found["rows"][0][:3]
    assert receipt.startswith("-- 1 row, ")


async def test_functions_in_public_are_not_called_in_place_of_postgresqls(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    """A function that fits an argument better would run with the gateway's rights."""
    await cluster.execute(
        "CREATE FUNCTION public.quote_ident(name) RETURNS text LANGUAGE sql AS 'SELECT 1 / 0'; "
        "CREATE TABLE public.ordinary (id integer)",
        database=database,
    )
    try:
        found = await rows(call, "tables", pattern="ordinary")
    finally:
        await cluster.execute("DROP FUNCTION public.quote_ident(name)", database=database)

    assert [row["table"] for row in found] == ["public.ordinary"]
