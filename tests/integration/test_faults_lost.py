"""Connections to PostgreSQL break: between calls, in a read, in a write, in a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pgmcp.errors import (
    ConnectionLost,
    HandleUnknown,
)
from pgmcp.http import Gateway
from pgmcp.settings import Settings
from tests.cluster import ThrowawayCluster
from tests.people import Person, adjusted, gateway_with, lent, refusal
from tests.witness import Witness, witnessing

SLOW_WRITE = "INSERT INTO t SELECT 1 FROM pg_sleep(20)"


@pytest.fixture
async def witness(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Witness]:
    async with witnessing(cluster, database) as looking:
        await looking.connection.execute(
            "DROP TABLE IF EXISTS t; CREATE TABLE t (id int); INSERT INTO t VALUES (0)"
        )
        yield looking


@pytest.fixture
async def gateway(settings: Settings) -> AsyncIterator[Gateway]:
    async with gateway_with(adjusted(settings, pools={"wait": 1})) as made:
        yield made


@pytest.fixture
def ana(gateway: Gateway) -> Person:
    return Person(gateway)


async def terminate(witness: Witness, *pids: int) -> None:
    for pid in pids:
        await witness.value("SELECT pg_terminate_backend($1, 5000)", pid)


async def fill(ana: Person, witness: Witness, count: int) -> list[int]:
    """Have *count* idle connections in the pool; return their process ids."""
    calls = [asyncio.create_task(ana.query("SELECT pg_sleep(0.1)")) for _ in range(count)]
    await asyncio.gather(*calls)
    pids = await witness.pids()
    assert len(pids) == count
    return pids


async def test_a_backend_killed_between_calls_is_replaced_without_a_word(
    gateway: Gateway, ana: Person, witness: Witness
) -> None:
    pid = int(await ana.cell("SELECT pg_backend_pid()"))
    await terminate(witness, pid)

    assert int(await ana.cell("SELECT pg_backend_pid()")) != pid
    assert lent(gateway) == 0
    assert gateway.databases.own_pids() == set(await witness.pids())


async def test_all_idle_backends_killed_at_once_are_replaced_for_reads_and_writes(
    ana: Person, witness: Witness
) -> None:
    await terminate(witness, *await fill(ana, witness, 3))

    outcomes = await asyncio.gather(*(ana.cell("SELECT 1") for _ in range(3)))
    await ana.write("INSERT INTO t VALUES (1)")

    assert outcomes == ["1", "1", "1"]
    assert await witness.value("SELECT count(*) FROM t WHERE id = 1") == 1


async def test_a_read_whose_backend_is_killed_runs_once_more(
    gateway: Gateway, ana: Person, witness: Witness
) -> None:
    reading = asyncio.create_task(ana.cell("SELECT 7 FROM pg_sleep(0.5)"))
    first = await witness.starts("pg_sleep")

    await terminate(witness, first.pid)
    second = await witness.starts("pg_sleep")

    assert second.pid != first.pid
    assert await reading == "7"
    assert lent(gateway) == 0


async def test_a_read_whose_second_backend_is_killed_too_is_told(
    gateway: Gateway, ana: Person, witness: Witness
) -> None:
    reading = asyncio.create_task(ana.query("SELECT pg_sleep(20)"))
    await terminate(witness, (await witness.starts("pg_sleep")).pid)
    await terminate(witness, (await witness.starts("pg_sleep")).pid)

    assert "the connection to PostgreSQL was lost" in await refusal(reading)
    assert lent(gateway) == 0
    assert await ana.cell("SELECT 1") == "1"


async def test_a_write_whose_backend_is_killed_is_told_and_not_repeated(
    gateway: Gateway, ana: Person, witness: Witness
) -> None:
    writing = asyncio.create_task(ana.write(SLOW_WRITE))
    await terminate(witness, (await witness.starts("pg_sleep")).pid)

    words = await refusal(writing)

    assert "the connection to PostgreSQL was lost" in words
    assert "nothing was changed" in words
    assert await witness.running("pg_sleep") == []
    assert await witness.value("SELECT count(*) FROM t") == 1
    assert lent(gateway) == 0


async def test_a_write_whose_connection_breaks_in_commit_says_that_its_fate_is_unknown(
    ana: Person, witness: Witness
) -> None:
    await witness.connection.execute(
        "CREATE OR REPLACE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(20); RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slowly()"
    )
    writing = asyncio.create_task(ana.write("INSERT INTO t VALUES (1)"))
    await terminate(witness, (await witness.starts("COMMIT")).pid)

    words = await refusal(writing)

    assert "the connection broke during COMMIT. Look whether the change is there" in words
    assert "nothing was changed" not in words


async def test_a_transaction_whose_backend_is_killed_is_gone_and_says_so(
    gateway: Gateway, ana: Person, witness: Witness
) -> None:
    handle = await ana.begin(mode="write")
    pid = int(await ana.cell("SELECT pg_backend_pid()", session_id=handle))
    await terminate(witness, pid)

    words = await refusal(ana.query("SELECT 1", session_id=handle))

    assert "the connection to PostgreSQL was lost" in words
    assert f"transaction: {handle[:8]}… is gone: PostgreSQL rolled it back." in words
    with pytest.raises(HandleUnknown, match="was lost with its connection at"):
        await ana.query("SELECT 1", session_id=handle)
    assert lent(gateway) == 0


async def test_a_transaction_whose_backend_is_killed_in_a_statement_is_gone(
    gateway: Gateway, ana: Person, witness: Witness
) -> None:
    handle = await ana.begin(mode="write")
    writing = asyncio.create_task(ana.write(SLOW_WRITE, session_id=handle))
    await terminate(witness, (await witness.starts("pg_sleep")).pid)

    words = await refusal(writing)

    assert f"{handle[:8]}… is gone: PostgreSQL rolled it back." in words
    assert await witness.value("SELECT count(*) FROM t") == 1
    assert lent(gateway) == 0


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_a_transaction_whose_backend_was_killed_can_be_ended(
    gateway: Gateway, ana: Person, witness: Witness, end: str
) -> None:
    """A rollback succeeds, for that is what has happened; a commit was not, and says so."""
    handle = await ana.begin(mode="write")
    await ana.write("INSERT INTO t VALUES (1)", session_id=handle)
    pid = int(await ana.cell("SELECT pg_backend_pid()", session_id=handle))
    await terminate(witness, pid)

    outcome = (await asyncio.gather(ana.tx(end, session_id=handle), return_exceptions=True))[0]

    assert isinstance(outcome, ConnectionLost) == (end == "commit")
    assert await witness.value("SELECT count(*) FROM t") == 1
    assert lent(gateway) == 0


async def test_postgresqls_idle_limit_ends_a_transaction_that_then_says_so(
    gateway: Gateway, ana: Person, witness: Witness
) -> None:
    handle = await ana.begin()
    transaction = gateway.transactions.open_of(ana.owner)[0]
    sql = "SET idle_in_transaction_session_timeout = 50"
    await transaction.backend.connection.execute(sql)
    await witness.gone(transaction.backend.pid)

    words = await refusal(ana.query("SELECT 1", session_id=handle))

    assert f"{handle[:8]}… is gone: PostgreSQL rolled it back." in words
