"""A call cancelled at an awkward moment: while it opens, waits, begins or commits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sized

import pytest

from pgmcp.errors import HandleUnknown
from pgmcp.http import Gateway
from pgmcp.settings import Settings
from tests.cluster import ThrowawayCluster
from tests.people import Person, adjusted, gateway_with, lent
from tests.witness import Witness, eventually, witnessing

TABLES = """
CREATE TABLE IF NOT EXISTS t (id int);
TRUNCATE t;
CREATE OR REPLACE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_sleep(20); RETURN NULL; END $$;
DROP TABLE IF EXISTS checked;
CREATE TABLE checked (id int);
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON checked
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slowly();
"""


@pytest.fixture(scope="module")
def cluster(newest_cluster: ThrowawayCluster) -> ThrowawayCluster:
    """Nothing here depends on PostgreSQL's version."""
    return newest_cluster


@pytest.fixture
async def witness(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Witness]:
    async with witnessing(cluster, database) as looking:
        await looking.connection.execute(TABLES)
        yield looking


@pytest.fixture
async def gateway(settings: Settings) -> AsyncIterator[Gateway]:
    narrow = adjusted(settings, pools={"per_database": 1, "wait": 3})
    async with gateway_with(narrow) as made:
        yield made


@pytest.fixture
def ana(gateway: Gateway) -> Person:
    return Person(gateway)


async def stop(task: asyncio.Task[object]) -> None:
    """Cancel *task* and wait until it has ended by that."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def count_open(gateway: Gateway, witness: Witness) -> None:
    """Insist that nothing is lent and that gateway and server agree on what is open."""

    async def look() -> tuple[int, bool]:
        return lent(gateway), set(await witness.pids()) == gateway.databases.own_pids()

    await eventually(look, lambda seen: seen == (0, True))


async def test_a_cancelled_read_is_gone_and_its_connection_serves_the_next(
    gateway: Gateway, ana: Person, witness: Witness
) -> None:
    reading = asyncio.create_task(ana.query("SELECT pg_sleep(20)"))
    first = await witness.starts("pg_sleep")

    await stop(reading)

    assert await ana.cell("SELECT pg_backend_pid()") == str(first.pid)
    assert await witness.ends("pg_sleep") < 1
    await count_open(gateway, witness)


async def test_a_cancelled_write_leaves_no_row(
    gateway: Gateway, ana: Person, witness: Witness
) -> None:
    sql = "INSERT INTO t SELECT 1 FROM pg_sleep(20)"
    writing = asyncio.create_task(ana.write(sql))
    await witness.starts("pg_sleep")

    await stop(writing)

    assert await witness.ends("pg_sleep") < 1
    await count_open(gateway, witness)
    assert await witness.value("SELECT count(*) FROM t") == 0


async def test_cancelled_while_waiting_for_a_connection_it_leaves_the_queue(
    gateway: Gateway, ana: Person, witness: Witness
) -> None:
    holding = asyncio.create_task(ana.query("SELECT pg_sleep(0.4)"))
    await witness.starts("pg_sleep")
    impatient = asyncio.create_task(ana.query("SELECT 1"))
    patient = asyncio.create_task(ana.cell("SELECT 2"))
    queue = gateway.databases._slots._queue
    await eventually(_length(queue), lambda length: length == 2)

    await stop(impatient)

    assert len(queue) == 1
    assert await patient == "2"
    await holding
    await count_open(gateway, witness)


def _length(waiting: Sized | None) -> Callable[[], Awaitable[int]]:
    """Return a look at the length of a queue."""

    async def look() -> int:
        return len(waiting or ())

    return look


@pytest.mark.parametrize("yields", range(0, 40, 6))
async def test_a_begin_cancelled_at_any_moment_leaves_no_connection(
    gateway: Gateway, ana: Person, witness: Witness, yields: int
) -> None:
    """However far it had come: connecting, learning types, in BEGIN."""
    beginning = asyncio.create_task(ana.tx("begin"))
    for _ in range(yields):
        await asyncio.sleep(0.0005)

    beginning.cancel()
    outcome = (await asyncio.gather(beginning, return_exceptions=True))[0]

    open_now = 0 if isinstance(outcome, BaseException) else 1
    await eventually(witness.pids, lambda pids: len(pids) == open_now)
    assert len(gateway.transactions.open_of(ana.owner)) == open_now
    assert len(gateway.databases.own_pids()) == open_now
    assert not gateway.transactions._ledger._beginning


@pytest.mark.parametrize("yields", range(0, 40, 6))
async def test_a_read_cancelled_at_any_moment_loses_no_connection(
    gateway: Gateway, ana: Person, witness: Witness, yields: int
) -> None:
    reading = asyncio.create_task(ana.query("SELECT 1"))
    for _ in range(yields):
        await asyncio.sleep(0.0005)

    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)

    await count_open(gateway, witness)
    assert await ana.cell("SELECT 1") == "1"


async def test_a_cancelled_commit_says_that_its_outcome_is_unknown(
    gateway: Gateway, ana: Person, witness: Witness
) -> None:
    handle = await ana.begin(mode="write")
    await ana.write("INSERT INTO checked VALUES (1)", session_id=handle)
    committing = asyncio.create_task(ana.tx("commit", session_id=handle))
    await witness.starts("COMMIT")

    await stop(committing)

    assert await witness.ends("COMMIT") < 1
    await witness.no_transaction()
    with pytest.raises(HandleUnknown, match="was cancelled during COMMIT, outcome unknown at"):
        await ana.query("SELECT 1", session_id=handle)
    await count_open(gateway, witness)


async def test_a_cancelled_write_that_commits_slowly_loses_no_connection(
    gateway: Gateway, ana: Person, witness: Witness
) -> None:
    writing = asyncio.create_task(ana.write("INSERT INTO checked VALUES (1)"))
    await witness.starts("COMMIT")

    await stop(writing)

    assert await witness.ends("COMMIT") < 1
    await count_open(gateway, witness)
    assert await witness.value("SELECT count(*) FROM checked") == 0


async def test_cancelled_while_another_statement_of_the_transaction_runs_it_changes_nothing(
    gateway: Gateway, ana: Person, witness: Witness
) -> None:
    handle = await ana.begin(mode="write")
    first = asyncio.create_task(ana.query("SELECT pg_sleep(0.3)", session_id=handle))
    await witness.starts("pg_sleep")
    second = asyncio.create_task(ana.write("INSERT INTO t VALUES (1)", session_id=handle))
    lock = gateway.transactions.open_of(ana.owner)[0].lock

    async def waiting() -> int:
        return len(lock._waiters or ())

    await eventually(waiting, bool)

    await stop(second)

    await first
    await ana.tx("commit", session_id=handle)
    assert await witness.value("SELECT count(*) FROM t") == 0
    await count_open(gateway, witness)


async def test_a_cancelled_rollback_has_rolled_back(
    gateway: Gateway, ana: Person, witness: Witness
) -> None:
    """Its connection closes all the same: what was begun with the end is brought to the end."""
    handle = await ana.begin(mode="write")
    await ana.write("INSERT INTO t VALUES (1)", session_id=handle)
    ending = asyncio.create_task(ana.tx("rollback", session_id=handle))
    await asyncio.sleep(0)

    ending.cancel()
    await asyncio.gather(ending, return_exceptions=True)
    await asyncio.gather(ana.tx("rollback", session_id=handle), return_exceptions=True)

    await witness.no_transaction()
    assert await witness.value("SELECT count(*) FROM t") == 0
    await count_open(gateway, witness)
