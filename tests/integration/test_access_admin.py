"""pg_admin in the databases that a caller administers, and no further."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.cluster import ThrowawayCluster
from tests.integration.administering import drops, rows, session
from tests.integration.ruled import APP, OTHER, Ruled, ruled

ROLE = "access_role"
NEEDED = 'needs permission admin on database "{}"'
Json = dict[str, Any]  # Any: JSON


@pytest.fixture(scope="module")
async def world(cluster: ThrowawayCluster) -> AsyncIterator[Ruled]:
    """Hold the gateway, and one role of the server."""
    await cluster.execute(f"{drops(ROLE)}; CREATE ROLE {ROLE}")
    async with ruled(cluster) as made:
        yield made
    await cluster.execute(drops(ROLE))


# Everything that all databases share counts as the default one's.
SERVER = [
    pytest.param({"action": "databases"}, id="databases"),
    pytest.param({"action": "roles"}, id="roles"),
    pytest.param({"action": "create_role", "name": "x"}, id="create_role"),
    pytest.param({"action": "alter_role", "name": ROLE, "to": "y"}, id="alter_role"),
    pytest.param({"action": "drop_role", "name": ROLE, "confirm": ROLE}, id="drop_role"),
    pytest.param({"action": "drop_role", "name": ROLE, "database": "scratch_1"}, id="drop there"),
    pytest.param({"action": "create_database", "name": "scratch_2"}, id="create_database"),
    pytest.param({"action": "drop_database", "name": "scratch_1"}, id="drop_database"),
    pytest.param({"action": "setting", "name": "work_mem"}, id="setting"),
    pytest.param({"action": "set", "name": "work_mem", "value": "1MB"}, id="set"),
    pytest.param({"action": "set", "name": "work_mem", "value": "1MB", "to": ROLE}, id="set role"),
    pytest.param({"action": "reset", "name": "work_mem"}, id="reset"),
    pytest.param({"action": "reload"}, id="reload"),
    pytest.param({"action": "cancel", "pid": 1}, id="cancel"),
    pytest.param({"action": "terminate", "pid": 1}, id="terminate"),
    pytest.param({"action": "backup"}, id="backup"),
    pytest.param({"action": "vacuum"}, id="vacuum"),
    pytest.param({"action": "extensions"}, id="extensions"),
    pytest.param(
        {"action": "grant", "on": f"role {ROLE}", "to": ROLE, "database": "scratch_1"},
        id="membership from elsewhere",
    ),
    pytest.param(
        {
            "action": "grant",
            "on": "parameter work_mem",
            "to": ROLE,
            "privileges": ["SET"],
            "database": "scratch_1",
        },
        id="a setting's privilege from elsewhere",
    ),
]


@pytest.mark.parametrize("arguments", SERVER)
async def test_what_all_databases_share_needs_the_default_one(
    world: Ruled, arguments: Json
) -> None:
    text = await world.refused("guest", "pg_admin", **arguments)

    assert NEEDED.format(APP) in text
    assert "guest@example.com has none" in text


# Who administers the default database does not administer another by naming it.
ELSEWHERE = [
    pytest.param({"action": "drop_database", "name": OTHER, "confirm": OTHER}, id="drop"),
    pytest.param({"action": "drop_database", "name": OTHER, "full": True}, id="drop with force"),
    pytest.param(
        {"action": "set", "name": "work_mem", "value": "1MB", "database": OTHER}, id="set"
    ),
    pytest.param(
        {"action": "set", "name": "work_mem", "value": "1MB", "database": OTHER, "to": ROLE},
        id="set for a role there",
    ),
    pytest.param({"action": "reset", "name": "work_mem", "database": OTHER}, id="reset"),
    pytest.param({"action": "vacuum", "database": OTHER}, id="vacuum"),
    pytest.param({"action": "analyze", "database": OTHER}, id="analyze"),
    pytest.param({"action": "reindex", "database": OTHER}, id="reindex"),
    pytest.param({"action": "backup", "database": OTHER}, id="backup"),
    pytest.param({"action": "extensions", "database": OTHER}, id="extensions"),
    pytest.param({"action": "create_extension", "name": "x", "database": OTHER}, id="extension"),
    pytest.param({"action": "reset_statistics", "database": OTHER}, id="statistics"),
    pytest.param({"action": "drop_role", "name": ROLE, "database": OTHER}, id="drop_role"),
    pytest.param(
        {
            "action": "grant",
            "on": "schema public",
            "to": ROLE,
            "privileges": ["USAGE"],
            "database": OTHER,
        },
        id="grant there",
    ),
    pytest.param(
        {"action": "grant", "on": f"database {OTHER}", "to": ROLE, "privileges": ["CONNECT"]},
        id="grant on it",
    ),
    pytest.param(
        {"action": "create_database", "name": "scratch_2", "template": OTHER}, id="copy it"
    ),
]


@pytest.mark.parametrize("arguments", ELSEWHERE)
async def test_another_database_needs_the_permission_there(world: Ruled, arguments: Json) -> None:
    text = await world.refused("local", "pg_admin", **arguments)

    assert f"{NEEDED.format(OTHER)}; access rule 6 gives local read" in text


async def test_a_new_database_must_be_in_a_pattern(world: Ruled) -> None:
    text = await world.refused("local", "pg_admin", action="create_database", name="stray")

    assert NEEDED.format("stray") in text


async def test_shared_counters_need_the_default_database(world: Ruled) -> None:
    await world.cluster.create_database("scratch_1")
    try:
        text = await world.refused(
            "guest", "pg_admin", action="reset_statistics", name="bgwriter", database="scratch_1"
        )
    finally:
        await world.cluster.drop_database("scratch_1")

    assert NEEDED.format(APP) in text


async def test_a_database_in_a_pattern_is_made_used_and_dropped(world: Ruled) -> None:
    local = world.person("local")

    await local.call("pg_admin", action="create_database", name="scratch_9")
    await local.call(
        "pg_schema", action="create", sql="CREATE TABLE t (a int)", database="scratch_9"
    )
    vacuumed = await local.call("pg_admin", action="vacuum", database="scratch_9")
    dropped = await local.call(
        "pg_admin", action="drop_database", name="scratch_9", confirm="scratch_9"
    )

    assert "scratch_9" in vacuumed.text
    assert "dropped" in dropped.text


async def test_only_reachable_databases_are_listed(world: Ruled) -> None:
    listed = await world.person("local").call("pg_admin", action="databases")

    lines = listed.text.splitlines()
    assert [line.split("\t")[0] for line in lines[1:-1]] == [APP, OTHER]
    assert "3 databases are left out: no access rule or grant gives you any" in lines[-1]


async def test_overrides_of_a_setting_out_of_reach_are_left_out(world: Ruled) -> None:
    await world.cluster.create_database("payroll")
    try:
        for name in ("payroll", OTHER):
            await world.cluster.execute(f"ALTER DATABASE {name} SET work_mem = '7MB'")
        local = await world.person("local").call("pg_admin", action="setting", name="work_mem")
        boss = await world.person("boss").call("pg_admin", action="setting", name="work_mem")
    finally:
        await world.cluster.drop_database("payroll")
        await world.cluster.execute(f"ALTER DATABASE {OTHER} RESET work_mem")

    assert f"database {OTHER} =7MB" in local.text
    assert "payroll" not in local.text
    assert "database payroll =7MB" in boss.text


async def test_a_misspelt_database_is_not_answered_with_names_out_of_reach(world: Ruled) -> None:
    await world.cluster.create_database("scratch_7")
    try:
        near = await world.refused("local", "pg_admin", action="drop_database", name="scratch_8")
        boss = await world.refused("boss", "pg_admin", action="drop_database", name="postgre")
        local = await world.refused("local", "pg_admin", action="drop_database", name="scratch_x")
    finally:
        await world.cluster.drop_database("scratch_7")

    assert "scratch_7" in near
    assert "postgres" in boss
    assert "template" not in local


@pytest.mark.parametrize("action", ["cancel", "terminate"])
async def test_a_session_elsewhere_is_not_signalled_nor_shown(world: Ruled, action: str) -> None:
    async with session(world.cluster, OTHER) as theirs, session(world.cluster, "postgres") as far:
        pids = [theirs.get_server_pid(), far.get_server_pid()]

        reachable = await world.refused("local", "pg_admin", action=action, pid=pids[0])
        hidden = await world.refused("local", "pg_admin", action=action, pid=pids[1])

        assert await theirs.fetchval("SELECT 1") == await far.fetchval("SELECT 1") == 1
    assert f'is a session of database "{OTHER}", where you lack permission admin' in reachable
    assert "is a session of another database" in hidden
    assert "somebody" not in reachable + hidden  # its application_name


async def test_an_own_session_is_cancelled(world: Ruled) -> None:
    async with session(world.cluster, APP) as theirs:
        answer = await world.person("local").call(
            "pg_admin", action="cancel", pid=theirs.get_server_pid()
        )

    assert "asked to cancel" in answer.text


async def test_a_role_that_is_in_use_elsewhere_does_not_tell_where(world: Ruled) -> None:
    owned = f"CREATE SCHEMA kept AUTHORIZATION {ROLE}"
    await world.cluster.execute(owned, database="postgres")
    try:
        text = await world.refused("local", "pg_admin", action="drop_role", name=ROLE)
    finally:
        await world.cluster.execute("DROP SCHEMA kept", database="postgres")

    assert '1 object in database "(out of your reach)"' in text
    assert "postgres" not in text


async def test_who_may_do_everything_sees_everything(world: Ruled) -> None:
    call = world.person("boss")._call

    names = {row["name"] for row in await rows(call, "databases")}

    assert {APP, OTHER, "postgres", "template0", "template1"} <= names
