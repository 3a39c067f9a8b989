"""How an error reads: one fact a line, the place in the statement, nothing forged or endless."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgmcp.errors import MAX_FACT, CallerError, QueryFailed, Report, fact, mark

checked = settings(max_examples=200, deadline=None, derandomize="CI" in os.environ)

MARKS = [
    pytest.param("SELECT nope", 8, "SELECT ⟨nope⟩", id="word"),
    pytest.param("SELECT a.b, c", 8, "SELECT ⟨a.b⟩, c", id="qualified word"),
    pytest.param('SELECT "A ""b" FROM t', 8, 'SELECT ⟨"A ""b"⟩ FROM t', id="quoted word"),
    pytest.param("SELECT 'it''s' x", 8, "SELECT ⟨'it''s'⟩ x", id="literal"),
    pytest.param("SELECT E'x' y", 8, "SELECT ⟨E'x'⟩ y", id="escaped literal"),
    pytest.param("SELECT $1", 8, "SELECT ⟨$1⟩", id="parameter"),
    pytest.param("SELECT 'é😀', x", 14, "SELECT 'é😀', ⟨x⟩", id="characters, not bytes"),
    pytest.param("SELECT\n\t1,\r\n x", 14, "SELECT  1,   ⟨x⟩", id="one line"),
    pytest.param("SELECT (", 9, "SELECT (⟨⟩", id="end"),
    pytest.param("SELECT (", 99, "SELECT (⟨⟩", id="beyond the end"),
    pytest.param("SELECT +", 8, "SELECT ⟨+⟩", id="operator"),
    pytest.param("SELECT 'x", 8, "SELECT ⟨'⟩x", id="quote left open"),
    pytest.param(
        "SELECT " + "a, " * 50 + "x" + ", b" * 50,
        158,
        "…" + " a," * 13 + " ⟨x⟩" + ", b" * 13 + ",…",
        id="surroundings",
    ),
]


@pytest.mark.parametrize(("sql", "position", "shown"), MARKS)
def test_the_place_is_marked(sql: str, position: int, shown: str) -> None:
    assert mark(sql, position) == shown


@checked
@given(sql=st.text(max_size=300), position=st.integers(-5, 400))
def test_a_mark_is_one_short_line(sql: str, position: int) -> None:
    shown = mark(sql, position)

    assert len(shown.splitlines()) <= 1
    assert len(shown) < 200
    assert shown.count("⟨") >= 1


FACTS = [
    pytest.param("a\nerror: b", "x: a\n  error: b", id="line feed"),
    pytest.param("a\r\nb\rc", "x: a\n  b\n  c", id="carriage return"),
    pytest.param("a\n", "x: a\n  ", id="at the end"),
]


@pytest.mark.parametrize(("text", "shown"), FACTS)
def test_a_further_line_is_indented(text: str, shown: str) -> None:
    assert fact("x", text) == shown


def test_a_fact_is_cut() -> None:
    shown = fact("detail", "x" * 10_000_000)

    assert len(shown) == len("detail: …") + MAX_FACT
    assert shown.endswith("x…")


def test_an_errors_facts_come_in_order() -> None:
    error = CallerError("what happened.", hint="what to do.", fate="tx_1 is open.")

    assert error.lines() == [
        "error: what happened.",
        "hint: what to do.",
        "transaction: tx_1 is open.",
    ]


def test_postgresqls_words_come_first_and_unchanged() -> None:
    report = Report(
        sqlstate="42P01",
        message='relation "x" does not exist',
        detail="a detail",
        hint="its hint",
        position=15,
        context="a context",
    )
    error = QueryFailed(report, sql="SELECT * FROM x", hint="our hint", fate="a fate")

    assert error.lines() == [
        'error 42P01: relation "x" does not exist',
        "detail: a detail",
        "at: SELECT * FROM ⟨x⟩",
        "hint: its hint",
        "hint: our hint",
        "transaction: a fate",
    ]


def test_the_context_is_told_where_there_is_no_place() -> None:
    report = Report(sqlstate="P0001", message="no", context="PL/pgSQL function f() line 1")

    assert QueryFailed(report).lines()[1] == "context: PL/pgSQL function f() line 1"
