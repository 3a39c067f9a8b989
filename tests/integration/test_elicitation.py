"""Where the client can ask its human, a yes runs what was shown, and nothing else does anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import asyncpg
import pytest

from pgmcp.settings import Settings
from tests.cluster import ThrowawayCluster
from tests.human import FORM, NO, YES, Hand, Person, Served, human, open_session, serving, until
from tests.wire import MODERN, Wire

SETUP = """
DROP SCHEMA IF EXISTS shop CASCADE;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, total numeric);
CREATE TABLE shop.items (id integer REFERENCES shop.orders ON DELETE CASCADE);
INSERT INTO shop.orders SELECT generate_series(1, 500);
INSERT INTO shop.items VALUES (1), (2);
ANALYZE shop.orders;
"""
DELETE = "DELETE FROM shop.orders"
ERAS = [pytest.param("legacy", id="2025-11-25"), pytest.param(MODERN, id=MODERN)]
both_eras = pytest.mark.parametrize("era", ERAS)


@pytest.fixture
async def served(settings: Settings) -> AsyncIterator[Served]:
    async with serving(settings) as made:
        yield made


@pytest.fixture
async def beside(cluster: ThrowawayCluster, database: str) -> AsyncIterator[asyncpg.Connection]:
    """Fill the shop, and lend a connection beside the gateway's."""
    connection = await cluster.connect(database)
    await connection.execute(SETUP)
    yield connection
    await connection.close()


async def rows(beside: asyncpg.Connection) -> int:
    """Return how many orders there are."""
    return int(await beside.fetchval("SELECT count(*) FROM shop.orders"))


@both_eras
async def test_a_yes_runs_it(served: Served, beside: asyncpg.Connection, era: str) -> None:
    ana = human(YES)

    text = await Person(url=served.url, mode=era, asked=ana).text(sql=DELETE, mode="write")

    assert "-- DELETE 500" in text
    assert len(ana.asked) == 1
    assert await rows(beside) == 0
    assert served.questions.count() == 0


NOT_YES = [
    pytest.param(NO, "declined", id="decline"),
    pytest.param({"action": "cancel"}, "closed the question", id="cancel"),
    pytest.param({"action": "accept", "content": {"confirm": False}}, "said no", id="false"),
    pytest.param({"action": "accept", "content": {}}, "said no", id="empty"),
    pytest.param({"action": "accept"}, "said no", id="nothing"),
    pytest.param({"action": "accept", "content": {"confirm": "true"}}, "said no", id="a text"),
    pytest.param({"action": "accept", "content": {"confirm": 1}}, "said no", id="a number"),
    pytest.param({"action": "decline", "content": {"confirm": True}}, "declined", id="both"),
]


@both_eras
@pytest.mark.parametrize(("answer", "how"), NOT_YES)
async def test_anything_else_does_nothing(
    served: Served,
    beside: asyncpg.Connection,
    era: str,
    answer: dict[str, Any],
    how: str,
) -> None:
    person = Person(url=served.url, mode=era, asked=human(answer))

    refusal = await person.refusal(sql=DELETE, mode="write")

    assert f"error: your human was asked and {how}. Nothing was done." in refusal
    assert await rows(beside) == 500
    assert served.questions.count() == 0


@both_eras
async def test_confirm_counts_for_nothing_where_a_human_can_be_asked(
    served: Served, beside: asyncpg.Connection, era: str
) -> None:
    ana = human(NO)

    await Person(url=served.url, mode=era, asked=ana).refusal(
        sql=DELETE, mode="write", confirm="shop.orders"
    )

    assert len(ana.asked) == 1
    assert await rows(beside) == 500


@both_eras
async def test_without_the_capability_confirm_is_what_opens_it(
    served: Served, beside: asyncpg.Connection, era: str
) -> None:
    person = Person(url=served.url, mode=era)

    refusal = await person.refusal(sql=DELETE, mode="write")
    await person.text(sql=DELETE, mode="write", confirm="shop.orders")

    assert 'repeat the call with confirm="shop.orders"' in refusal
    assert "shop.orders, 500 rows, rows go in shop.items" in refusal
    assert await rows(beside) == 0


@both_eras
async def test_what_is_harmless_asks_nobody(
    served: Served, beside: asyncpg.Connection, era: str
) -> None:
    ana = human()

    await Person(url=served.url, mode=era, asked=ana).text(
        sql=f"{DELETE} WHERE id = 1", mode="write"
    )

    assert ana.asked == []
    assert await rows(beside) == 499


CAPABILITIES = [
    pytest.param({}, False, id="none"),
    pytest.param({"elicitation": {"url": {}}}, False, id="url only"),
    pytest.param({"elicitation": {}}, True, id="empty means forms"),
    pytest.param(FORM, True, id="form"),
    pytest.param({"elicitation": {"form": {}, "url": {}}}, True, id="both"),
]


@pytest.mark.parametrize(("capabilities", "asks"), CAPABILITIES)
async def test_only_who_declares_forms_is_asked(
    served: Served, beside: asyncpg.Connection, capabilities: dict[str, object], *, asks: bool
) -> None:
    hand = Hand(url=served.url, capabilities=capabilities)

    answer = await hand.call({"sql": DELETE, "mode": "write"})

    assert (answer.message["result"]["resultType"] == "input_required") == asks
    assert ("repeat the call with confirm" in answer.body) != asks
    assert await rows(beside) == 500


@pytest.mark.parametrize(("capabilities", "asks"), CAPABILITIES)
async def test_only_a_session_that_declares_forms_is_asked(
    served: Served, beside: asyncpg.Connection, capabilities: dict[str, object], *, asks: bool
) -> None:
    wire = Wire(served.url)
    headers = await open_session(wire, capabilities)
    params = {"name": "pg_query", "arguments": {"sql": DELETE, "mode": "write"}}

    pending = await wire.post("tools/call", params, headers)
    seen = await pending.first("elicitation/create" if asks else "repeat the call with confirm")
    await wire.request("DELETE", headers=headers)
    wire.close()

    assert seen
    assert await rows(beside) == 500


async def test_no_answer_in_time_is_a_no(settings: Settings, beside: asyncpg.Connection) -> None:
    ana = human(YES, meanwhile=lambda: asyncio.sleep(1))

    async with serving(settings, limit=0.3) as served:
        person = Person(url=served.url, mode="legacy", asked=ana)
        refusal = await person.refusal(sql=DELETE, mode="write")

        assert "did not answer within 0.3 s. Nothing was done." in refusal
        assert served.questions.count() == 0
    assert await rows(beside) == 500


async def test_a_session_that_ends_takes_its_question_along(
    served: Served, beside: asyncpg.Connection
) -> None:
    wire = Wire(served.url)
    headers = await open_session(wire, FORM)
    params = {"name": "pg_query", "arguments": {"sql": DELETE, "mode": "write"}}
    pending = await wire.post("tools/call", params, headers)
    await pending.first("elicitation/create")
    open_before = served.questions.count()

    await wire.request("DELETE", headers=headers)
    await until(lambda: not served.questions.count())
    wire.close()

    assert open_before == 1
    assert await rows(beside) == 500


async def test_a_cancelled_call_takes_its_question_along(
    served: Served, beside: asyncpg.Connection
) -> None:
    wire = Wire(served.url)
    headers = await open_session(wire, FORM)
    params = {"name": "pg_query", "arguments": {"sql": DELETE, "mode": "write"}}
    pending = await wire.post("tools/call", params, headers)
    await pending.first("elicitation/create")

    cancel = {"requestId": pending.id}
    await (await wire.post("notifications/cancelled", cancel, headers)).answer()
    await until(lambda: not served.questions.count())
    wire.close()

    assert await rows(beside) == 500


async def test_a_client_that_fails_to_ask_does_nothing(
    served: Served, beside: asyncpg.Connection
) -> None:
    ana = human({"action": "perhaps"})

    refusal = await Person(url=served.url, mode="legacy", asked=ana).refusal(
        sql=DELETE, mode="write", confirm="shop.orders"
    )

    assert "your client declares elicitation and could not ask its human" in refusal
    assert await rows(beside) == 500


@both_eras
async def test_more_rows_do_not_ask_again(
    served: Served, beside: asyncpg.Connection, era: str
) -> None:
    """A busy table would never be confirmed otherwise."""
    ana = human(YES, meanwhile=lambda: beside.execute("INSERT INTO shop.orders VALUES (900)"))

    await Person(url=served.url, mode=era, asked=ana).text(sql=DELETE, mode="write")

    assert len(ana.asked) == 1
    assert await rows(beside) == 0


NEW = "CREATE TABLE shop.more (id integer REFERENCES shop.orders ON DELETE CASCADE)"
OTHER = "ALTER TABLE shop.orders RENAME TO old; CREATE TABLE shop.orders AS TABLE shop.old"
CHANGED = [pytest.param(NEW, id="a cascade more"), pytest.param(OTHER, id="another table")]


@both_eras
@pytest.mark.parametrize("change", CHANGED)
async def test_what_has_changed_since_is_asked_again(
    served: Served, beside: asyncpg.Connection, era: str, change: str
) -> None:
    ana = human(YES, NO, meanwhile=lambda: beside.execute(change))

    await Person(url=served.url, mode=era, asked=ana).refusal(sql=DELETE, mode="write")

    first, second = ana.asked
    assert first.startswith("Run this? Nothing has been done yet.\n")
    assert second.startswith("What would happen has changed since you were asked.")
    assert await rows(beside) == 500


@both_eras
async def test_what_has_changed_runs_after_another_yes(
    served: Served, beside: asyncpg.Connection, era: str
) -> None:
    ana = human(YES, YES, meanwhile=lambda: beside.execute(NEW))

    await Person(url=served.url, mode=era, asked=ana).text(sql=DELETE, mode="write")

    assert "rows go in shop.items, shop.more" in ana.asked[1]
    assert await rows(beside) == 0


async def test_what_never_stops_changing_is_given_up(
    served: Served, beside: asyncpg.Connection
) -> None:
    ana = human(*[YES] * 5)
    ana.meanwhile.extend(partial(beside.execute, NEW.replace("more", name)) for name in "abcde")

    refusal = await Person(url=served.url, mode="legacy", asked=ana).refusal(
        sql=DELETE, mode="write"
    )

    assert "what would happen changed 5 times" in refusal
    assert await rows(beside) == 500
