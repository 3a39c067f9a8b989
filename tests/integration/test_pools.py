"""The pools as the server sees them: how many, when, and that none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pgmcp.database import Databases, Lease
from pgmcp.errors import PgmcpError, Retryable
from pgmcp.settings import Settings, load
from tests.cluster import ThrowawayCluster
from tests.people import Person, adjusted, gateway_with, lent
from tests.witness import Witness, eventually, witnessing

NAMES = [f"pools_{number}" for number in range(8)]


@pytest.fixture(scope="module")
def cluster(newest_cluster: ThrowawayCluster) -> ThrowawayCluster:
    """Nothing here depends on PostgreSQL's version."""
    return newest_cluster


@pytest.fixture(scope="module")
async def many(cluster: ThrowawayCluster) -> AsyncIterator[list[str]]:
    """Have eight databases."""
    for name in NAMES:
        await cluster.create_database(name)
    yield NAMES
    for name in NAMES:
        await cluster.drop_database(name)


@pytest.fixture
def settings(cluster: ThrowawayCluster, many: list[str]) -> Settings:
    return load(environ=cluster.environment(many[0]))


@pytest.fixture
async def witness(cluster: ThrowawayCluster) -> AsyncIterator[Witness]:
    """Look at all databases; the session's gateway process may idle beside, in `postgres`."""
    async with witnessing(cluster, None) as looking:
        yield looking


async def in_pools(witness: Witness) -> int:
    """Return how many connections there are to the eight databases."""
    sql = """SELECT count(*) FROM pg_stat_activity
              WHERE application_name ~ '^pgmcp( |$)' AND datname LIKE 'pools\\_%'"""
    found = await witness.value(sql)
    assert isinstance(found, int)
    return found


async def test_no_connection_is_opened_before_the_first_call(
    settings: Settings, witness: Witness
) -> None:
    async with gateway_with(settings) as gateway:
        before = await in_pools(witness)
        await Person(gateway).query("SELECT 1")

        assert before == 0
        assert await in_pools(witness) == 1


async def test_calls_one_after_the_other_share_a_connection(
    settings: Settings, witness: Witness
) -> None:
    async with gateway_with(settings) as gateway:
        ana = Person(gateway)
        pids = {await ana.cell("SELECT pg_backend_pid()") for _ in range(5)}

        assert len(pids) == 1
        assert await in_pools(witness) == 1


async def test_one_database_never_has_more_than_its_cap(
    settings: Settings, witness: Witness
) -> None:
    async with gateway_with(adjusted(settings, pools={"per_database": 2})) as gateway:
        ana = Person(gateway)
        calls = [asyncio.create_task(ana.query("SELECT pg_sleep(0.05)")) for _ in range(8)]
        await witness.starts("pg_sleep")
        seen = []
        while not all(call.done() for call in calls):
            seen.append(await in_pools(witness))

        await asyncio.gather(*calls)
        assert max(seen) == 2
        assert lent(gateway) == 0


async def test_who_waits_too_long_is_told_how_busy_it_is(
    settings: Settings, witness: Witness
) -> None:
    narrow = adjusted(settings, pools={"per_database": 1, "wait": 0.1})
    async with gateway_with(narrow) as gateway:
        ana = Person(gateway)
        holding = asyncio.create_task(ana.query("SELECT pg_sleep(0.4)"))
        await witness.starts("pg_sleep")

        with pytest.raises(Retryable, match='all connections to database "pools_0" are busy: 1 '):
            await ana.query("SELECT 1")

        await holding


async def test_fifty_calls_on_eight_databases_stay_below_the_total(
    settings: Settings, witness: Witness, many: list[str]
) -> None:
    async with gateway_with(adjusted(settings, pools={"total": 6, "wait": 20})) as gateway:
        ana = Person(gateway)
        sql = "SELECT current_database() FROM pg_sleep(0.01)"
        names = [many[number % len(many)] for number in range(50)]
        calls = [asyncio.create_task(ana.cell(sql, database=name)) for name in names]
        seen = [0]
        while not all(call.done() for call in calls):
            seen.append(await in_pools(witness))

        assert await asyncio.gather(*calls) == names
        # A backend that was told to go takes a moment to leave pg_stat_activity.
        assert max(seen) <= 6
        assert lent(gateway) == 0


async def test_the_total_makes_way_for_another_database(
    settings: Settings, witness: Witness, many: list[str]
) -> None:
    """The one used longest ago goes, whatever its database."""
    async with gateway_with(adjusted(settings, pools={"total": 2})) as gateway:
        ana = Person(gateway)
        pids = {name: await ana.cell("SELECT pg_backend_pid()", database=name) for name in many[:2]}
        await ana.query("SELECT 1", database=many[0])

        await ana.query("SELECT 1", database=many[2])

        await witness.gone(int(pids[many[1]]))
        assert int(pids[many[0]]) in await witness.pids()
        assert await in_pools(witness) == 2


async def test_an_unused_connection_is_closed_after_its_time(
    settings: Settings, witness: Witness
) -> None:
    async with gateway_with(adjusted(settings, pools={"idle": 0.2})) as gateway:
        await Person(gateway).query("SELECT 1")
        await gateway.databases.expire_idle()
        before = await in_pools(witness)

        async def look() -> int:
            await gateway.databases.expire_idle()
            return await in_pools(witness)

        await eventually(look, lambda count: count == 0)
        assert before == 1
        assert gateway.databases._slots._idle == {}


async def test_drain_lets_a_database_be_dropped(
    settings: Settings, cluster: ThrowawayCluster
) -> None:
    await cluster.create_database("pools_drained")
    async with gateway_with(settings) as gateway:
        ana = Person(gateway)
        await ana.query("SELECT 1", database="pools_drained")

        await gateway.databases.drain("pools_drained")

        await cluster.execute("DROP DATABASE pools_drained")
        with pytest.raises(PgmcpError, match='database "pools_drained" does not exist'):
            await ana.query("SELECT 1", database="pools_drained")
        assert await ana.cell("SELECT 1") == "1"


async def test_drain_reaches_what_is_lent(settings: Settings, cluster: ThrowawayCluster) -> None:
    """Given back idle, it would stand in the way of DROP DATABASE all the same."""
    await cluster.create_database("pools_drained")
    async with gateway_with(settings) as gateway:
        async with gateway.databases.write("pools_drained"):
            await gateway.databases.drain("pools_drained")

        await cluster.execute("DROP DATABASE pools_drained")

        assert lent(gateway) == 0


async def test_unknown_databases_leave_nothing_behind(settings: Settings) -> None:
    async with gateway_with(settings) as gateway:
        ana = Person(gateway)
        asked = (ana.query("SELECT 1", database=f"nope_{number}") for number in range(30))
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        await gateway.databases.expire_idle()

        assert all("does not exist" in str(outcome) for outcome in outcomes)
        assert lent(gateway) == 0
        assert gateway.databases._slots._idle == {}
        assert gateway.databases._types == {}


async def mixed(ana: Person, number: int, database: str) -> None:
    """Do one of eight things, most of which fail; of transactions there are too many at once."""
    kinds = (
        lambda: ana.query("SELECT 1", database=database),
        lambda: ana.query("SELECT 1/0", database=database),
        lambda: ana.query("SELECT nothing", database=database),
        lambda: ana.write("CALL nothing()", database=database),
        lambda: ana.query("SELECT pg_sleep(5)", database=database, timeout_seconds=0.02),
        lambda: asyncio.wait_for(ana.query("SELECT pg_sleep(5)", database=database), 0.05),
        lambda: begin_and_fail(ana, database),
        lambda: ana.query("SELECT $1::int", params=["x"], database=database),
    )
    await kinds[number % len(kinds)]()


async def begin_and_fail(ana: Person, database: str) -> None:
    """Begin a transaction, fail in it, roll it back."""
    handle = await ana.begin(database=database)
    try:
        await ana.query("SELECT 1/0", session_id=handle)
    finally:
        await ana.tx("rollback", session_id=handle)


async def test_two_hundred_mixed_calls_leak_nothing(
    settings: Settings, witness: Witness, many: list[str]
) -> None:
    many_open = {"per_owner": 200, "per_caller": 200}
    wide = adjusted(settings, pools={"wait": 20, "total": 10}, transactions=many_open)
    async with gateway_with(wide) as gateway:
        ana = Person(gateway)
        work = (mixed(ana, number, many[number % 3]) for number in range(200))
        outcomes = await asyncio.gather(*work, return_exceptions=True)
        slots = gateway.databases._slots

        async def look() -> tuple[int, int, int]:
            return lent(gateway), len(slots.pids()) - await in_pools(witness), slots._opening

        await eventually(look, lambda seen: seen == (0, 0, 0))
        kinds = {type(outcome).__name__ for outcome in outcomes}
        refused = {"QueryFailed", "StatementTimeout", "TimeoutError"}
        assert kinds == {"NoneType", *refused}
        assert not slots._queue
        assert gateway.transactions.open_of(ana.owner) == []
        await witness.ends("pg_sleep")


async def test_two_leases_at_once_are_two_connections(settings: Settings) -> None:
    databases = Databases(settings)
    together = asyncio.Barrier(2)

    async def pid(lease: Lease) -> int:
        await together.wait()
        return lease.pid

    first, second = await asyncio.gather(databases.read(None, pid), databases.read(None, pid))

    assert first != second
    await databases.close()


async def test_the_total_fits_what_the_server_admits(settings: Settings, witness: Witness) -> None:
    """pools.total above max_connections would only show as refused connections."""
    admitted = await witness.value(
        "SELECT current_setting('max_connections')::int"
        " - current_setting('superuser_reserved_connections')::int - 2"
    )
    async with gateway_with(adjusted(settings, pools={"total": 500})) as gateway:
        await Person(gateway).query("SELECT 1")

        assert gateway.databases._slots._shares.total == admitted


async def test_who_waits_for_a_place_gets_the_next_one_whatever_the_database(
    settings: Settings, many: list[str]
) -> None:
    """A database under steady load gives its connection up to somebody who came before."""
    pools = {"total": 2, "per_database": 2, "wait": 5}
    async with gateway_with(adjusted(settings, pools=pools)) as gateway:
        ana = Person(gateway)
        busy = True

        async def load() -> None:
            while busy:
                await ana.query("SELECT pg_sleep(0.02)", database=many[0])

        greedy = [asyncio.create_task(load()) for _ in range(6)]
        await asyncio.sleep(0)
        answers = [await ana.cell("SELECT 1", database=name) for name in many[1:5]]
        handle = await ana.begin(database=many[5])
        busy = False
        await asyncio.gather(*greedy)

    assert answers == ["1"] * 4
    assert handle.startswith("tx_")
