"""
SIGTERM, sessions that expire, and what either leaves on the server: with real processes.

Starting and stopping takes seconds, so all scenes are played at once, each with a gateway and a
database of its own; a test hands out what became of one.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import ThrowawayCluster
from tests.process import GatewayProcess, start_gateway
from tests.wire import LegacySession, Wire
from tests.witness import Witness, eventually, witnessing

SLEEP = "SELECT pg_sleep(20)"
EXIT_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Hold a gateway process, a way to speak to it, and a look at its database."""

    process: GatewayProcess
    wire: Wire
    witness: Witness

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Send the signal; return the exit status and the seconds it took."""
        began = time.monotonic()
        self.process.process.send_signal(number)
        status = await asyncio.to_thread(self.process.process.wait, 20)
        return status, time.monotonic() - began


@asynccontextmanager
async def staged(cluster: ThrowawayCluster, name: str, config: Path | None) -> AsyncIterator[Stage]:
    """Start a gateway on a database called *name*; end both afterwards."""
    await cluster.drop_database(name)
    await cluster.create_database(name)
    arguments = ["--config", str(config)] if config else []
    starting = start_gateway(cluster.environment(name), arguments)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(cluster.drop_database, name)
        witness = await stack.enter_async_context(witnessing(cluster, name))
        process = await asyncio.to_thread(starting.__enter__)
        stack.push_async_callback(asyncio.to_thread, starting.__exit__, None, None, None)
        wire = Wire(process.url)
        stack.callback(wire.close)
        yield Stage(process=process, wire=wire, witness=witness)


async def begin(session: LegacySession) -> str:
    """Begin a transaction in an MCP session."""
    answer = await (await session.call("pg_tx", action="begin", mode="write")).answer()
    return str(answer.message["result"]["structuredContent"]["session_id"])


async def listen(session: LegacySession) -> None:
    """Open the stream of a session on which the server may speak, and leave it open."""
    headers = {**session.headers, "Accept": "text/event-stream"}
    await session.wire.send("GET", headers=headers)


async def sigterm_ends_an_idle_gateway_at_once(stage: Stage) -> None:
    status, seconds = await stage.stop(signal.SIGTERM)

    assert status == 0
    assert seconds < EXIT_SECONDS - 2
    await stage.witness.empty()
    assert "Traceback" not in stage.process.log.read_text()


async def sigint_ends_an_idle_gateway_at_once(stage: Stage) -> None:
    status, seconds = await stage.stop(signal.SIGINT)

    assert status == 0
    assert seconds < EXIT_SECONDS - 2
    await stage.witness.empty()
    assert "Traceback" not in stage.process.log.read_text()


async def sigterm_ends_statements_and_transactions_of_both_eras(stage: Stage) -> None:
    session = await stage.wire.initialize()
    handle = await begin(session)
    await begin(session)
    old = await session.call("pg_query", sql=SLEEP)
    inside = await session.call("pg_query", sql=SLEEP, session_id=handle)
    new = await stage.wire.modern("pg_query", sql=SLEEP)
    await eventually(lambda: stage.witness.running("pg_sleep"), lambda seen: len(seen) == 3)

    status, seconds = await stage.stop()
    answers = await asyncio.gather(*(pending.answer() for pending in (old, inside, new)))

    assert status == 0
    assert seconds < EXIT_SECONDS
    await stage.witness.empty()
    assert all("-- 1 row" not in answer.body for answer in answers)
    assert "Traceback" not in stage.process.log.read_text()


async def sigterm_lets_a_short_call_finish(stage: Stage) -> None:
    pending = await stage.wire.modern("pg_query", sql="SELECT 7 FROM pg_sleep(0.7)")
    await stage.witness.starts("pg_sleep")

    stopping = asyncio.create_task(stage.stop())
    answer = await pending.answer()

    assert answer.text.startswith("?column?\n7\n")
    assert (await stopping)[0] == 0


async def an_open_get_stream_does_not_hold_the_stop(stage: Stage) -> None:
    session = await stage.wire.initialize()
    await listen(session)
    await begin(session)

    status, seconds = await stage.stop()

    assert status == 0
    assert seconds < EXIT_SECONDS
    await stage.witness.empty()


async def killed_outright_it_leaves_nothing_on_the_server_for_long(stage: Stage) -> None:
    """Nobody says goodbye; PostgreSQL itself looks after its client every two seconds."""
    session = await stage.wire.initialize()
    await begin(session)
    await session.call("pg_query", sql=SLEEP)
    await stage.witness.starts("pg_sleep")

    stage.process.process.kill()
    stage.process.process.wait(5)

    await stage.witness.empty()


async def an_expired_mcp_session_leaves_nothing(stage: Stage) -> None:
    session = await stage.wire.initialize()
    handle = await begin(session)
    answer = await session.call("pg_query", sql="SELECT 1", session_id=handle)
    assert "-- 1 row" in (await answer.answer()).text
    before = len(await stage.witness.in_transaction())

    await stage.witness.no_transaction()
    await stage.witness.empty()

    # Asking is a use, so there is no second try: the session has been left alone for 2 s.
    after = await (await session.call("pg_tx", action="list")).answer()
    assert before == 1
    assert after.status == 404


async def an_open_get_stream_keeps_no_transaction_alive(stage: Stage) -> None:
    session = await stage.wire.initialize()
    await listen(session)
    handle = await begin(session)

    await stage.witness.no_transaction()

    told = await (await session.call("pg_query", sql="SELECT 1", session_id=handle)).answer()
    assert "was rolled back after 0.5 s idle at" in told.text


SCENES: Mapping[Callable[[Stage], Awaitable[None]], Mapping[str, object] | None] = {
    sigterm_ends_an_idle_gateway_at_once: None,
    sigint_ends_an_idle_gateway_at_once: None,
    sigterm_ends_statements_and_transactions_of_both_eras: None,
    sigterm_lets_a_short_call_finish: None,
    an_open_get_stream_does_not_hold_the_stop: None,
    killed_outright_it_leaves_nothing_on_the_server_for_long: None,
    an_expired_mcp_session_leaves_nothing: {"http": {"session_idle": 1}, "pools": {"idle": 0.5}},
    an_open_get_stream_keeps_no_transaction_alive: {"transactions": {"idle": 0.5}},
}
NAMES = [scene.__name__ for scene in SCENES]


@pytest.fixture(scope="module")
async def played(
    newest_cluster: ThrowawayCluster, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, asyncio.Task[None]]:
    """Play every scene at once; nothing here depends on PostgreSQL's version."""
    folder = tmp_path_factory.mktemp("configs")

    async def play(number: int, scene: Callable[[Stage], Awaitable[None]]) -> None:
        config = folder / f"{number}.json"
        config.write_text(json.dumps(SCENES[scene] or {}))
        async with staged(newest_cluster, f"shutdown_{number}", config) as stage:
            await scene(stage)

    tasks = [asyncio.create_task(play(number, scene)) for number, scene in enumerate(SCENES)]
    await asyncio.wait(tasks)
    return dict(zip(NAMES, tasks, strict=True))


@pytest.mark.parametrize("scene", NAMES)
async def test_the_end_is_orderly(played: Mapping[str, asyncio.Task[None]], scene: str) -> None:
    played[scene].result()
