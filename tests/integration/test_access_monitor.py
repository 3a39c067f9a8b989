"""pg_monitor sees every database; a caller is told only of those within its reach."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.cluster import ThrowawayCluster
from tests.integration.ruled import APP, OTHER, Ruled, ruled
from tests.integration.watching import Session, eventually, one, rows, session, waiting

SECRET = "the other's literal"
APPLICATION = "payroll"
LEFT_OUT = "databases are left out: no access rule or grant gives you any permission there"
SERVER_ACTIONS = [
    *("activity", "connections", "locks", "progress", "databases", "replication", "settings"),
]
ACTIONS = [
    *SERVER_ACTIONS,
    *("health", "slow_queries", "tables", "indexes", "wal", "vacuum", "sequences"),
]


@pytest.fixture(scope="module")
async def world(cluster: ThrowawayCluster) -> AsyncIterator[Ruled]:
    async with ruled(cluster) as made:
        yield made


@pytest.fixture
async def theirs(world: Ruled) -> AsyncIterator[Session]:
    """Hold a session of the other database: in a transaction, with a literal in its statement."""
    async with session(world.cluster, OTHER, application_name=APPLICATION) as opened:
        await opened.execute(f'BEGIN; SELECT $${SECRET}$$ AS "{SECRET}"')
        yield opened


async def text(world: Ruled, name: str, action: str, **arguments: object) -> str:
    """Return everything that somebody reads of an action, also of one that is refused."""
    try:
        return (await world.person(name).call("pg_monitor", action=action, **arguments)).text
    except Exception as error:  # noqa: BLE001 — slow_queries where the extension is not there
        return str(error)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.usefixtures("theirs")
async def test_nothing_of_a_database_out_of_reach_is_told(world: Ruled, action: str) -> None:
    told = await text(world, "reader", action, max_rows=1000)
    everything = await text(world, "reader", action, max_rows=1000, pattern="*")

    found = [word for word in (OTHER, SECRET, APPLICATION) if word in told + everything]
    assert found == []


@pytest.mark.parametrize("action", SERVER_ACTIONS)
async def test_the_receipt_says_how_much_is_left_out(world: Ruled, action: str) -> None:
    told = await text(world, "reader", action)

    assert f"4 {LEFT_OUT}" in told.splitlines()[-1]


async def test_the_receipt_of_health_says_it_too(world: Ruled) -> None:
    assert f"4 {LEFT_OUT}" in (await text(world, "reader", "health")).splitlines()[-1]


@pytest.mark.parametrize("action", ["tables", "wal"])
async def test_what_tells_of_no_other_database_leaves_nothing_out(
    world: Ruled, action: str
) -> None:
    assert LEFT_OUT not in await text(world, "reader", action)


@pytest.mark.parametrize("action", [*SERVER_ACTIONS, "health"])
@pytest.mark.usefixtures("theirs")
async def test_who_reaches_all_is_told_all(world: Ruled, action: str) -> None:
    assert LEFT_OUT not in await text(world, "boss", action)


async def test_who_reaches_it_sees_the_session(world: Ruled, theirs: Session) -> None:
    call = world.person("local")._call

    row = one(await rows(call, "activity"), pid=theirs.pid)

    assert (row["database"], row["application"]) == (OTHER, APPLICATION)


@pytest.mark.parametrize("pattern", [SECRET, APPLICATION, OTHER, f"{SECRET[:6]}*"])
@pytest.mark.usefixtures("theirs")
async def test_a_pattern_is_no_oracle(world: Ruled, pattern: str) -> None:
    """What is left out counts databases, so that it is the same whatever was looked for."""
    receipts = [
        (await text(world, "reader", "activity", pattern=wanted)).splitlines()[-1]
        for wanted in (pattern, "no such thing anywhere")
    ]

    assert [receipt.partition(" ms")[2] for receipt in receipts] == [f", 4 {LEFT_OUT}"] * 2
    assert all(receipt.startswith("-- 0 rows") for receipt in receipts)


@pytest.mark.usefixtures("theirs")
async def test_sums_count_what_is_shown(world: Ruled) -> None:
    call = world.person("reader")._call

    found = await rows(call, "connections")

    assert {row["database"] for row in found} <= {"(all)", "(none)", APP}
    assert found[0]["sessions"] == sum(row["sessions"] for row in found[1:])


async def test_waiting_elsewhere_is_not_shown(world: Ruled) -> None:
    async with AsyncExitStack() as stack:
        holder = await stack.enter_async_context(session(world.cluster, OTHER))
        waiter = await stack.enter_async_context(session(world.cluster, OTHER))
        await holder.execute("BEGIN; SELECT pg_advisory_xact_lock(4711)")
        await stack.enter_async_context(waiting(waiter, "SELECT pg_advisory_xact_lock(4711)"))
        boss = world.person("boss")._call
        await eventually(lambda: rows(boss, "locks"))

        told = await text(world, "reader", "locks")

    assert told.splitlines()[-1].startswith("-- 0 rows")


async def test_waiting_here_is_shown(world: Ruled) -> None:
    async with AsyncExitStack() as stack:
        holder = await stack.enter_async_context(session(world.cluster, APP))
        waiter = await stack.enter_async_context(session(world.cluster, APP))
        await holder.execute("BEGIN; SELECT pg_advisory_xact_lock(4711)")
        await stack.enter_async_context(waiting(waiter, "SELECT pg_advisory_xact_lock(4711)"))
        call = world.person("reader")._call

        found = await eventually(lambda: rows(call, "locks"))

    assert [row["pid"] for row in found] == [holder.pid, waiter.pid]
    assert {row["database"] for row in found} == {APP}


async def test_a_chain_through_another_database_hides_its_session(world: Ruled) -> None:
    """A role is shared, so a session here can wait for one there."""
    rename = "COMMENT ON ROLE postgres IS 'x'"
    async with AsyncExitStack() as stack:
        holder = await stack.enter_async_context(
            session(world.cluster, OTHER, application_name=APPLICATION)
        )
        waiter = await stack.enter_async_context(session(world.cluster, APP))
        await holder.execute(f"BEGIN; {rename}")
        await stack.enter_async_context(waiting(waiter, rename))
        call = world.person("reader")._call

        found = await eventually(lambda: rows(call, "locks"))

    root, below = found
    assert (root["pid"], below["pid"]) == (holder.pid, waiter.pid)
    assert (root["database"], root["role"], root["application"], root["query"]) == (None,) * 4
    assert root["state"] == "gone, or in a database out of your reach"
    assert below["database"] == APP


@pytest.fixture
async def set_apart(world: Ruled) -> AsyncIterator[None]:
    """Give the other database settings of its own, with and without a role; and ours one."""
    where = (f"DATABASE {OTHER}", f"ROLE postgres IN DATABASE {OTHER}", f"DATABASE {APP}")
    for place in where:
        await world.cluster.execute(f"ALTER {place} SET app.secret = '{APPLICATION} of {place}'")
    yield
    for place in where:
        await world.cluster.execute(f"ALTER {place} RESET app.secret")


@pytest.mark.parametrize("pattern", [{}, {"pattern": "app.secret"}], ids=["changed", "pattern"])
@pytest.mark.usefixtures("set_apart")
async def test_settings_of_another_database_are_not_told(
    world: Ruled, pattern: dict[str, str]
) -> None:
    call = world.person("reader")._call

    found = await rows(call, "settings", max_rows=1000, **pattern)

    sources = {row["source"] for row in found if row["name"] == "app.secret"}
    assert f"database {APP}" in sources
    assert OTHER not in str(found)


@pytest.mark.usefixtures("set_apart")
async def test_who_reaches_all_is_told_the_settings_of_all(world: Ruled) -> None:
    call = world.person("boss")._call

    found = await rows(call, "settings", pattern="app.secret")

    sources = {row["source"] for row in found}
    assert {f"database {OTHER}", f"role postgres database {OTHER}"} <= sources


async def test_health_names_no_database_out_of_reach(world: Ruled) -> None:
    async with session(world.cluster, OTHER) as opened:
        await opened.execute("BEGIN")
        call = world.person("reader")._call

        found = {row["check"]: row for row in await rows(call, "health")}

    name = found["transaction ids"]["value"].rpartition(" in ")[2].rpartition(":")[0]
    assert name in (APP, "(out of your reach)")
    assert f"pid {opened.pid}" not in str(found)


WHOLE = [
    pytest.param("SELECT query FROM pg_stat_activity", "activity", id="view"),
    pytest.param("SELECT * FROM pg_stat_get_activity(NULL)", "activity", id="function"),
    pytest.param("SELECT (SELECT max(query) FROM pg_stat_activity)", "activity", id="inside"),
    pytest.param("SELECT * FROM public.pg_stat_statements", "slow_queries", id="statements"),
    pytest.param("SELECT setconfig FROM pg_db_role_setting", "settings", id="settings"),
]


@pytest.mark.parametrize(("sql", "action"), WHOLE)
async def test_statements_elsewhere_are_not_read_by_sql(
    world: Ruled, sql: str, action: str
) -> None:
    """PostgreSQL shows a login role its own sessions' statements, whatever the database."""
    told = await world.refused("writer", "pg_query", sql=sql)

    assert f"pg_monitor action={action} shows what is within your reach" in told


async def test_a_view_of_statements_elsewhere_is_not_made(world: Ruled) -> None:
    sql = "CREATE VIEW spy AS SELECT query FROM pg_stat_activity"

    told = await world.refused("local", "pg_schema", action="create", sql=sql)

    assert "you may not reach all of them" in told


async def test_who_reaches_all_reads_all(world: Ruled) -> None:
    answer = await world.person("boss").query("SELECT count(*) FROM pg_stat_activity")

    assert "-- 1 row" in answer.text
