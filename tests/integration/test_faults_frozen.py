"""
PostgreSQL's processes stand still (SIGSTOP): every call ends with a sentence within its limit.

The limits take seconds, so all scenes are played at once, each with a gateway of its own, and the
tests look at what came out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest

from pgmcp.errors import PgmcpError
from pgmcp.http import Gateway
from pgmcp.settings import Settings, load
from tests.cluster import ThrowawayCluster, throwaway_cluster
from tests.people import Person, adjusted, gateway_with, lent
from tests.witness import eventually, witnessing

NAP = "SELECT pg_sleep(0.4)"
TIMEOUT = 0.5  # seconds that a statement may take here
TABLES = """
CREATE TABLE t (id int);
CREATE TABLE checked (id int);
CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_sleep(30); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON checked
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slowly();
"""
IN_TIME = TIMEOUT + 5 + 2.5  # its limit, the gateway's patience, and a slow machine


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Say what a caller was told, how long it took, and whether the gateway works afterwards."""

    words: str
    seconds: float
    healed: bool
    lent: int
    extra: str = ""


@dataclass(frozen=True)
class Scene:
    """
    Say which call meets the frozen backend.

    *inside*: it is in a transaction across calls. *running*: its statement NAP runs already.
    """

    call: Callable[[Person], Awaitable[object]]
    inside: bool = False
    running: bool = False


@pytest.fixture(scope="module")
def cluster() -> Iterator[ThrowawayCluster]:
    """Start a cluster that may be hurt; nothing here depends on PostgreSQL's version."""
    with throwaway_cluster() as started:
        yield started


@pytest.fixture(scope="module")
async def outcomes(cluster: ThrowawayCluster) -> AsyncIterator[dict[str, Outcome]]:
    """Play every scene at once."""
    await cluster.create_database("frozen")
    await cluster.execute(TABLES, database="frozen")
    settings = adjusted(
        load(environ=cluster.environment("frozen")),
        limits={"timeout": TIMEOUT},
        pools={"wait": 1},
        server={"connect_timeout": 1},
    )
    playing = (play(settings, cluster, scene) for scene in ALONE.values())
    others = (scene(settings, cluster) for scene in TOGETHER.values())
    played = await asyncio.gather(*playing, *others)
    yield dict(zip([*ALONE, *TOGETHER], played, strict=True))
    await cluster.drop_database("frozen")


async def told(work: Awaitable[object]) -> tuple[str, float]:
    """Return what the caller was told, and after how many seconds."""
    began = time.monotonic()
    try:
        words = str(await work)
    except PgmcpError as error:
        words = "\n".join(error.lines())
    return words, time.monotonic() - began


async def settled(gateway: Gateway) -> int:
    """Return how many connections stay lent once clean-up is done."""
    await asyncio.gather(*gateway.databases._cleaning, return_exceptions=True)
    return lent(gateway)


async def works(person: Person) -> bool:
    """Tell whether a read and a write work."""
    await person.write("INSERT INTO t VALUES (1)")
    return await person.cell("SELECT 1") == "1"


async def play(settings: Settings, cluster: ThrowawayCluster, scene: Scene) -> Outcome:
    """Freeze the backend that a call uses, and look what becomes of it."""
    async with gateway_with(settings) as gateway, witnessing(cluster, "frozen") as witness:
        ana = Person(gateway)
        await (ana.begin(mode="write") if scene.inside else ana.query("SELECT 1"))
        (pid,) = gateway.databases.own_pids()
        if scene.running:
            calling = asyncio.create_task(told(scene.call(ana)))
            await eventually(lambda: witness.running_in(pid, NAP), bool)
            cluster.pause(pid)
        else:
            cluster.pause(pid)
            calling = asyncio.create_task(told(scene.call(ana)))
        try:
            words, seconds = await calling
            healed = await works(ana)
            after = (await ana.tx("list")).text
            left = await settled(gateway)
        finally:
            cluster.resume(pid)
        await witness.gone(pid)
        return Outcome(words=words, seconds=seconds, healed=healed, lent=left, extra=after)


def handle_of(person: Person) -> str:
    """Return the handle of the person's only transaction."""
    return person._call.transactions.mine()[0].handle


async def cancelled_read(ana: Person) -> None:
    """Lose interest; the connection is given up where it cannot be made clean."""
    reading = asyncio.create_task(ana.query(NAP))
    done, _ = await asyncio.wait([reading], timeout=0.8)
    assert not done
    reading.cancel()
    await asyncio.wait([reading])


async def a_slow_commit_of_a_transaction(settings: Settings, _cluster: ThrowawayCluster) -> Outcome:
    """PostgreSQL's statement_timeout does not cover COMMIT; nothing stands still here."""
    async with gateway_with(settings) as gateway:
        ana = Person(gateway)
        handle = await ana.begin(mode="write")
        await ana.write("INSERT INTO checked VALUES (1)", session_id=handle)
        words, seconds = await told(ana.tx("commit", session_id=handle))
        healed = await works(ana)
        return Outcome(words=words, seconds=seconds, healed=healed, lent=await settled(gateway))


async def a_slow_commit_of_a_write(settings: Settings, _cluster: ThrowawayCluster) -> Outcome:
    async with gateway_with(settings) as gateway:
        ana = Person(gateway)
        words, seconds = await told(ana.write("INSERT INTO checked VALUES (1)"))
        healed = await works(ana)
        return Outcome(words=words, seconds=seconds, healed=healed, lent=await settled(gateway))


async def the_gateway_stops(settings: Settings, cluster: ThrowawayCluster) -> Outcome:
    """Close a gateway while an idle and a transaction's backend stand still."""
    gateway = Gateway(settings)
    ana = Person(gateway)
    await ana.query("SELECT 1")
    await ana.begin()
    pids = gateway.databases.own_pids()
    for pid in pids:
        cluster.pause(pid)

    async def close() -> None:
        await gateway.transactions.close()
        await gateway.databases.close()
        gateway.parser.close()

    words, seconds = await told(close())
    for pid in pids:
        cluster.resume(pid)
    return Outcome(words=words, seconds=seconds, healed=True, lent=lent(gateway))


ALONE: dict[str, Scene] = {
    "an idle backend meets a read": Scene(lambda ana: ana.query("SELECT 1")),
    "an idle backend meets a write": Scene(lambda ana: ana.write("INSERT INTO t VALUES (2)")),
    "a running read": Scene(lambda ana: ana.query(NAP), running=True),
    "a cancelled read": Scene(cancelled_read, running=True),
    "a statement": Scene(lambda ana: ana.query("SELECT 1", session_id=handle_of(ana)), inside=True),
    "a running statement": Scene(
        lambda ana: ana.query(NAP, session_id=handle_of(ana)), inside=True, running=True
    ),
    "a savepoint": Scene(
        lambda ana: ana.tx("savepoint", name="s", session_id=handle_of(ana)), inside=True
    ),
    "a commit": Scene(lambda ana: ana.tx("commit", session_id=handle_of(ana)), inside=True),
    "a rollback": Scene(lambda ana: ana.tx("rollback", session_id=handle_of(ana)), inside=True),
}
TOGETHER: dict[str, Callable[[Settings, ThrowawayCluster], Awaitable[Outcome]]] = {
    "a slow commit of a transaction": a_slow_commit_of_a_transaction,
    "a slow commit of a write": a_slow_commit_of_a_write,
    "the gateway stops": the_gateway_stops,
}


@pytest.mark.parametrize("scene", [*ALONE, *TOGETHER])
def test_a_call_on_a_frozen_backend_ends_in_time_and_the_gateway_heals(
    outcomes: dict[str, Outcome], scene: str
) -> None:
    outcome = outcomes[scene]

    assert outcome.seconds < IN_TIME
    assert outcome.healed
    assert outcome.lent == 0


@pytest.mark.parametrize("scene", ["an idle backend meets a read", "an idle backend meets a write"])
def test_an_idle_backend_that_does_not_answer_is_replaced(
    outcomes: dict[str, Outcome], scene: str
) -> None:
    """Nothing has been done on it yet, so that another may take its place: even for a write."""
    assert "-- 1 row" in outcomes[scene].words or "INSERT 0 1" in outcomes[scene].words


def test_a_running_call_says_that_there_was_no_answer(outcomes: dict[str, Outcome]) -> None:
    words = outcomes["a running read"].words

    assert "PostgreSQL gave no answer for" in words
    assert "longer than its own limit. The connection was given up." in words


@pytest.mark.parametrize(
    "scene",
    ["a statement", "a running statement", "a savepoint"],
)
def test_a_transaction_is_gone_and_the_answer_says_so(
    outcomes: dict[str, Outcome], scene: str
) -> None:
    outcome = outcomes[scene]

    assert "PostgreSQL gave no answer" in outcome.words
    assert "is gone" in outcome.words
    assert "tx_" not in outcome.extra


@pytest.mark.parametrize(
    "scene", ["a commit", "a slow commit of a transaction", "a slow commit of a write"]
)
def test_a_commit_without_an_answer_says_that_its_outcome_is_unknown(
    outcomes: dict[str, Outcome], scene: str
) -> None:
    assert "unknown: the connection broke during COMMIT. Look" in outcomes[scene].words


def test_a_rollback_without_an_answer_has_rolled_back(outcomes: dict[str, Outcome]) -> None:
    """The connection is cut, and PostgreSQL rolls back what it finds open on it."""
    assert "rolled back" in outcomes["a rollback"].words
    assert outcomes["a rollback"].seconds < 3
