"""What is refused before it is parsed, how a text is split, and where an error points to."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time

import pytest

from pgmcp.errors import CallerError, QueryFailed
from pgmcp.statement import Parser

REFUSED = [
    pytest.param("", "holds no statement", id="empty"),
    pytest.param(" ;; -- nothing\n", "holds no statement", id="comment only"),
    pytest.param("SELECT 1; SELECT 2", "holds 2 statements; one is allowed", id="two"),
    pytest.param("SELECT 1;;SELECT 2;", "holds 2 statements", id="two and empty ones"),
    pytest.param("SELECT 1;\0 DROP TABLE t", "NUL at character 10", id="NUL after a statement"),
    pytest.param("SELECT 'é\0'", "NUL at character 10", id="NUL in a literal"),
    pytest.param("SELECT '\ud800'", "lone surrogate at character 9", id="lone surrogate"),
    pytest.param("SELECT '" + "é" * 32_000 + "'", "64009 bytes; 64000 are allowed", id="too long"),
    pytest.param("SELECT 1 " + "/*" * 100, "run of 200 operator characters", id="comment bomb"),
    pytest.param("SELECT 1 " + "+-" * 5000 + "1", "operator characters at character 10", id="+-"),
    pytest.param("SELECT " + "NOT " * 3000 + "true", "nested too deeply", id="deep NOT"),
    pytest.param("SELECT 1" + "+1" * 5_000, "nested too deeply", id="long chain"),
    pytest.param("SELECT 1" + "+1" * 20_000, "140009 parts; 40000 are allowed", id="longest chain"),
    pytest.param("SELECT " + "1," * 20_000 + "1", "parts; 40000 are allowed", id="long list"),
    pytest.param("DROP TABLE t" + ", t" * 200, "drop or empty 201 objects", id="many objects"),
]


@pytest.mark.parametrize(("sql", "sentence"), REFUSED)
async def test_a_text_is_refused_with_a_sentence(parser: Parser, sql: str, sentence: str) -> None:
    with pytest.raises(CallerError) as caught:
        await parser.parse_one(sql)

    assert sentence in caught.value.message
    assert len(caught.value.message) < 300


BROKEN = [
    pytest.param("SELECT 1 FORM t x", 'syntax error at or near "t"', "⟨t⟩ x", id="word"),
    pytest.param("SELECT 'é', '😀' FORM t x", 'at or near "t"', "FORM ⟨t⟩ x", id="after é and 😀"),
    pytest.param("SELECT 'x", "unterminated quoted string", "⟨'⟩x", id="quote"),
    pytest.param('SELECT "x', "unterminated quoted identifier", '⟨"⟩x', id="identifier"),
    pytest.param("SELECT $$x", "unterminated dollar-quoted", "⟨$$x⟩", id="dollar quote"),
    pytest.param("SELECT /* x", "unterminated /* comment", "⟨/⟩* x", id="comment"),
    pytest.param("SELECT\n\n1,\n FROM t", 'at or near "FROM"', "1,  ⟨FROM⟩ t", id="third line"),
    pytest.param("SELECT (1", "syntax error at end of input", "SELECT (1⟨⟩", id="end"),
    pytest.param("\ufeffSELECT 1", "syntax error", "⟨", id="byte order mark"),
    pytest.param("SELECT " + "(" * 50_000, "memory exhausted", "", id="deep parentheses"),
]


@pytest.mark.parametrize(("sql", "words", "place"), BROKEN)
async def test_a_syntax_error_shows_its_place(
    parser: Parser, sql: str, words: str, place: str
) -> None:
    with pytest.raises(QueryFailed) as caught:
        await parser.parse_one(sql)

    text = "\n".join(caught.value.lines())
    assert caught.value.report.sqlstate == "42601"
    assert words in text
    assert place in text


async def test_a_text_is_split_by_the_tree(parser: Parser) -> None:
    sql = "SELECT 'é;'; /* ; */ CREATE TABLE t (a text DEFAULT ';'); \n DROP TABLE t -- ;\n"

    statements = await parser.parse(sql)

    assert [statement.sql for statement in statements] == [
        "SELECT 'é;'",
        "CREATE TABLE t (a text DEFAULT ';')",
        "DROP TABLE t -- ;",
    ]
    assert [statement.kind for statement in statements] == ["SelectStmt", "CreateStmt", "DropStmt"]


async def test_a_script_has_its_limit(parser: Parser) -> None:
    with pytest.raises(CallerError, match="501 statements; 500 are allowed"):
        await parser.parse("SELECT 1;" * 501)

    assert len(await parser.parse("SELECT 1;" * 500)) == 500


UNCOUNTED = [
    pytest.param("SELECT '" + '{"a"' * 15_000 + "'", id="JSON in a literal"),
    pytest.param("SELECT $j$" + '{}{"' * 15_000 + "$j$", id="JSON in a dollar quote"),
    pytest.param("SELECT '" + "+-" * 99 + "'", id="operators in a literal"),
]


@pytest.mark.parametrize("sql", UNCOUNTED)
async def test_a_text_in_a_literal_counts_as_one_part(parser: Parser, sql: str) -> None:
    assert (await parser.parse_one(sql)).level == "read"


async def test_a_function_body_is_one_statement(parser: Parser) -> None:
    body = "BEGIN ATOMIC SELECT 1; SELECT 2; END"
    sql = f"CREATE FUNCTION f() RETURNS int LANGUAGE sql {body}; SELECT 3"

    statements = await parser.parse(sql)

    assert [statement.kind for statement in statements] == ["CreateFunctionStmt", "SelectStmt"]
    assert statements[0].sql.endswith(body)


async def test_a_long_text_does_not_stop_others(parser: Parser) -> None:
    """It is parsed on a thread, which leaves the loop free."""
    long = "SELECT " + ", ".join(f"a{number}" for number in range(6000))
    task = asyncio.create_task(parser.parse_one(long))
    await asyncio.sleep(0)

    started = time.perf_counter()
    await parser.parse_one("SELECT 1")
    waited = time.perf_counter() - started
    statement = await task

    assert statement.kind == "SelectStmt"
    assert waited < 1.0


async def test_the_deepest_texts_end_in_a_sentence_together(parser: Parser) -> None:
    """On a default stack they would end the process."""
    chains = ["SELECT 1" + "+1" * 31_000, "SELECT " + "a." * 1000 + "a" + "||a" * 15_000]

    outcomes = await asyncio.gather(
        *(parser.parse_one(chain) for chain in chains * 2), return_exceptions=True
    )

    assert {type(outcome) for outcome in outcomes} == {CallerError}


SHALLOW = [
    "SELECT " + "NOT " * 500 + "1",
    "SELECT 1" + "+1" * 1010,
    "SELECT " + "-" * 190 + "- " * 900 + "1",
    "SELECT " + "(" * 2030,
    "SELECT " + "(SELECT " * 200 + "1" + ")" * 200,
    "SELECT a" + "::b" * 670,
    "SELECT " + "ARRAY[" * 330,
    "SELECT a FROM t" + " JOIN t ON a" * 160,
    "SELECT " + "CASE WHEN " * 200,
    "SELECT " + "f(" * 1000,
    "SELECT" + " UNION SELECT" * 155,
    "SELECT a" + "[" * 2000,
    "SELECT a" + " IS NULL" * 250,
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1" + "+1" * 960 + "'",
]
SMALL_STACK = """
import asyncio, json, resource, sys
resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 1 << 20))
import os
if len(sys.argv) == 2:
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:], "again"])
from pgmcp.errors import PgmcpError
from pgmcp.statement import Parser

async def main():
    parser = Parser(max_bytes=64_000)
    for sql in json.loads(sys.argv[1]):
        assert len(sql.encode()) < 2048, len(sql)
        try:
            await parser.parse(sql)
        except PgmcpError:
            pass
    parser.close()
    print("alive")

asyncio.run(main())
"""


def test_short_texts_need_little_stack() -> None:
    """They are parsed where the loop runs, on whatever stack that has; here it is 1 MiB."""
    done = subprocess.run(
        [sys.executable, "-c", SMALL_STACK, json.dumps(SHALLOW)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr
