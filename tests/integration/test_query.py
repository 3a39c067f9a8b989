"""How much of a result comes back, and that what is not shown costs nothing and loses nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests import tsv
from tests.asking import Asker
from tests.cluster import ThrowawayCluster
from tests.integration.big_table import asking_big, one


@pytest.fixture(scope="module")
async def asker(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Asker]:
    async with asking_big(cluster, database) as made:
        yield made


EDGES = [
    pytest.param(199, 199, "199 rows, ", id="one less"),
    pytest.param(200, 200, "200 rows, ", id="exactly"),
    pytest.param(201, 200, "200 rows shown, more exist, ", id="one more"),
]


@pytest.mark.parametrize("kind", ["int", "text", "json"])
@pytest.mark.parametrize(("rows", "shown", "receipt"), EDGES)
async def test_two_hundred_rows_are_shown_unless_more_are_asked_for(
    asker: Asker, kind: str, rows: int, shown: int, receipt: str
) -> None:
    """The types differ in how the rows are fetched."""
    sql = f"SELECT to_json(n)::text::{kind} FROM generate_series(1, {rows}) AS n"

    table = tsv.read(await asker.text(sql=sql))

    assert [row[0] for row in table.rows] == [str(number) for number in range(1, shown + 1)]
    assert table.receipt.startswith(receipt)


async def test_five_thousand_rows_come_when_asked_for(asker: Asker) -> None:
    table = tsv.read(await asker.text(sql="SELECT id FROM big ORDER BY id", max_rows=5000))

    assert (len(table.rows), table.rows[-1]) == (5000, ("5000",))
    assert "more exist" in table.receipt


async def test_more_than_five_thousand_are_refused(asker: Asker) -> None:
    refusal = await asker.refusal(sql="SELECT 1", max_rows=5001)

    assert "max_rows: 5001 is outside 1 to 5000." in refusal


async def test_a_page_says_how_to_go_on(asker: Asker) -> None:
    receipt = tsv.read(await asker.text(sql="SELECT id FROM big", max_rows=3)).receipt

    assert "raise max_rows, or continue with ORDER BY key and WHERE key > …" in receipt


async def test_the_answer_is_bounded_in_bytes(asker: Asker) -> None:
    text = await asker.text(sql="SELECT id, repeat('é', 500) FROM big", max_rows=5000)

    assert 20_000 < len(text.encode()) < 24_500
    assert "cut at 24000 bytes: select fewer columns or rows" in tsv.read(text).receipt


async def test_a_long_cell_is_cut_and_said_so(asker: Asker) -> None:
    table = tsv.read(await asker.text(sql="SELECT repeat('x', 30000) AS a, 1 AS b"))

    cell, other = table.rows[0]
    assert cell is not None
    assert (cell[-2:], other) == ("x…", "1")
    length = len(cell) - 1
    assert f"1 cell cut at {length} characters (…): read on with substr(column, {length + 1})" in (
        table.receipt
    )


async def test_a_cell_that_fits_is_not_cut(asker: Asker) -> None:
    table = tsv.read(await asker.text(sql="SELECT repeat('x', 23990)"))

    assert table.rows == (("x" * 23_990,),)
    assert "cut" not in table.receipt


WIDE = [
    pytest.param("repeat('x', 20000)", 100, id="hundred long texts"),
    pytest.param("repeat('👩', 9000)", 20, id="emoji"),
    pytest.param("repeat(E'\\n', 9000)", 20, id="line ends"),
    pytest.param("repeat('9', 20000)::numeric", 10, id="numerics"),
    pytest.param("convert_to(repeat('x', 20000), 'UTF8')", 10, id="bytea"),
]


@pytest.mark.parametrize(("expression", "columns"), WIDE)
async def test_one_wide_row_is_bounded_too(asker: Asker, expression: str, columns: int) -> None:
    text = await asker.text(sql="SELECT " + ", ".join([f"{expression} AS c"] * columns))

    table = tsv.read(text)
    assert len(text.encode()) < 24_500
    assert len(table.rows[0]) == columns
    assert f"{columns} cells cut at" in table.receipt


async def test_a_cell_of_50_megabytes_is_cut_on_the_server(asker: Asker) -> None:
    text = await asker.text(sql="SELECT repeat('x', 50 * 1024 * 1024), 1")

    assert len(text) < 24_500


async def test_rows_keep_the_order_they_were_asked_for(asker: Asker) -> None:
    sql = "SELECT id, pad FROM big ORDER BY id DESC OFFSET 7"

    table = tsv.read(await asker.text(sql=sql, max_rows=3))

    assert [row[0] for row in table.rows] == ["199993", "199992", "199991"]


async def test_a_changing_select_runs_to_its_end_though_its_page_is_cut(asker: Asker) -> None:
    sql = "SELECT note(n) FROM generate_series(1, 700) AS n"

    receipt = tsv.read(await asker.text(sql=sql, mode="write", max_rows=5)).receipt

    assert receipt.startswith("5 rows of 700 shown, ")
    assert "the statement ran to its end" in receipt
    assert await one(asker, "SELECT count(*) FROM log") == "700"


async def test_a_changing_select_of_texts_runs_to_its_end(asker: Asker) -> None:
    sql = "SELECT nextval('counter')::text || repeat('x', 500) FROM generate_series(1, 900)"

    receipt = tsv.read(await asker.text(sql=sql, mode="write")).receipt

    assert "of 900 shown" in receipt
    assert await one(asker, "SELECT last_value FROM counter") == "900"


async def test_a_cut_returning_says_that_all_was_done(asker: Asker) -> None:
    """To repeat it for the other rows would do it twice."""
    sql = "INSERT INTO log SELECT generate_series(1, 300) RETURNING id"

    receipt = tsv.read(await asker.text(sql=sql, mode="write")).receipt

    assert receipt.startswith("200 rows of 300 shown, ")
    assert "the statement ran to its end" in receipt
    assert "raise max_rows" not in receipt


async def test_rows_are_locked_beyond_the_page(asker: Asker) -> None:
    begun = await asker.ask("pg_tx", action="begin", mode="write")
    assert begun.structured_content is not None
    handle = begun.structured_content["session_id"]

    sql = "SELECT id FROM big WHERE id <= 50 ORDER BY id FOR UPDATE"
    receipt = tsv.read(await asker.text(sql=sql, session_id=handle, max_rows=5)).receipt
    free = "SELECT count(*) FROM (SELECT id FROM big WHERE id <= 60 FOR UPDATE SKIP LOCKED) AS x"
    others = tsv.read(await asker.text(sql=free, mode="write")).rows
    await asker.text("pg_tx", action="rollback", session_id=handle)

    assert receipt.startswith("5 rows of 50 shown, ")
    assert others == (("10",),)


async def test_a_read_in_a_reading_transaction_stops_at_its_page(asker: Asker) -> None:
    """Nothing can have changed, so nobody needs the other hundred million rows."""
    begun = await asker.ask("pg_tx", action="begin", mode="read")
    assert begun.structured_content is not None
    handle = begun.structured_content["session_id"]

    sql = "SELECT generate_series(1, 1000000000) AS n"
    text = await asker.text(sql=sql, session_id=handle, max_rows=5, timeout_seconds=2)
    await asker.text("pg_tx", action="rollback", session_id=handle)

    assert tsv.read(text).rows[4] == ("5",)


async def test_a_reading_select_cannot_change_anything(asker: Asker) -> None:
    before = await one(asker, "SELECT count(*) FROM log")

    refusal = await asker.refusal(sql="SELECT note(1)")

    assert "error 25006" in refusal
    assert 'needs mode="write"' in refusal
    assert await one(asker, "SELECT count(*) FROM log") == before


async def test_a_flood_of_notices_does_not_fill_the_answer(asker: Asker) -> None:
    text = await asker.text(sql="SELECT shout(3000)")

    assert "-- NOTICE: line 1\n" in text
    assert len(text) < 5_000


async def test_an_error_does_not_repeat_a_value_of_megabytes(asker: Asker) -> None:
    refusal = await asker.refusal(sql="SELECT repeat('x', 20000000)::int")

    assert "error 22P02" in refusal
    assert len(refusal) < 5_000


async def test_a_parameters_error_names_no_portal(asker: Asker) -> None:
    refusal = await asker.refusal(sql="SELECT $1::int", params=["x"])

    assert "22P02" in refusal
    assert "portal" not in refusal


async def test_a_timeout_ends_the_statement_and_says_how_to_go_on(asker: Asker) -> None:
    refusal = await asker.refusal(sql="SELECT pg_sleep(9)", timeout_seconds=0.2)

    assert "error 57014: canceling statement due to statement timeout" in refusal
    assert "timeout_seconds" in refusal


async def test_a_timeout_above_the_ceiling_is_refused(asker: Asker) -> None:
    refusal = await asker.refusal(sql="SELECT 1", timeout_seconds=601)

    assert "timeout_seconds: 601 is above 600." in refusal
