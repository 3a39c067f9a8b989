"""An answer counts once, for who was asked, about exactly what was asked, in time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from pgmcp.keys import new_key
from pgmcp.questions import LIMIT, MOST_OF_ONE
from pgmcp.settings import Settings
from tests.cluster import ThrowawayCluster
from tests.human import FORM, NO, YES, Hand, Served, open_session, serving
from tests.people import adjusted
from tests.wire import ACCEPT, Received, Wire

SETUP = """
DROP TABLE IF EXISTS orders, other;
CREATE TABLE orders AS SELECT generate_series(1, 5) AS id;
CREATE TABLE other AS SELECT 1 AS id;
"""
DELETE = {"sql": "DELETE FROM orders", "mode": "write"}
REFUSED = "this answer fits no open question of yours"
ANA, ANA_LINE = new_key("ana")
BOB, BOB_LINE = new_key("bob")


@pytest.fixture
async def served(settings: Settings, tmp_path: Path) -> AsyncIterator[Served]:
    keys = tmp_path / "keys"
    keys.write_text(f"{ANA_LINE}\n{BOB_LINE}\n")
    keys.chmod(0o600)
    async with serving(adjusted(settings, identity={"keys_file": keys})) as made:
        yield made


@pytest.fixture
async def beside(cluster: ThrowawayCluster, database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await cluster.connect(database)
    await connection.execute(SETUP)
    yield connection
    await connection.close()


@pytest.fixture
def ana(served: Served) -> Hand:
    return Hand(url=served.url, headers={"Authorization": f"Bearer {ANA}"})


@pytest.fixture
def bob(served: Served) -> Hand:
    return Hand(url=served.url, headers={"Authorization": f"Bearer {BOB}"})


async def rows(beside: asyncpg.Connection) -> int:
    """Return how many orders there are."""
    return int(await beside.fetchval("SELECT count(*) FROM orders"))


def is_refused(answer: Received) -> bool:
    """Tell whether the answer was one to no open question; the sentence is always the same."""
    result = answer.message["result"]
    return bool(result.get("isError")) and REFUSED in answer.text


async def test_an_answer_brought_twice_runs_once(ana: Hand, beside: asyncpg.Connection) -> None:
    state = await ana.state(DELETE)

    first = await ana.call(DELETE, state=state, answer=YES)
    await beside.execute("INSERT INTO orders VALUES (6)")
    second = await ana.call(DELETE, state=state, answer=YES)

    assert "-- DELETE 5" in first.text
    assert is_refused(second)
    assert await rows(beside) == 1


async def test_of_answers_brought_at_once_one_runs(ana: Hand, beside: asyncpg.Connection) -> None:
    state = await ana.state(DELETE)

    answers = await asyncio.gather(*(ana.call(DELETE, state=state, answer=YES) for _ in range(5)))

    assert sorted(is_refused(answer) for answer in answers) == [False, True, True, True, True]
    assert await rows(beside) == 0


async def test_a_no_closes_the_question(ana: Hand, beside: asyncpg.Connection) -> None:
    state = await ana.state(DELETE)

    no = await ana.call(DELETE, state=state, answer=NO)
    yes = await ana.call(DELETE, state=state, answer=YES)

    assert "your human was asked and declined." in no.text
    assert is_refused(yes)
    assert await rows(beside) == 5


async def test_a_stolen_question_is_no_question(
    ana: Hand, bob: Hand, beside: asyncpg.Connection
) -> None:
    """The thief learns nothing, and the owner's own answer still counts."""
    state = await ana.state(DELETE)

    stolen = await bob.call(DELETE, state=state, answer=YES)
    forged = await bob.call(DELETE, state="q_" + "x" * 22, answer=YES)
    between = await rows(beside)
    own = await ana.call(DELETE, state=state, answer=YES)

    assert is_refused(stolen)
    assert stolen.text == forged.text
    assert between == 5
    assert "-- DELETE 5" in own.text


async def test_nobody_in_particular_cannot_use_a_keys_question(
    served: Served, ana: Hand, beside: asyncpg.Connection
) -> None:
    state = await ana.state(DELETE)

    answer = await Hand(url=served.url).call(DELETE, state=state, answer=YES)

    assert is_refused(answer)
    assert await rows(beside) == 5


OTHERS = [
    pytest.param({"sql": "DELETE FROM other"}, id="another table"),
    pytest.param({"sql": "DELETE FROM orders "}, id="a space more"),
    pytest.param({"sql": "DELETE FROM orders; DROP TABLE other"}, id="a statement more"),
    pytest.param({"sql": "DELETE FROM other WHERE id = 1"}, id="what needs no yes"),
    pytest.param({"sql": "SELECT 1", "mode": "read"}, id="a read"),
    pytest.param({"database": "postgres"}, id="another database"),
    pytest.param({"confirm": "public.orders"}, id="another parameter"),
    pytest.param({"params": [1]}, id="other values"),
]


@pytest.mark.parametrize("changed", OTHERS)
async def test_another_call_cannot_use_the_answer(
    ana: Hand, beside: asyncpg.Connection, changed: dict[str, Any]
) -> None:
    state = await ana.state(DELETE)

    answer = await ana.call({**DELETE, **changed}, state=state, answer=YES)

    assert is_refused(answer)
    assert await rows(beside) == 5
    assert await beside.fetchval("SELECT count(*) FROM other") == 1


async def test_another_tool_cannot_use_the_answer(ana: Hand, beside: asyncpg.Connection) -> None:
    arguments = {"action": "drop", "sql": "DROP TABLE orders"}
    state = await ana.state(arguments, tool="pg_schema")

    answer = await ana.call(DELETE, state=state, answer=YES)

    assert is_refused(answer)
    assert await rows(beside) == 5


async def test_an_answer_comes_too_late(
    served: Served, ana: Hand, beside: asyncpg.Connection
) -> None:
    state = await ana.state(DELETE)

    served.clock.pass_seconds(LIMIT.total_seconds() + 1)
    answer = await ana.call(DELETE, state=state, answer=YES)

    assert is_refused(answer)
    assert await rows(beside) == 5


FORGED = [
    pytest.param("", id="empty"),
    pytest.param("q_", id="a beginning"),
    pytest.param("confirm", id="a word"),
    pytest.param("x" * 10_000, id="long"),
    pytest.param("q_\n\0", id="control characters"),
]


@pytest.mark.parametrize("state", FORGED)
async def test_a_forged_state_runs_nothing(
    ana: Hand, beside: asyncpg.Connection, state: str
) -> None:
    await ana.state(DELETE)

    answer = await ana.call(DELETE, state=state, answer=YES)

    assert is_refused(answer)
    assert await rows(beside) == 5


async def test_an_answer_without_a_state_asks_again(ana: Hand, beside: asyncpg.Connection) -> None:
    answer = await ana.call(DELETE, answer=YES)

    assert answer.message["result"]["resultType"] == "input_required"
    assert await rows(beside) == 5


async def test_a_state_without_an_answer_asks_again(ana: Hand, beside: asyncpg.Connection) -> None:
    state = await ana.state(DELETE)

    answer = await ana.call(DELETE, state=state)

    assert answer.message["result"]["resultType"] == "input_required"
    assert answer.message["result"]["requestState"] != state
    assert await rows(beside) == 5


async def test_a_flood_of_questions_closes_ones_own_oldest(
    ana: Hand, bob: Hand, beside: asyncpg.Connection
) -> None:
    bobs = await bob.state(DELETE)
    oldest = await ana.state(DELETE)
    await asyncio.gather(*(ana.state(DELETE) for _ in range(MOST_OF_ONE)))

    refused = await ana.call(DELETE, state=oldest, answer=YES)
    counted = await bob.call(DELETE, state=bobs, answer=YES)

    assert is_refused(refused)
    assert "-- DELETE 5" in counted.text
    assert await rows(beside) == 0


async def test_a_stolen_session_cannot_answer(
    served: Served, ana: Hand, bob: Hand, beside: asyncpg.Connection
) -> None:
    """In 2025-11-25 the answer comes into the session, which answers to nobody else."""
    hers, his = Wire(served.url, ana.headers), Wire(served.url, bob.headers)
    session = await open_session(hers, FORM)
    params = {"name": "pg_query", "arguments": DELETE}
    pending = await hers.post("tools/call", params, session)
    await pending.first("elicitation/create")
    yes = json.dumps({"jsonrpc": "2.0", "id": 1, "result": YES}).encode()

    stolen = await his.request("POST", headers={**ACCEPT, **session}, body=yes)
    between = await rows(beside)
    own = await hers.request("POST", headers={**ACCEPT, **session}, body=yes)
    ran = await pending.first("-- DELETE 5")
    hers.close()

    assert stolen.status == 404
    assert between == 5
    assert own.status == 202
    assert ran


async def test_a_narrowed_url_cannot_use_the_answer(
    served: Served, ana: Hand, beside: asyncpg.Connection
) -> None:
    state = await ana.state(DELETE)
    narrowed = Hand(url=served.url, headers=ana.headers, path="/mcp?access=read")

    answer = await narrowed.call(DELETE, state=state, answer=YES)

    assert answer.message["result"]["isError"]
    assert await rows(beside) == 5
