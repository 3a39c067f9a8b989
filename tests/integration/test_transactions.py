"""Transactions across calls, seen from PostgreSQL: what begins, what holds, what is undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pgmcp.errors import CallerError, QueryFailed, Retryable
from pgmcp.http import Gateway
from pgmcp.settings import Settings
from tests.cluster import ThrowawayCluster
from tests.integration.transacting import full, watching_tables
from tests.people import Person, adjusted, gateway_with
from tests.witness import Witness, eventually


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


async def test_a_commit_is_seen_by_others_and_leaves_no_connection(
    ana: Person, witness: Witness
) -> None:
    handle = await ana.begin(mode="write")
    await ana.write("INSERT INTO t VALUES (1, 1)", session_id=handle)
    before = await witness.value("SELECT count(*) FROM t")

    answer = await ana.tx("commit", session_id=handle)

    assert answer.text == f"committed {handle[:8]}…; what it changed is kept."
    assert before == 0
    assert await witness.value("SELECT count(*) FROM t") == 1
    await witness.no_transaction()


async def test_a_rollback_undoes_and_closes_its_connection(ana: Person, witness: Witness) -> None:
    handle = await ana.begin(mode="write")
    await ana.write("INSERT INTO t VALUES (1, 1)", session_id=handle)
    held = [seen.pid for seen in await witness.in_transaction()]

    answer = await ana.tx("rollback", session_id=handle)

    assert "rolled back" in answer.text
    assert len(held) == 1
    await witness.gone(held[0])
    assert await witness.value("SELECT count(*) FROM t") == 0


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
@pytest.mark.parametrize("mode", ["read", "write", "ddl"])
async def test_isolation_and_access_are_what_begin_said(
    ana: Person, witness: Witness, isolation: str, mode: str
) -> None:
    handle = await ana.begin(mode=mode, isolation=isolation)

    shown = await ana.query(
        "SELECT current_setting('transaction_isolation') AS isolation,"
        " current_setting('transaction_read_only') AS read_only",
        session_id=handle,
    )

    read_only = "on" if mode == "read" else "off"
    assert shown.text.split("\n")[1] == f"{isolation}\t{read_only}"
    assert len(await witness.in_transaction()) == 1


async def test_begin_says_what_was_opened_in_text_and_structure(ana: Person, database: str) -> None:
    answer = await ana.tx("begin")

    assert answer.structured is not None
    structured = dict(answer.structured)
    handle = structured.pop("session_id")
    assert handle.startswith("tx_")
    assert len(handle) == 25
    assert structured == {
        "mode": "read",
        "isolation": "read committed",
        "database": database,
        "idle_limit_seconds": 300,
        "total_limit_seconds": 1800,
    }
    assert f"session_id: {handle}" in answer.text
    assert "idle_limit_seconds: 300" in answer.text


async def test_a_read_committed_transaction_sees_commits_and_repeatable_read_does_not(
    ana: Person, witness: Witness
) -> None:
    moving = await ana.begin()
    still = await ana.begin(isolation="repeatable read")
    await ana.query("SELECT count(*) FROM t", session_id=still)

    await witness.connection.execute("INSERT INTO t VALUES (7, 7)")

    assert await ana.cell("SELECT count(*) FROM t", session_id=moving) == "1"
    assert await ana.cell("SELECT count(*) FROM t", session_id=still) == "0"


@pytest.mark.parametrize(
    ("mode", "tool", "arguments", "needed"),
    [
        pytest.param("read", "pg_query", {"sql": "DELETE FROM t WHERE id = 1"}, "write", id="dml"),
        pytest.param(
            "write",
            "pg_schema",
            {"action": "create", "sql": "CREATE TABLE nt ()"},
            "ddl",
            id="ddl",
        ),
    ],
)
async def test_the_mode_is_the_ceiling_of_what_runs_inside(  # noqa: PLR0913, PLR0917 — fixtures and the case
    ana: Person,
    witness: Witness,
    mode: str,
    tool: str,
    arguments: dict[str, str],
    needed: str,
) -> None:
    handle = await ana.begin(mode=mode)

    with pytest.raises(CallerError) as caught:
        await ana.call(tool, session_id=handle, **arguments)

    assert f"has mode={mode}, and this needs {needed}" in full(caught.value)
    assert "is open and unchanged" in full(caught.value)
    assert len(await witness.in_transaction()) == 1
    assert await ana.cell("SELECT 1", session_id=handle) == "1"


@pytest.mark.usefixtures("witness")
async def test_the_mode_of_a_statement_is_inferred_inside(ana: Person) -> None:
    handle = await ana.begin(mode="write")

    await ana.query("INSERT INTO t VALUES (1, 1)", session_id=handle)

    assert await ana.cell("SELECT count(*) FROM t", session_id=handle) == "1"


@pytest.mark.usefixtures("witness")
async def test_another_database_than_the_transactions_is_refused(
    ana: Person, database: str
) -> None:
    handle = await ana.begin()

    with pytest.raises(CallerError) as caught:
        await ana.query("SELECT 1", session_id=handle, database="postgres")

    assert f'is on database "{database}", not "postgres"' in full(caught.value)
    assert await ana.cell("SELECT 1", session_id=handle, database=database) == "1"


async def test_several_are_open_at_once_and_the_limit_has_its_sentence(
    ana: Person, witness: Witness
) -> None:
    handles = [await ana.begin() for _ in range(8)]

    with pytest.raises(Retryable, match=r"8 transactions of yours are open, the most allowed"):
        await ana.begin()

    assert len(await witness.in_transaction()) == 8
    await ana.tx("rollback", session_id=handles[0])
    handles[0] = await ana.begin()
    listed = await ana.tx("list")
    assert all(handle in listed.text for handle in handles)


async def test_begun_at_once_no_more_are_opened_than_allowed(
    settings: Settings, witness: Witness
) -> None:
    """The limit counts those that are still being opened."""
    async with gateway_with(adjusted(settings, transactions={"per_owner": 2})) as gateway:
        ana = Person(gateway)
        begun = (ana.tx("begin") for _ in range(6))

        outcomes = await asyncio.gather(*begun, return_exceptions=True)

        assert sum(isinstance(outcome, Retryable) for outcome in outcomes) == 4
        assert len(await witness.in_transaction()) == 2


async def test_transactions_of_all_owners_leave_room_for_single_calls(
    settings: Settings, witness: Witness
) -> None:
    """However many transactions are open, a call without one still gets a connection."""
    pools = {"total": 4, "per_database": 2, "wait": 0.5}
    async with gateway_with(adjusted(settings, pools=pools)) as gateway:
        people = [Person(gateway, session=str(number)) for number in range(3)]
        await people[0].begin()
        await people[1].begin()

        with pytest.raises(Retryable, match="2 transactions are open in all, the most allowed"):
            await people[2].begin()

        assert await people[2].cell("SELECT 1") == "1"
        assert len(await witness.in_transaction()) == 2


async def test_the_list_tells_the_state_of_each(ana: Person, witness: Witness) -> None:
    calm = await ana.begin(mode="write", isolation="serializable")
    broken = await ana.begin()
    await ana.tx("savepoint", session_id=calm, name="s1")
    with pytest.raises(QueryFailed):
        await ana.query("SELECT nothing", session_id=broken)

    lines = (await ana.tx("list")).text.split("\n")

    shown = [line.split("\t") for line in lines[1:-1]]
    database = str(witness.database)
    assert [row[:4] for row in shown] == [
        [calm, database, "write", "serializable"],
        [broken, database, "read", "read committed"],
    ]
    assert [row[6:] for row in shown] == [["open", "s1"], ["aborted", ""]]


async def test_ddl_in_a_transaction_is_undone_with_it(ana: Person, witness: Witness) -> None:
    handle = await ana.begin(mode="ddl")
    await ana.call("pg_schema", action="create", sql="CREATE TABLE nt (a int)", session_id=handle)
    inside = await ana.cell("SELECT to_regclass('nt') IS NOT NULL", session_id=handle)

    await ana.tx("rollback", session_id=handle)

    assert inside == "t"
    assert await witness.value("SELECT to_regclass('nt')") is None


async def test_with_every_connection_busy_a_transaction_is_refused_for_that_reason(
    settings: Settings, witness: Witness
) -> None:
    pools = {"total": 2, "per_database": 2, "wait": 0.1}
    async with gateway_with(adjusted(settings, pools=pools)) as gateway:
        ana = Person(gateway)
        reads = [asyncio.create_task(ana.query("SELECT pg_sleep(0.3)")) for _ in range(2)]
        await eventually(lambda: witness.running("pg_sleep"), lambda seen: len(seen) == 2)

        with pytest.raises(Retryable, match="all 2 connections are busy"):
            await ana.begin()

        await asyncio.gather(*reads)
        assert (await ana.begin()).startswith("tx_")
