"""What pg_monitor tells a login role that may see little: the truth, and the GRANT for more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import get_args

import pytest

from pgmcp.errors import Unavailable
from pgmcp.settings import Settings, load
from pgmcp.tools.base import Call
from pgmcp.tools.monitor import MonitorParams
from pgmcp.tools.monitor.tool import SESSION_ACTIONS
from tests.cluster import ThrowawayCluster
from tests.integration.watching import eventually, look, one, report, rows, session, waiting

ROLE = "plain watcher"  # needs quotes
GRANT = 'GRANT pg_monitor TO "plain watcher"'
ACTIONS = get_args(MonitorParams.model_fields["action"].annotation)


@pytest.fixture(scope="module", autouse=True)
async def role(cluster: ThrowawayCluster, database: str) -> AsyncIterator[None]:
    """Create the role, and things it may not touch."""
    await cluster.execute(
        f'DROP ROLE IF EXISTS "{ROLE}"; CREATE ROLE "{ROLE}" LOGIN PASSWORD \'x\''
    )
    await cluster.execute(
        "CREATE EXTENSION pg_stat_statements; CREATE TABLE secret (id smallserial PRIMARY KEY); "
        "INSERT INTO secret DEFAULT VALUES",
        database=database,
    )
    yield
    await cluster.execute(f'DROP ROLE "{ROLE}"')


@pytest.fixture
def settings(cluster: ThrowawayCluster, database: str) -> Settings:
    """Return settings with which the gateway logs in as that role."""
    environment = cluster.environment(database) | {"PGUSER": ROLE, "PGPASSWORD": "x"}
    return load(environ=environment)


@pytest.mark.parametrize("action", ACTIONS)
async def test_every_action_answers(call: Call, action: str) -> None:
    found = await report(call, action)

    assert found["columns"]


@pytest.mark.parametrize("action", sorted(SESSION_ACTIONS))
async def test_what_is_hidden_is_announced_with_the_grant(call: Call, action: str) -> None:
    found = await report(call, action)

    assert found["notices"] == [f'what other roles do is hidden from "{ROLE}"; {GRANT}']


async def test_settings_that_are_left_out_are_announced(call: Call) -> None:
    found = await report(call, "settings", pattern="shared_preload_libraries")

    assert found["rows"] == []
    assert found["notices"][0].endswith(GRANT)


async def test_other_roles_sessions_show_without_state_and_text(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    async with session(cluster, database) as other:
        await other.execute("BEGIN; SELECT 'of no concern'")

        row = one(await rows(call, "activity"), pid=other.pid)
        total = (await rows(call, "connections"))[0]

    assert (row["state"], row["xact_seconds"]) == ("hidden", None)
    assert row["query"] == f"hidden; {GRANT}"
    assert total["state_hidden"] >= 1


async def test_who_waits_for_whom_is_visible_without_the_statements(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    async with session(cluster, database) as holder, session(cluster, database) as waiter:
        await holder.execute("BEGIN; LOCK TABLE secret")
        async with waiting(waiter, "BEGIN; LOCK TABLE secret"):

            async def waits() -> object:
                return await rows(call, "locks", pattern="secret")

            top, second = await eventually(waits)

    assert (top["pid"], second["pid"]) == (holder.pid, waiter.pid)
    assert second["waits_for"] == "public.secret"
    assert top["query"] == second["query"] == f"hidden; {GRANT}"


async def test_checks_that_cannot_be_sure_say_unknown(call: Call) -> None:
    found = {row["check"]: row for row in await rows(call, "health")}

    assert found["oldest transaction"]["status"] == "unknown"
    assert found["idle in transaction"]["hint"] == f"other roles are hidden; {GRANT}"
    assert found["wal directory"]["status"] == "unknown"
    assert found["wal directory"]["value"] == "42501: permission denied for function pg_ls_waldir"
    assert found["wal directory"]["hint"] == GRANT
    assert found["sequences"]["value"] == "1 not readable"
    assert found["server"]["status"] == "ok"


async def test_the_wal_report_keeps_what_the_role_may_see(call: Call) -> None:
    found = {row["item"]: row for row in await rows(call, "wal")}

    assert found["directory"]["value"].startswith("42501: permission denied")
    assert found["directory"]["hint"] == GRANT
    assert found["position"]["value"]


async def test_a_sequence_names_the_grant_that_it_needs(call: Call) -> None:
    row = one(await rows(call, "sequences", pattern="secret"))

    assert (row["last_value"], row["percent_used"], row["values_left"]) == (None, None, None)
    assert row["advice"] == (f'hidden; GRANT SELECT ON SEQUENCE public.secret_id_seq TO "{ROLE}"')


async def test_sizes_of_tables_need_no_grant(call: Call) -> None:
    row = one(await rows(call, "tables", pattern="secret"))

    assert row["total_bytes"] > 0


async def test_a_database_that_refuses_connections_hides_its_size(
    call: Call, cluster: ThrowawayCluster
) -> None:
    await cluster.execute("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
    try:
        row = one(await rows(call, "databases", pattern="postgres"), database="postgres")
    finally:
        await cluster.execute("GRANT CONNECT ON DATABASE postgres TO PUBLIC")

    assert row["bytes"] is None
    assert row["finding"] == f"size hidden; {GRANT}"


async def test_statements_of_other_roles_are_counted_without_text(call: Call) -> None:
    found = await rows(call, "slow_queries")

    others = [row for row in found if row["role"] == "postgres"]
    assert {row["query"] for row in others} == {f"hidden; {GRANT}"}


async def test_a_slot_of_the_server_is_visible(call: Call, cluster: ThrowawayCluster) -> None:
    await cluster.execute("SELECT pg_create_physical_replication_slot('seen', true)")
    try:
        found = await rows(call, "replication")
    finally:
        await cluster.execute("SELECT pg_drop_replication_slot('seen')")

    assert one(found, name="seen")["state"] == "inactive"


async def test_an_extension_in_a_closed_schema_has_a_grant_of_its_own(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute(
        "CREATE SCHEMA closed; ALTER EXTENSION pg_stat_statements SET SCHEMA closed",
        database=database,
    )
    try:
        with pytest.raises(Unavailable) as failure:
            await look(call, "slow_queries")
    finally:
        await cluster.execute(
            "ALTER EXTENSION pg_stat_statements SET SCHEMA public; DROP SCHEMA closed",
            database=database,
        )

    assert failure.value.message == (
        f'pg_stat_statements lives in schema "closed", which role "{ROLE}" may not use.'
    )
    assert failure.value.hint == f'GRANT USAGE ON SCHEMA "closed" TO "{ROLE}"'


async def test_with_the_grant_everything_shows(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute(GRANT)
    try:
        async with session(cluster, database) as other:
            await other.execute("BEGIN; SELECT 'of interest now'")

            found = await report(call, "activity")
            statuses = {row["check"]: row["status"] for row in await rows(call, "health")}
    finally:
        await cluster.execute(GRANT.replace("GRANT", "REVOKE").replace(" TO ", " FROM "))

    assert "notices" not in found
    assert "of interest now" in str(found["rows"])
    assert [check for check, status in statuses.items() if status == "unknown"] == ["sequences"]
