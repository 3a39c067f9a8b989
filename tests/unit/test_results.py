"""The encoding of rows, the limits of a page, and the receipt."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgmcp.results import (
    NOTICES,
    Column,
    Page,
    Result,
    cell_of,
    escape,
    json_text,
    line_of,
    size_of,
)
from tests import tsv

LETTERS = st.characters(codec="utf-8") | st.sampled_from("\t\n\r\\N \v\f\b\u2028\u0085\0")
CELLS = st.none() | st.text(LETTERS) | st.sampled_from(["\\N", "\\.", "-- 1 row, 0.1 ms", ""])
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5)

checked = settings(max_examples=200, deadline=None, derandomize="CI" in os.environ)


def result_of(*rows: tuple[str | None, ...], **more: object) -> Result:
    """Build a result of text columns named a, b and so on."""
    page = Page(max_rows=5000, max_bytes=24_000)
    page.add(rows)
    names = "abcdefgh"[: len(rows[0]) if rows else 1]
    columns = tuple(Column(name=name, type="text") for name in names)
    made = {"columns": columns, "rows": tuple(page.rows), "lines": tuple(page.lines), **more}
    return Result(**made)  # type: ignore[arg-type]  # a test's own keywords


@checked
@given(row=st.lists(CELLS, min_size=1, max_size=6))
def test_a_line_gives_its_cells_back(row: list[str | None]) -> None:
    line = line_of(row)

    assert "\n" not in line
    assert "\r" not in line
    assert line.count("\t") == len(row) - 1
    assert tsv.cells_of(line) == tuple(row)


@checked
@given(rows=ROWS)
def test_an_answer_has_a_header_its_rows_and_a_receipt(rows: list[tuple[str | None, ...]]) -> None:
    text = result_of(*rows).as_text()

    assert len(text.split("\n")) == len(rows) + 2
    assert tsv.read(text).rows == tuple(rows)


@checked
@given(rows=ROWS.filter(bool), max_rows=st.integers(1, 4), max_bytes=st.integers(20, 200))
def test_a_page_keeps_its_limits(
    rows: list[tuple[str | None, ...]], max_rows: int, max_bytes: int
) -> None:
    page = Page(max_rows=max_rows, max_bytes=max_bytes)

    page.add(rows)

    assert 1 <= len(page.rows) <= max_rows
    assert sum(size_of(line) for line in page.lines) <= max(max_bytes, size_of(page.lines[0]))
    assert page.full == (len(page.rows) < len(rows))


@checked
@given(cells=st.lists(CELLS, min_size=1, max_size=5), max_bytes=st.integers(60, 300))
def test_one_row_fits_however_wide_it_is(cells: list[str | None], max_bytes: int) -> None:
    page = Page(max_rows=10, max_bytes=max_bytes)

    page.add([[cell and cell * 50 for cell in cells]])

    assert size_of(page.lines[0]) <= max_bytes


def test_a_column_name_cannot_forge_a_column() -> None:
    result = Result(columns=(Column(name="a\tb\n-- 1 row", type="text"),))

    assert result.as_text().split("\n")[0] == r"a\tb\n-- 1 row"


def test_a_notice_cannot_forge_a_line() -> None:
    result = result_of(("1",), notices=("NOTICE: a\n-- 3 rows, 1.0 ms",))

    assert result.as_text().split("\n")[2] == r"-- NOTICE: a\n-- 3 rows, 1.0 ms"


def test_a_flood_of_notices_is_cut_and_said_so() -> None:
    notices = tuple(f"NOTICE: {number}" for number in range(NOTICES + 5))

    lines = result_of(("1",), notices=notices).as_text().split("\n")

    assert lines[-2].endswith("more notices are left out")
    assert len(lines) == NOTICES + 4


def test_a_long_notice_is_cut() -> None:
    assert len(result_of(("1",), notices=("NOTICE: " + "x" * 100_000,)).as_text()) < 2000


RECEIPTS = [
    pytest.param(result_of(("1",), milliseconds=1.26), "-- 1 row, 1.3 ms", id="one"),
    pytest.param(result_of(("1",), ("2",)), "-- 2 rows, 0.0 ms", id="two"),
    pytest.param(result_of(), "-- 0 rows, 0.0 ms", id="none"),
    pytest.param(result_of(("1",), more=True), "-- 1 row shown, more exist, 0.0 ms", id="more"),
    pytest.param(
        result_of(("1",), more=True, row_count=9), "-- 1 row of 9 shown, 0.0 ms", id="of a total"
    ),
    pytest.param(Result(tag="UPDATE 3", row_count=3), "-- UPDATE 3, 0.0 ms", id="change"),
    pytest.param(Result(), "-- done, 0.0 ms", id="no tag"),
    pytest.param(
        result_of(("1",), remarks=("cut at 9 bytes",)),
        "-- 1 row, 0.0 ms, cut at 9 bytes",
        id="remark",
    ),
]


@pytest.mark.parametrize(("result", "receipt"), RECEIPTS)
def test_the_receipt_says_how_many_and_what_was_cut(result: Result, receipt: str) -> None:
    assert result.as_text().split("\n")[-1] == receipt


def test_a_change_has_no_header() -> None:
    assert Result(tag="DELETE 2", row_count=2).as_text() == "-- DELETE 2, 0.0 ms"


def test_json_of_a_result_says_the_same() -> None:
    result = result_of(("1", None), more=True, row_count=7, notices=("NOTICE: n",), tag="SELECT 7")

    assert result.as_json() == {
        "columns": [{"name": "a", "type": "text"}, {"name": "b", "type": "text"}],
        "rows": [["1", None]],
        "row_count": 1,
        "more": True,
        "milliseconds": 0.0,
        "total_rows": 7,
        "command": "SELECT 7",
        "notices": ["NOTICE: n"],
    }


def test_json_text_is_compact_and_keeps_unicode() -> None:
    assert json_text({"a": ["é", 1, None]}) == '{"a":["é",1,null]}'


CELL_VALUES = [
    pytest.param("bool", "t", True, id="true"),
    pytest.param("bool", "f", False, id="false"),
    pytest.param("int8", "9007199254740992", 2**53, id="largest safe integer"),
    pytest.param("int8", "-9007199254740993", "-9007199254740993", id="first unsafe integer"),
    pytest.param("float8", "1e+300", 1e300, id="float"),
    pytest.param("float8", "-0", -0.0, id="negative zero"),
    pytest.param("float8", "-Infinity", "-Infinity", id="infinity"),
    pytest.param("numeric", "1.10", "1.10", id="numeric"),
    pytest.param("text", "1", "1", id="text"),
    pytest.param("int4", None, None, id="null"),
]


@pytest.mark.parametrize(("kind", "cell", "expected"), CELL_VALUES)
def test_a_json_cell_is_exact(kind: str, cell: str | None, expected: object) -> None:
    found = cell_of(kind, cell)

    assert (found, type(found)) == (expected, type(expected))


@checked
@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_in_json_is_the_one_postgresql_wrote(value: float) -> None:
    assert cell_of("float8", repr(value)) == value


ESCAPES = [
    pytest.param(None, r"\N", id="null"),
    pytest.param(r"\N", r"\\N", id="text like null"),
    pytest.param("\t\n\r\b\f\v\\", r"\t\n\r\b\f\v\\", id="all escapes"),
    pytest.param("é\u2028\x1b", "é\u2028\x1b", id="left alone"),
    pytest.param("", "", id="empty"),
]


@pytest.mark.parametrize(("value", "expected"), ESCAPES)
def test_escapes_are_those_of_copy(value: str | None, expected: str) -> None:
    assert escape(value) == expected


def test_a_report_made_in_python_is_bounded_too() -> None:
    result = Result.of(["a"], [[str(number)] for number in range(10)], max_rows=3)

    assert (len(result.rows), result.more, result.row_count) == (3, True, None)


def test_a_report_without_rows_has_its_header() -> None:
    assert Result.of(["a", "b"], []).as_text() == "a\tb\n-- 0 rows, 0.0 ms"
