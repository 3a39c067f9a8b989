"""Transactions across calls in which something fails, and the savepoints that heal them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pgmcp.errors import CallerError, HandleUnknown, PgmcpError, QueryFailed
from pgmcp.http import Gateway
from pgmcp.settings import Settings
from tests.cluster import ThrowawayCluster
from tests.integration.transacting import full, watching_tables
from tests.people import Person, gateway_with
from tests.witness import Witness


@pytest.fixture
async def witness(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Witness]:
    async with watching_tables(cluster, database) as looking:
        yield looking


@pytest.fixture
async def gateway(settings: Settings) -> AsyncIterator[Gateway]:
    async with gateway_with(settings) as made:
        yield made


@pytest.fixture
def ana(gateway: Gateway) -> Person:
    return Person(gateway)


async def test_a_serialization_failure_keeps_its_words_and_names_the_way_out(
    ana: Person, witness: Witness
) -> None:
    handle = await ana.begin(mode="write", isolation="repeatable read")
    await witness.connection.execute("INSERT INTO t VALUES (1, 1)")
    await ana.query("SELECT * FROM t", session_id=handle)
    await witness.connection.execute("UPDATE t SET x = 2")

    with pytest.raises(QueryFailed) as caught:
        await ana.write("UPDATE t SET x = 3 WHERE id = 1", session_id=handle)

    assert caught.value.report.sqlstate == "40001"
    assert "run the whole transaction again" in full(caught.value)
    assert "is aborted" in full(caught.value)


async def test_a_failed_statement_aborts_and_says_so_until_rolled_back(
    ana: Person, witness: Witness
) -> None:
    handle = await ana.begin(mode="write")
    await ana.write("INSERT INTO t VALUES (1, 1)", session_id=handle)

    with pytest.raises(QueryFailed) as first:
        await ana.write("INSERT INTO t VALUES (1, 2)", session_id=handle)
    with pytest.raises(CallerError) as second:
        await ana.query("SELECT 1", session_id=handle)
    with pytest.raises(CallerError) as third:
        await ana.tx("commit", session_id=handle)
    with pytest.raises(CallerError) as fourth:
        await ana.tx("savepoint", session_id=handle, name="s")

    assert "23505" in full(first.value)
    fate = f"transaction: {handle[:8]}… is aborted; only rollback or rollback_to is possible."
    assert [full(error.value).split("\n")[-1] for error in (first, second, third, fourth)] == [
        fate
    ] * 4
    assert "duplicate key" in full(second.value)
    assert (await witness.in_transaction())[0].state == "idle in transaction (aborted)"
    await ana.tx("rollback", session_id=handle)
    await witness.no_transaction()


async def test_rollback_to_heals_an_aborted_transaction(ana: Person, witness: Witness) -> None:
    handle = await ana.begin(mode="write")
    await ana.write("INSERT INTO t VALUES (1, 1)", session_id=handle)
    await ana.tx("savepoint", session_id=handle, name='odd "name"; --')
    await ana.write("INSERT INTO t VALUES (2, 2)", session_id=handle)
    with pytest.raises(QueryFailed):
        await ana.query("SELECT 1/0", session_id=handle)

    await ana.tx("rollback_to", session_id=handle, name='odd "name"; --')
    await ana.write("INSERT INTO t VALUES (3, 3)", session_id=handle)
    await ana.tx("commit", session_id=handle)

    kept = await witness.value("SELECT array_agg(id ORDER BY id) FROM t")
    assert kept == [1, 3]


async def test_limits_hold_again_after_rollback_to(ana: Person, witness: Witness) -> None:
    """SET LOCAL after a savepoint is undone with it, so the limits are sent again."""
    handle = await ana.begin()
    await ana.tx("savepoint", session_id=handle, name="s")
    shown = "SELECT current_setting('statement_timeout')"
    first = await ana.cell(shown, session_id=handle, timeout_seconds=7)

    await ana.tx("rollback_to", session_id=handle, name="s")

    assert first == "7s"
    assert await ana.cell(shown, session_id=handle, timeout_seconds=7) == "7s"
    assert len(await witness.in_transaction()) == 1


async def test_savepoints_of_one_name_hide_each_other(ana: Person, witness: Witness) -> None:
    handle = await ana.begin(mode="write")
    await ana.tx("savepoint", session_id=handle, name="s")
    await ana.write("INSERT INTO t VALUES (1, 1)", session_id=handle)
    await ana.tx("savepoint", session_id=handle, name="s")
    await ana.write("INSERT INTO t VALUES (2, 2)", session_id=handle)

    await ana.tx("rollback_to", session_id=handle, name="s")
    inner = await ana.cell("SELECT count(*) FROM t", session_id=handle)
    await ana.tx("release", session_id=handle, name="s")
    await ana.tx("rollback_to", session_id=handle, name="s")
    outer = await ana.cell("SELECT count(*) FROM t", session_id=handle)

    assert (inner, outer) == ("1", "0")
    assert len(await witness.in_transaction()) == 1


@pytest.mark.usefixtures("witness")
async def test_a_savepoint_that_is_not_set_is_named_with_those_that_are(ana: Person) -> None:
    handle = await ana.begin()
    await ana.tx("savepoint", session_id=handle, name="one")
    await ana.tx("savepoint", session_id=handle, name="two")

    with pytest.raises(CallerError, match=r'no savepoint "three"\. Set: one, two'):
        await ana.tx("rollback_to", session_id=handle, name="three")
    with pytest.raises(CallerError, match=r'no savepoint "three"'):
        await ana.tx("release", session_id=handle, name="three")

    assert await ana.cell("SELECT 1", session_id=handle) == "1"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"sql": "DELETE FROM t"}, id="not confirmed"),
        pytest.param({"sql": "DELETE FROM t", "confirm": "public.other"}, id="wrong confirm"),
        pytest.param({"sql": "SELECT $1::int"}, id="too few params"),
        pytest.param({"sql": "SELECT 1", "params": [1]}, id="too many params"),
        pytest.param({"sql": "COMMIT"}, id="gate"),
        pytest.param({"sql": "SELECT 1; SELECT 2"}, id="two statements"),
        pytest.param({"sql": "SELECT 1", "max_rows": 100_000}, id="too many rows asked for"),
        pytest.param({"sql": "SELECT 1", "timeout_seconds": 100_000}, id="timeout too long"),
        pytest.param({"sql": "SELECT 1", "explain": "analyze"}, id="analyze inside"),
        pytest.param({"sql": "SELECT $1::text", "params": ["a\0b"]}, id="NUL in a parameter"),
    ],
)
async def test_a_refused_statement_does_not_abort(
    ana: Person, witness: Witness, arguments: dict[str, object]
) -> None:
    handle = await ana.begin(mode="write")
    await ana.write("INSERT INTO t VALUES (1, 1)", session_id=handle)

    with pytest.raises(PgmcpError):
        await ana.call("pg_query", session_id=handle, **arguments)
    await ana.tx("commit", session_id=handle)

    assert await witness.value("SELECT count(*) FROM t") == 1


async def test_a_deferred_constraint_fails_at_commit_and_ends_the_transaction(
    ana: Person, witness: Witness
) -> None:
    handle = await ana.begin(mode="write")
    await ana.write("INSERT INTO later VALUES (99)", session_id=handle)

    with pytest.raises(QueryFailed) as caught:
        await ana.tx("commit", session_id=handle)
    with pytest.raises(HandleUnknown, match="was rolled back because COMMIT failed at"):
        await ana.query("SELECT 1", session_id=handle)

    assert "23503" in full(caught.value)
    assert f"{handle[:8]}… was rolled back; begin a new one." in full(caught.value)
    await witness.no_transaction()
    assert await witness.value("SELECT count(*) FROM later") == 0


@pytest.mark.usefixtures("witness")
async def test_a_savepoint_with_a_nul_in_its_name_is_refused_and_aborts_nothing(
    ana: Person,
) -> None:
    handle = await ana.begin()

    with pytest.raises(CallerError, match="holds a NUL"):
        await ana.tx("savepoint", session_id=handle, name="a\0b")

    assert await ana.cell("SELECT 1", session_id=handle) == "1"


@pytest.mark.usefixtures("witness")
@pytest.mark.parametrize("name", ["é" * 63, "SELECT", " ", "a.b", 'x"; DROP TABLE t; --'])
async def test_any_other_name_of_a_savepoint_works(ana: Person, name: str) -> None:
    handle = await ana.begin(mode="write")
    await ana.tx("savepoint", session_id=handle, name=name)
    await ana.write("INSERT INTO t VALUES (1, 1)", session_id=handle)

    await ana.tx("rollback_to", session_id=handle, name=name)

    assert await ana.cell("SELECT count(*) FROM t", session_id=handle) == "0"
