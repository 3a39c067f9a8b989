"""Arguments from JSON reach every type, exactly, or are refused with a sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pgmcp.settings import load
from tests import tsv
from tests.asking import Asker, asking
from tests.cluster import ThrowawayCluster

SETUP = """
CREATE SCHEMA s;
CREATE TYPE s.mood AS ENUM ('sad', 'very "happy"');
CREATE TYPE s.pair AS (a integer, b text);
CREATE DOMAIN s.price AS numeric(12,2) CHECK (VALUE >= 0);
CREATE TABLE s.item (id integer, name text);
"""
BIG = 123456789012345678901234567890

VALUES = [
    pytest.param("int4", 42, "42", id="int4 number"),
    pytest.param("int4", "42", "42", id="int4 string"),
    pytest.param("int8", -(2**63), str(-(2**63)), id="int8 smallest"),
    pytest.param("int8", "9007199254740993", "9007199254740993", id="int8 beyond a double"),
    pytest.param("numeric", BIG, str(BIG), id="numeric beyond 2^63"),
    pytest.param("numeric", 10**400, str(10**400), id="numeric of 401 digits"),
    pytest.param("numeric", "1.10", "1.10", id="numeric string keeps its scale"),
    pytest.param("numeric", 1.5, "1.5", id="numeric number"),
    pytest.param("numeric", 1e22, "10000000000000000000000", id="numeric exponent"),
    pytest.param("numeric", "1e400", "1" + "0" * 400, id="numeric 1e400 string"),
    pytest.param("float8", 0.1, "0.1", id="float8"),
    pytest.param("float8", 5e-324, "5e-324", id="float8 denormal"),
    pytest.param("float8", "NaN", "NaN", id="float8 NaN string"),
    pytest.param("float4", "1e3", "1000", id="float4 string"),
    pytest.param("bool", True, "t", id="bool"),
    pytest.param("bool", "off", "f", id="bool string"),
    pytest.param("text", "a\tb\n'; DROP TABLE x; --", "a\tb\n'; DROP TABLE x; --", id="text"),
    pytest.param("text", "", "", id="text empty"),
    pytest.param("text", None, None, id="null"),
    pytest.param("text", 5, "5", id="text from a number"),
    pytest.param("text", "\u2028👩‍👩‍👧\u0301", "\u2028👩‍👩‍👧\u0301", id="text unicode"),
    pytest.param("date", "infinity", "infinity", id="date"),
    pytest.param("date", "0044-03-15 BC", "0044-03-15 BC", id="date BC"),
    pytest.param("timestamp", "2024-02-29T12:00", "2024-02-29 12:00:00", id="timestamp"),
    pytest.param("interval", "P1Y2M", "1 year 2 mons", id="interval"),
    pytest.param("time", "24:00", "24:00:00", id="time"),
    pytest.param("uuid", "A" * 32, "-".join("a" * n for n in (8, 4, 4, 4, 12)), id="uuid"),
    pytest.param("inet", "10.0.0.1/8", "10.0.0.1/8", id="inet"),
    pytest.param("bytea", "\\x00ff", "\\x00ff", id="bytea"),
    pytest.param("bit varying", "1010", "1010", id="varbit"),
    pytest.param("char(4)", "ab", "ab  ", id="char(n)"),
    pytest.param("json", {"b": 1, "a": [1, None, "é"]}, '{"b": 1, "a": [1, null, "é"]}', id="json"),
    pytest.param("json", [1, 2], "[1, 2]", id="json list"),
    pytest.param("json", '{"a":1.10}', '{"a":1.10}', id="json string is JSON text"),
    pytest.param("json", True, "true", id="json bool"),
    pytest.param("json", 7, "7", id="json number"),
    pytest.param("jsonb", {"n": BIG}, f'{{"n": {BIG}}}', id="jsonb big integer"),
    pytest.param("jsonb", {"a": {"b": [{}]}}, '{"a": {"b": [{}]}}', id="jsonb nested"),
    pytest.param("jsonb", '"text"', '"text"', id="jsonb text needs its quotes"),
    pytest.param("int4[]", [1, None, 3], "{1,NULL,3}", id="array"),
    pytest.param("int4[]", [[1, 2], [3, None]], "{{1,2},{3,NULL}}", id="array nested"),
    pytest.param("int4[]", [], "{}", id="array empty"),
    pytest.param("int4[]", "[0:1]={7,8}", "[0:1]={7,8}", id="array string"),
    pytest.param("text[]", ["a,b", 'q"', "\\", "NULL", "", None, "{"], None, id="array quotes"),
    pytest.param("date[]", ["2024-01-01", None], "{2024-01-01,NULL}", id="array of dates"),
    pytest.param("bool[]", [True, None], "{t,NULL}", id="array of bool"),
    pytest.param("jsonb[]", [{"a": 1}, None], '{"{\\"a\\": 1}",NULL}', id="array of jsonb"),
    pytest.param("int4range", "[1,10]", "[1,11)", id="range"),
    pytest.param("numrange[]", ["[1.5,2)", "empty"], '{"[1.5,2)",empty}', id="array of ranges"),
    pytest.param("datemultirange", "{[2024-01-01,2024-01-03)}", None, id="multirange"),
    pytest.param("s.mood", 'very "happy"', 'very "happy"', id="enum"),
    pytest.param("s.mood[]", ['very "happy"'], '{"very \\"happy\\""}', id="array of enum"),
    pytest.param("s.price", 9.5, "9.50", id="domain"),
    pytest.param("s.pair", '(1,"a,b")', '(1,"a,b")', id="composite"),
    pytest.param("s.pair[]", ['(1,"a,b")', None], '{"(1,\\"a,b\\")",NULL}', id="composites"),
    pytest.param("s.item", "(1,x)", "(1,x)", id="row of a table"),
    pytest.param("xid8", "18446744073709551615", "18446744073709551615", id="xid8"),
    pytest.param("pg_lsn", "0/16B3748", "0/16B3748", id="pg_lsn"),
    pytest.param("point", "(1,2)", "(1,2)", id="point"),
    pytest.param("tsvector", "'a':1 'b'", "'a':1 'b'", id="tsvector"),
    pytest.param("regclass", "s.item", "s.item", id="regclass"),
    pytest.param("oidvector", "1 2", "1 2", id="oidvector"),
    pytest.param('"char"', "x", "x", id="char"),
    pytest.param("money", "12.50", "$12.50", id="money"),
]


@pytest.fixture(scope="module")
async def asker(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Asker]:
    await cluster.execute(SETUP, database=database)
    async with asking(load(environ=cluster.environment(database))) as made:
        yield made


@pytest.mark.parametrize(("kind", "value", "expected"), VALUES)
async def test_a_value_from_json_reaches_the_type(
    asker: Asker, kind: str, value: object, expected: str | None
) -> None:
    """Without an expectation the type alone is compared; another test looks at the value."""
    sql = f"SELECT $1::{kind}, pg_typeof($1) = '{kind}'::regtype"

    table = tsv.read(await asker.text(sql=sql, params=[value]))

    assert table.rows[0][1] == "t"
    assert expected is None or table.rows[0][0] == expected


async def test_an_array_of_texts_keeps_quotes_and_nulls(asker: Asker) -> None:
    texts = ["a,b", 'q"', "\\", "NULL", "", None, "{", " x ", "\n"]

    table = tsv.read(await asker.text(sql="SELECT unnest($1::text[])", params=[texts]))

    assert [row[0] for row in table.rows] == texts


async def test_a_null_is_no_text(asker: Asker) -> None:
    sql = "SELECT $1::text IS NULL, $2::int IS NULL, $3::jsonb IS NULL, $4::int[] IS NULL"

    table = tsv.read(await asker.text(sql=sql, params=[None, None, None, None]))

    assert table.rows == (("t", "t", "t", "t"),)


async def test_a_thousand_parameters_arrive_in_order(asker: Asker) -> None:
    placeholders = ", ".join(f"(${number}::int)" for number in range(1, 1001))
    expected = "array(SELECT generate_series(1, 1000))"
    sql = f"SELECT array_agg(v) = {expected} FROM (VALUES {placeholders}) AS x(v)"

    table = tsv.read(await asker.text(sql=sql, params=list(range(1, 1001))))

    assert table.rows == (("t",),)


async def test_one_parameter_may_be_used_twice(asker: Asker) -> None:
    table = tsv.read(await asker.text(sql="SELECT $2::text || $1 || $2", params=["-", "x"]))

    assert table.rows == (("x-x",),)


async def test_a_parameter_of_a_megabyte_arrives(asker: Asker) -> None:
    table = tsv.read(await asker.text(sql="SELECT length($1)", params=["é" * 500_000]))

    assert table.rows == (("500000",),)


async def test_parameters_of_a_change_reach_their_columns(asker: Asker) -> None:
    sql = "INSERT INTO s.item VALUES ($1, $2) RETURNING *"

    table = tsv.read(await asker.text(sql=sql, params=[1, "x"], mode="write"))

    assert table.rows == (("1", "x"),)


REFUSED = [
    pytest.param(
        "SELECT $1::int", [], "params has 0 values, but the statement uses $1.", id="too few"
    ),
    pytest.param(
        "SELECT 1", [1], "params has 1 value, but the statement uses none.", id="too many"
    ),
    pytest.param(
        "SELECT $3::int, $1::int, $2::int",
        [1, 2],
        "params has 2 values, but the statement uses $1 to $3.",
        id="two of three",
    ),
    pytest.param(
        "SELECT $1::int",
        ["many"],
        '22P02: invalid input syntax for type integer: "many"',
        id="kind",
    ),
    pytest.param(
        "SELECT $1::int", [True], '22P02: invalid input syntax for type integer: "true"', id="bool"
    ),
    pytest.param("SELECT $1::int4", [2**31], "22003: value", id="int4 overflow"),
    pytest.param("SELECT $1::int8", [2**63], "22003: value", id="int8 overflow"),
    pytest.param(
        "SELECT $1::date", ["2024-02-30"], "22008: date/time field value out of range", id="date"
    ),
    pytest.param(
        "SELECT $1::float8", [float("inf")], "beyond what JSON's readers keep", id="1e400"
    ),
    pytest.param("SELECT $1::numeric", [float("nan")], "beyond what JSON's readers keep", id="NaN"),
    pytest.param(
        "SELECT $1::numeric", [10**5000], "beyond what JSON's readers keep", id="5000 digits"
    ),
    pytest.param(
        "SELECT $1::int", [{"a": 1}], "params[0] is an object, but $1 has type int4", id="object"
    ),
    pytest.param(
        "SELECT $1::jsonb",
        [{"a": float("nan")}],
        "params[0] holds what JSON cannot",
        id="NaN in JSON",
    ),
    pytest.param("SELECT $1::jsonb", [{"a": "\ud800"}], "lone surrogate", id="surrogate in JSON"),
    pytest.param("SELECT $1::jsonb", [{"a": "\0"}], "22P05", id="NUL in JSON"),
    pytest.param(
        "SELECT $1::jsonb",
        ["plain"],
        "22P02: invalid input syntax for type json",
        id="no JSON text",
    ),
    pytest.param("SELECT $1::text", ["a\0b"], "params[0] holds a NUL", id="NUL"),
    pytest.param(
        "SELECT $1::text", ["a\ud800b"], "params[0] holds a lone surrogate", id="surrogate"
    ),
    pytest.param("SELECT $1::text[]", [["a\0b"]], "params[0] holds a NUL", id="NUL in an array"),
    pytest.param(
        "SELECT $1::int[]", [[[[[[[[1]]]]]]]], "nested more than 6 deep", id="array too deep"
    ),
    pytest.param(
        "SELECT $1::int[]", [[[1], [2, 3]]], "22P02: malformed array literal", id="ragged array"
    ),
    pytest.param("SELECT $1::s.price", [-1], "23514: value for domain s.price", id="domain check"),
    pytest.param(
        "SELECT $1::s.mood", ["x"], '22P02: invalid input value for enum s.mood: "x"', id="enum"
    ),
]


@pytest.mark.parametrize(("sql", "params", "sentence"), REFUSED)
async def test_a_value_that_does_not_fit_is_refused_with_a_sentence(
    asker: Asker, sql: str, params: list[object], sentence: str
) -> None:
    refusal = await asker.refusal(sql=sql, params=params)

    assert sentence in refusal
    assert (await asker.text(sql="SELECT 1")).startswith("?column?\n1\n")


async def test_a_parameter_of_unknown_type_is_text(asker: Asker) -> None:
    assert tsv.read(await asker.text(sql="SELECT $1", params=["x"])).rows == (("x",),)
