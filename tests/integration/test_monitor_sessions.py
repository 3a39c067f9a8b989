"""What pg_monitor says of sessions: who runs, who idles in a transaction, who waits for whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.watching import eventually, one, rows, session, waiting


async def test_an_idle_transaction_is_listed_with_its_age(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    async with session(cluster, database) as idle:
        await idle.execute("BEGIN; CREATE TABLE never_committed (id integer)")

        row = one(await rows(call, "activity"), pid=idle.pid)

    assert row["state"] == "idle in transaction"
    assert row["database"] == database
    assert row["application"] == "misbehaving"
    assert row["xact_seconds"] >= 0
    assert row["query"].startswith("BEGIN; CREATE TABLE")


async def test_the_oldest_transaction_comes_first(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    async with session(cluster, database) as first, session(cluster, database) as second:
        await first.execute("BEGIN")
        await second.execute("BEGIN")
        pids = [first.pid, second.pid]

        found = [row["pid"] for row in await rows(call, "activity") if row["pid"] in pids]

    assert found == pids


async def test_idle_sessions_and_the_gateways_own_are_left_out(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    async with session(cluster, database):
        assert await rows(call, "activity") == []


async def test_a_pattern_shows_idle_sessions_too(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    async with session(cluster, database, application_name="night_batch") as idle:
        (row,) = await rows(call, "activity", pattern="Night*")

    assert row["pid"] == idle.pid
    assert row["state"] == "idle"


async def test_a_pattern_can_name_processes_of_the_server(call: Call) -> None:
    found = await rows(call, "activity", pattern="checkpointer")

    assert [row["backend"] for row in found] == ["checkpointer"]


async def test_a_password_in_a_statement_is_masked(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    async with session(cluster, database) as idle:
        await idle.execute("BEGIN; CREATE ROLE short_lived PASSWORD 'it''s secret' LOGIN")

        row = one(await rows(call, "activity"), pid=idle.pid)

    assert row["query"] == "BEGIN; CREATE ROLE short_lived PASSWORD *** LOGIN"


async def test_statements_of_another_database_are_not_shown(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    """Who may look at one database need not see the literals of the others."""
    assert database != "postgres"
    async with session(cluster, "postgres") as idle:
        await idle.execute("BEGIN; SELECT 'of no concern here'")

        row = one(await rows(call, "activity"), pid=idle.pid)

    assert row["query"] == "in another database; call with database=postgres"


async def test_sessions_are_counted_against_the_limit(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    async with session(cluster, database, application_name="hoarder") as idle:
        await idle.execute("BEGIN")

        total, group = await rows(call, "connections", pattern="hoarder")

    assert total["database"] == "(all)"
    assert total["limit_sessions"] == group["limit_sessions"] > 0
    assert group["sessions"] == group["idle_in_transaction"] == 1
    assert group["state_hidden"] == 0


async def test_a_chain_of_waits_is_a_tree_from_the_root_blocker_down(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute(
        "CREATE TABLE IF NOT EXISTS account (id integer PRIMARY KEY, amount integer); "
        "INSERT INTO account VALUES (1, 0) ON CONFLICT DO NOTHING",
        database=database,
    )
    async with (
        session(cluster, database) as root,
        session(cluster, database) as middle,
        session(cluster, database) as leaf,
    ):
        await root.execute("BEGIN; UPDATE account SET amount = 1 WHERE id = 1")
        await middle.execute("BEGIN; LOCK TABLE account IN SHARE UPDATE EXCLUSIVE MODE")
        async with (
            waiting(middle, "UPDATE account SET amount = 2 WHERE id = 1"),
            waiting(leaf, "VACUUM account"),
        ):

            async def three() -> object:
                found = await rows(call, "locks", pattern="account")
                return found if len(found) == 3 else None

            top, second, third = await eventually(three)
    pids = [opened.pid for opened in (root, middle, leaf)]

    assert [row["pid"] for row in (top, second, third)] == pids
    assert third["chain"] == " > ".join(map(str, pids))
    assert (top["blocked_by"], top["blocks"], top["state"]) == (None, 2, "idle in transaction")
    assert "UPDATE account SET amount = 1" in top["query"]
    assert (second["blocked_by"], second["blocks"]) == (f"{{{pids[0]}}}", 1)
    assert second["waits_for"] == "row of public.account"
    assert second["mode"] == "ShareLock"
    assert "ShareUpdateExclusiveLock on public.account" in second["holds"]
    assert (third["waits_for"], third["mode"]) == ("public.account", "ShareUpdateExclusiveLock")
    assert third["wait_seconds"] >= 0
    assert third["query"] == "VACUUM account"


async def test_a_queue_for_one_table_stays_short(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    """Each waiter blocks all behind it; every session still stands in one row."""
    await cluster.execute("CREATE TABLE IF NOT EXISTS busy (id integer)", database=database)
    async with (
        session(cluster, database) as holder,
        session(cluster, database) as one_,
        session(cluster, database) as two,
        session(cluster, database) as three,
    ):
        await holder.execute("BEGIN; LOCK TABLE busy")
        lock = "BEGIN; LOCK TABLE busy"
        async with waiting(one_, lock), waiting(two, lock), waiting(three, lock):

            async def four() -> object:
                found = await rows(call, "locks", pattern="busy")
                return found if len(found) == 4 else None

            found = await eventually(four)

    assert found[0]["pid"] == holder.pid
    assert found[0]["holds"] == "AccessExclusiveLock on public.busy"
    assert found[0]["blocks"] == 3
    assert {row["waits_for"] for row in found[1:]} == {"public.busy"}


async def test_an_advisory_lock_names_its_key(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    async with session(cluster, database) as holder, session(cluster, database) as waiter:
        await holder.execute("SELECT pg_advisory_lock(7, 11)")
        async with waiting(waiter, "SELECT pg_advisory_lock(7, 11)"):

            async def waits() -> object:
                return await rows(call, "locks", pattern="advisory*")

            top, second = await eventually(waits)

    assert top["holds"] == "ExclusiveLock on advisory lock (7, 11)"
    assert second["waits_for"] == "advisory lock (7, 11)"


async def test_nobody_waits_is_an_empty_answer(call: Call) -> None:
    assert await rows(call, "locks", pattern="no such relation") == []


async def test_a_running_index_build_shows_its_progress(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    """It waits for an older transaction, as at night."""
    await cluster.execute("CREATE TABLE IF NOT EXISTS grown (id integer)", database=database)
    async with session(cluster, database) as old, session(cluster, database) as builder:
        await old.execute("BEGIN; INSERT INTO grown VALUES (1)")
        async with waiting(builder, "CREATE INDEX CONCURRENTLY ON grown (id)"):

            async def builds() -> object:
                return await rows(call, "progress", pattern="public.grown")

            (row,) = await eventually(builds)

    assert row["command"] == "CREATE INDEX CONCURRENTLY"
    assert row["pid"] == builder.pid
    assert row["phase"].startswith("waiting for")
    assert (row["done"], row["total"], row["unit"]) == (0, 1, "transactions waited for")
    assert row["percent"] == 0
    assert row["details"] == f"waits for pid {old.pid}"


async def test_a_vacuum_under_way_shows_how_far_it_is(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute(
        "CREATE TABLE IF NOT EXISTS wide (filler text); "
        "INSERT INTO wide SELECT repeat('x', 2000) FROM generate_series(1, 2000)",
        database=database,
    )
    async with (
        session(cluster, database, vacuum_cost_delay="100ms", vacuum_cost_limit="20") as slow,
        waiting(slow, "VACUUM wide"),
    ):

        async def under_way() -> object:
            found = await rows(call, "progress", pattern="VACUUM")
            return [row for row in found if row["pid"] == slow.pid and row["done"]]

        (row,) = await eventually(under_way)
        (listed,) = await rows(call, "vacuum", pattern="wide")

    assert (row["relation"], row["unit"]) == ("public.wide", "blocks")
    assert 0 < row["done"] <= row["total"] == 500
    assert row["percent"] == round(100 * row["done"] / row["total"], 1)
    assert listed["finding"].startswith(f"running: pid {slow.pid}, scanning heap")


async def test_a_copy_under_way_counts_its_bytes(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute("CREATE TABLE IF NOT EXISTS copied (id integer)", database=database)
    release = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield b"1\n2\n3\n"
        await release.wait()

    async with session(cluster, database) as loader:
        copying = asyncio.create_task(loader.connection.copy_to_table("copied", source=source()))

        async def under_way() -> object:
            found = await rows(call, "progress", pattern="COPY*")
            return [row for row in found if row["done"]]

        (row,) = await eventually(under_way)
        release.set()
        await copying

    assert (row["command"], row["relation"]) == ("COPY FROM", "public.copied")
    assert (row["done"], row["unit"], row["percent"]) == (6, "bytes", None)
    assert row["details"].startswith("rows ")
