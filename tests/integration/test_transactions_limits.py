"""The limits of transactions across calls, with a clock that the test moves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from pgmcp.errors import HandleUnknown
from pgmcp.http import Gateway
from pgmcp.settings import Settings
from tests.cluster import ThrowawayCluster
from tests.conftest import HandClock
from tests.people import Person, adjusted, gateway_with
from tests.witness import Witness, witnessing


@pytest.fixture
async def witness(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Witness]:
    async with witnessing(cluster, database) as looking:
        await looking.connection.execute("CREATE TABLE IF NOT EXISTS t (id int); TRUNCATE t")
        yield looking


@pytest.fixture
async def gateway(settings: Settings, clock: HandClock) -> AsyncIterator[Gateway]:
    async with gateway_with(settings, clock.clock) as made:
        yield made


@pytest.fixture
def ana(gateway: Gateway) -> Person:
    return Person(gateway)


async def refusal(person: Person, handle: str) -> str:
    """Return what a statement in the transaction is told, which has to be a refusal."""
    with pytest.raises(HandleUnknown) as caught:
        await person.query("SELECT 1", session_id=handle)
    return caught.value.message


async def test_an_unused_transaction_is_rolled_back_and_says_when_and_why(
    gateway: Gateway, ana: Person, clock: HandClock, witness: Witness
) -> None:
    handle = await ana.begin(mode="write")
    await ana.write("INSERT INTO t VALUES (1)", session_id=handle)
    clock.pass_seconds(299)
    await gateway.transactions.expire()
    still_open = len(await witness.in_transaction())

    clock.pass_seconds(1)
    await gateway.transactions.expire()

    assert still_open == 1
    await witness.no_transaction()
    assert await witness.value("SELECT count(*) FROM t") == 0
    assert re.fullmatch(
        rf"transaction {handle[:8]}… was rolled back after 5 minutes idle at \d\d:\d\d UTC\. "
        r"Start again with pg_tx action=begin\.",
        await refusal(ana, handle),
    )


async def test_the_journal_tells_whose_transaction_was_ended_and_why(
    gateway: Gateway, ana: Person, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    """No call is under way then, so no line of a call tells it."""
    handle = await ana.begin(mode="write")
    clock.pass_seconds(300)

    with caplog.at_level("INFO", "pgmcp"):
        await gateway.transactions.expire()

    (line,) = [each for each in caplog.messages if "rolled back" in each]
    owner = f"{ana.owner.principal} in {gateway.settings.server.database}"
    assert line == f"transaction {handle[:8]}… of {owner} was rolled back after 5 minutes idle"


async def test_a_used_transaction_is_not_idle(
    gateway: Gateway, ana: Person, clock: HandClock, witness: Witness
) -> None:
    handle = await ana.begin()
    for _ in range(3):
        clock.pass_seconds(200)
        await gateway.transactions.expire()
        await ana.query("SELECT 1", session_id=handle)

    assert len(await witness.in_transaction()) == 1


async def test_a_running_statement_is_not_idle(
    gateway: Gateway, ana: Person, clock: HandClock, witness: Witness
) -> None:
    handle = await ana.begin()
    running = asyncio.create_task(ana.query("SELECT pg_sleep(0.3)", session_id=handle))
    await witness.starts("pg_sleep")

    clock.pass_seconds(10_000)
    await gateway.transactions.expire()

    assert "-- 1 row" in (await running).text


async def test_the_total_limit_ends_a_transaction_that_is_in_use(
    gateway: Gateway, ana: Person, clock: HandClock, witness: Witness
) -> None:
    handle = await ana.begin()
    for _ in range(9):
        clock.pass_seconds(200)
        await gateway.transactions.expire()
        await asyncio.gather(ana.query("SELECT 1", session_id=handle), return_exceptions=True)

    await witness.no_transaction()
    words = await refusal(ana, handle)
    assert "was rolled back after reaching its total limit of 30 minutes at" in words


async def test_a_statement_near_the_total_limit_gets_what_is_left(
    ana: Person, clock: HandClock
) -> None:
    handle = await ana.begin()
    clock.pass_seconds(1790)

    shown = await ana.cell("SELECT current_setting('statement_timeout')", session_id=handle)

    assert shown == "10s"


async def test_a_transaction_that_others_wait_for_is_rolled_back_sooner(
    gateway: Gateway, ana: Person, clock: HandClock, witness: Witness
) -> None:
    free = await ana.begin(mode="write")
    handle = await ana.begin(mode="write")
    await ana.write("LOCK TABLE t", session_id=handle)
    waiting = asyncio.create_task(Person(gateway, "bob").write("INSERT INTO t VALUES (5)"))
    await witness.waits_for_lock()

    clock.pass_seconds(59)
    await gateway.transactions.expire()
    before = len(await witness.in_transaction())
    clock.pass_seconds(1)
    await gateway.transactions.expire()

    await waiting
    assert before == 3
    assert await witness.value("SELECT count(*) FROM t") == 1
    words = await refusal(ana, handle)
    assert "was rolled back after 1 minute idle while others waited for its locks at" in words
    assert await ana.cell("SELECT 1", session_id=free) == "1"


async def test_waiting_for_one_that_waits_counts_as_waiting_for_no_lock_of_an_idle_one(
    gateway: Gateway, ana: Person, clock: HandClock, witness: Witness
) -> None:
    """Nobody waits for it: it keeps its five minutes, though the database is busy."""
    handle = await ana.begin(mode="write")
    await ana.write("INSERT INTO t VALUES (1)", session_id=handle)
    await ana.query("SELECT count(*) FROM t")

    clock.pass_seconds(120)
    await gateway.transactions.expire()

    assert len(await witness.in_transaction()) == 1


async def test_a_tombstone_is_forgotten_after_an_hour(
    gateway: Gateway, ana: Person, clock: HandClock
) -> None:
    handle = await ana.begin()
    await ana.tx("rollback", session_id=handle)
    clock.pass_seconds(3600)
    await gateway.transactions.expire()
    remembered = await refusal(ana, handle)

    clock.pass_seconds(1)
    await gateway.transactions.expire()

    assert "was rolled back by you at" in remembered
    assert (await refusal(ana, handle)).startswith("no open transaction of yours has session_id")


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_an_ended_handle_says_how_it_ended(ana: Person, end: str) -> None:
    handle = await ana.begin()
    await ana.tx(end, session_id=handle)

    with pytest.raises(HandleUnknown, match=r"was (committed|rolled back by you) at \d\d:\d\d UTC"):
        await ana.tx(end, session_id=handle)


async def test_a_transaction_of_a_short_lived_session_is_idle_no_longer_than_it(
    settings: Settings, clock: HandClock, witness: Witness
) -> None:
    async with gateway_with(adjusted(settings, http={"session_idle": 40}), clock.clock) as gateway:
        ana, modern = Person(gateway), Person(gateway, session=None)
        answer = await ana.tx("begin")
        await modern.begin()

        clock.pass_seconds(40)
        await gateway.transactions.expire()

        assert "idle_limit_seconds: 40" in answer.text
        assert len(await witness.in_transaction()) == 1
        assert (await ana.tx("list")).text.count("tx_") == 0


async def test_postgresqls_own_limits_stand_behind(ana: Person, cluster: ThrowawayCluster) -> None:
    """Should the gateway be stopped in its tracks, PostgreSQL ends the transaction."""
    handle = await ana.begin()
    names = "'idle_in_transaction_session_timeout', 'transaction_timeout'"

    shown = await ana.query(
        f"SELECT name, setting FROM pg_settings WHERE name IN ({names}) ORDER BY name",
        session_id=handle,
    )

    rows = dict(line.split("\t") for line in shown.text.split("\n")[1:-1])
    assert rows.pop("idle_in_transaction_session_timeout") == "360000"
    assert rows == ({"transaction_timeout": "1860000"} if cluster.major >= 17 else {})


async def test_the_gateways_end_rolls_back_everything(settings: Settings, witness: Witness) -> None:
    async with gateway_with(settings) as gateway:
        ana = Person(gateway)
        for _ in range(3):
            handle = await ana.begin(mode="write")
            await ana.write("INSERT INTO t VALUES (1)", session_id=handle)

    await witness.empty()
    assert await witness.value("SELECT count(*) FROM t") == 0
