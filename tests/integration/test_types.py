"""Every type comes through as psql prints it, whichever way its statement is sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import asyncpg
import pytest

from pgmcp.settings import load
from tests import tsv
from tests.asking import Asker, asking, text_of
from tests.cluster import ThrowawayCluster

SETUP = """
CREATE SCHEMA s;
CREATE TYPE s.mood AS ENUM ('sad', 'so so', 'very "happy"');
CREATE TYPE s.point3 AS (x integer, y numeric, label text);
CREATE TYPE s.line3 AS (start s.point3, via s.point3[], mood s.mood);
CREATE TYPE s.int4 AS (looks text, like_an text);
CREATE TYPE s.floats AS RANGE (subtype = float8);
CREATE DOMAIN s.price AS numeric(12,2) CHECK (VALUE >= 0);
CREATE DOMAIN s.prices AS s.price[];
CREATE TABLE s.item (id integer, name text, price s.price, at timestamptz);
INSERT INTO s.item VALUES (1, 'a "quoted", name', 9.90, '2024-02-29'), (2, NULL, NULL, NULL);
CREATE TABLE s.sink (id integer);
"""

NUMERIC = "12345678901234567890123456789012345678.123456789012345678901234567890"

# format's %s is each type's own output function, which is what psql shows.
PRINTED = "SELECT CASE WHEN num_nulls(v) = 0 THEN format('%s', v) END FROM (SELECT {}) AS t(v)"

CASES = [
    pytest.param("true", "t", id="bool"),
    pytest.param("'-32768'::int2", "-32768", id="int2"),
    pytest.param("'-2147483648'::int4", "-2147483648", id="int4"),
    pytest.param("'-9223372036854775808'::int8", "-9223372036854775808", id="int8"),
    pytest.param("4294967295::oid", "4294967295", id="oid"),
    pytest.param("0.1::float4", "0.1", id="float4 0.1"),
    pytest.param("'1e-45'::float4", "1e-45", id="float4 denormal"),
    pytest.param("'NaN'::float4", "NaN", id="float4 NaN"),
    pytest.param("1e15::float8", "1e+15", id="float8 1e15"),
    pytest.param("5e-324::float8", "5e-324", id="float8 denormal"),
    pytest.param("0.1::float8 + 0.2::float8", "0.30000000000000004", id="float8 sum"),
    pytest.param("'-0'::float8", "-0", id="float8 negative zero"),
    pytest.param("'-Infinity'::float8", "-Infinity", id="float8 infinity"),
    pytest.param("1.7976931348623157e308::float8", "1.7976931348623157e+308", id="float8 largest"),
    pytest.param(f"{NUMERIC}::numeric", NUMERIC, id="numeric 68 digits"),
    pytest.param("'1.10'::numeric", "1.10", id="numeric scale"),
    pytest.param("0e-20::numeric", "0.00000000000000000000", id="numeric zero with scale"),
    pytest.param("'NaN'::numeric", "NaN", id="numeric NaN"),
    pytest.param("'-Infinity'::numeric", "-Infinity", id="numeric infinity"),
    pytest.param("'-1234.5'::money", "-$1,234.50", id="money"),
    pytest.param("'infinity'::date", "infinity", id="date infinity"),
    pytest.param("'-infinity'::date", "-infinity", id="date minus infinity"),
    pytest.param("'0044-03-15 BC'::date", "0044-03-15 BC", id="date BC"),
    pytest.param("'5874897-12-31'::date", "5874897-12-31", id="date last"),
    pytest.param("'infinity'::timestamp", "infinity", id="timestamp infinity"),
    pytest.param(
        "'4713-01-01 00:00:00 BC'::timestamp", "4713-01-01 00:00:00 BC", id="timestamp BC"
    ),
    pytest.param(
        "'294276-12-31 23:59:59.999999'::timestamp",
        "294276-12-31 23:59:59.999999",
        id="timestamp last",
    ),
    pytest.param("'-infinity'::timestamptz", "-infinity", id="timestamptz infinity"),
    pytest.param(
        "'10000-01-01 00:00+00'::timestamptz AT TIME ZONE 'UTC'",
        "10000-01-01 00:00:00",
        id="timestamptz year 10000",
    ),
    pytest.param("'24:00'::time", "24:00:00", id="time 24:00"),
    pytest.param("'12:34:56.000001'::time", "12:34:56.000001", id="time microsecond"),
    pytest.param("'24:00:00-15:59'::timetz", "24:00:00-15:59", id="timetz"),
    pytest.param("'1 year 2 mons'::interval", "1 year 2 mons", id="interval months"),
    pytest.param(
        "'-1 mon +3 days -04:05:06.789'::interval",
        "-1 mons +3 days -04:05:06.789",
        id="interval signs",
    ),
    pytest.param("'0'::interval", "00:00:00", id="interval zero"),
    pytest.param(
        "'A0EEBC99-9C0B4EF8BB6D6BB9BD380A11'::uuid",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        id="uuid",
    ),
    pytest.param("'192.168.0.1'::inet", "192.168.0.1", id="inet host"),
    pytest.param("'192.168.0.1/24'::inet", "192.168.0.1/24", id="inet with mask"),
    pytest.param("'::ffff:1.2.3.4/128'::inet", "::ffff:1.2.3.4", id="inet 6"),
    pytest.param("'10.0.0.0/8'::cidr", "10.0.0.0/8", id="cidr"),
    pytest.param("'08002b:010203'::macaddr", "08:00:2b:01:02:03", id="macaddr"),
    pytest.param("'08002b0102030405'::macaddr8", "08:00:2b:01:02:03:04:05", id="macaddr8"),
    pytest.param("'\\xDEADbeef00'::bytea", "\\xdeadbeef00", id="bytea"),
    pytest.param("''::bytea", "\\x", id="bytea empty"),
    pytest.param("B'10110'", "10110", id="bit"),
    pytest.param("''::varbit", "", id="varbit empty"),
    pytest.param("'ab '::char(5)", "ab   ", id="char(n) keeps its padding"),
    pytest.param("NULL::char(5)", None, id="char(n) null"),
    pytest.param("'ab  '::varchar(9)", "ab  ", id="varchar"),
    pytest.param("'A'::\"char\"", "A", id="char of one byte"),
    pytest.param("''::\"char\"", "", id="char of no byte"),
    pytest.param("'pg_class'::name", "pg_class", id="name"),
    pytest.param("'unknown'", "unknown", id="literal of no type"),
    pytest.param("NULL", None, id="null"),
    pytest.param("''", "", id="empty text is not null"),
    pytest.param("textout('as text')", "as text", id="cstring"),
    pytest.param(
        '\'{"b": 1.10, "a": [1,  2], "b": 2}\'::json',
        '{"b": 1.10, "a": [1,  2], "b": 2}',
        id="json keeps space, order and doubles",
    ),
    pytest.param(
        '\'{"n": 123456789012345678901234567890.10, "b": 1, "b": 2}\'::jsonb',
        '{"b": 2, "n": 123456789012345678901234567890.10}',
        id="jsonb exact digits",
    ),
    pytest.param("'null'::jsonb", "null", id="jsonb null is a value"),
    pytest.param("'$.a[*] ? (@ > 1)'::jsonpath", '$."a"[*]?(@ > 1)', id="jsonpath"),
    pytest.param(
        "ARRAY[['a,b', NULL], ['NULL', 'q\"q']]",
        '{{"a,b",NULL},{"NULL","q\\"q"}}',
        id="array quotes and nulls",
    ),
    pytest.param(
        "'[0:1][5:6]={{1,2},{3,NULL}}'::int4[]", "[0:1][5:6]={{1,2},{3,NULL}}", id="array bounds"
    ),
    pytest.param("'{}'::text[]", "{}", id="array empty"),
    pytest.param("ARRAY['infinity'::date, NULL]", "{infinity,NULL}", id="array of dates"),
    pytest.param("ARRAY['a'::char(3), 'b']", '{"a  ",b}', id="array of char(n)"),
    pytest.param("ARRAY[true, false]", "{t,f}", id="array of bool"),
    pytest.param("'[1,10)'::int4range", "[1,10)", id="int4range"),
    pytest.param("'(,5.5]'::numrange", "(,5.5]", id="numrange"),
    pytest.param("'empty'::int8range", "empty", id="range empty"),
    pytest.param("'[-infinity,infinity]'::daterange", "[-infinity,infinity]", id="daterange"),
    pytest.param(
        "'[2024-01-01,\"2024-01-02 10:00\")'::tsrange",
        '["2024-01-01 00:00:00","2024-01-02 10:00:00")',
        id="tsrange",
    ),
    pytest.param("'{[1,3),[5,9)}'::int4multirange", "{[1,3),[5,9)}", id="multirange"),
    pytest.param("'{[1.5,2),[3,)}'::nummultirange", "{[1.5,2),[3,)}", id="nummultirange"),
    pytest.param("ARRAY['[1,2.5)'::numrange]", '{"[1,2.5)"}', id="array of ranges"),
    pytest.param("ARRAY['{[1,2)}'::int8multirange]", '{"{[1,2)}"}', id="array of multiranges"),
    pytest.param("s.floats(0.1, 0.2)", "[0.1,0.2)", id="range of one's own"),
    pytest.param("'so so'::s.mood", "so so", id="enum"),
    pytest.param(
        "ARRAY['very \"happy\"', NULL]::s.mood[]", '{"very \\"happy\\"",NULL}', id="array of enum"
    ),
    pytest.param("9.9::s.price", "9.90", id="domain"),
    pytest.param("'{1,2.5}'::s.prices", "{1.00,2.50}", id="domain over an array of domains"),
    pytest.param("ROW(1, 2.50, 'a b')::s.point3", '(1,2.50,"a b")', id="composite"),
    pytest.param("ROW(NULL, NULL, NULL)::s.point3", "(,,)", id="composite of nulls"),
    pytest.param("NULL::s.point3", None, id="composite null"),
    pytest.param(
        "ROW(ROW(1,1.10,'x'), ARRAY[ROW(2,2,'y')]::s.point3[], 'sad')::s.line3",
        '("(1,1.10,x)","{""(2,2,y)""}",sad)',
        id="composite nested",
    ),
    pytest.param("ARRAY[ROW(1,2,'z')::s.point3]", '{"(1,2,z)"}', id="array of composites"),
    pytest.param("ROW('a', 'b')::s.int4", "(a,b)", id="type named like a built-in one"),
    pytest.param("ARRAY[ROW('a', 'b')::s.int4]", '{"(a,b)"}', id="array named like a built-in one"),
    pytest.param("ROW(1, 1.5, NULL, 'a b', now() > now())", '(1,1.5,,"a b",f)', id="record"),
    pytest.param("ARRAY[ROW(1, 'a'), ROW(2, NULL)]", '{"(1,a)","(2,)"}', id="array of records"),
    pytest.param(
        "(SELECT i FROM s.item AS i WHERE id = 1) IS NOT NULL", "t", id="whole row in an expression"
    ),
    pytest.param("'1 2 3'::int2vector", "1 2 3", id="int2vector"),
    pytest.param("'1 2 3'::oidvector", "1 2 3", id="oidvector"),
    pytest.param("'pg_class'::regclass", "pg_class", id="regclass"),
    pytest.param("'s.item'::regclass", "s.item", id="regclass with schema"),
    pytest.param("'lower(text)'::regprocedure", "lower(text)", id="regprocedure"),
    pytest.param("'numeric(5,2)'::regtype", "numeric", id="regtype"),
    pytest.param("'18446744073709551615'::xid8", "18446744073709551615", id="xid8"),
    pytest.param("'4294967295'::xid", "4294967295", id="xid"),
    pytest.param("'FFFFFFFF/FFFFFFFF'::pg_lsn", "FFFFFFFF/FFFFFFFF", id="pg_lsn"),
    pytest.param("'(4294967294,65535)'::tid", "(4294967294,65535)", id="tid"),
    pytest.param("'10:20:10,14,15'::pg_snapshot", "10:20:10,14,15", id="pg_snapshot"),
    pytest.param(
        "to_tsvector('simple', 'the ''fat'' rat')", "'fat':2 'rat':3 'the':1", id="tsvector"
    ),
    pytest.param("'fat & (rat | !cat)'::tsquery", "'fat' & ( 'rat' | !'cat' )", id="tsquery"),
    pytest.param("point(1.5, -0.1)", "(1.5,-0.1)", id="point"),
    pytest.param("'{1,2,3}'::line", "{1,2,3}", id="line"),
    pytest.param("'[(0,0),(1,1)]'::lseg", "[(0,0),(1,1)]", id="lseg"),
    pytest.param("'(2,2),(0,0)'::box", "(2,2),(0,0)", id="box"),
    pytest.param(
        "ARRAY['(2,2),(0,0)'::box, '(3,3),(1,1)']", "{(2,2),(0,0);(3,3),(1,1)}", id="boxes"
    ),
    pytest.param("'[(0,0),(1,1)]'::path", "[(0,0),(1,1)]", id="path open"),
    pytest.param("'((0,0),(1,1))'::polygon", "((0,0),(1,1))", id="polygon"),
    pytest.param("'<(0,0),1e20>'::circle", "<(0,0),1e+20>", id="circle"),
    pytest.param("pg_sleep(0)", "", id="void"),
    pytest.param("(SELECT relacl FROM pg_class WHERE relname = 'pg_authid')", "*", id="aclitem[]"),
    pytest.param(
        "(SELECT histogram_bounds FROM pg_stats WHERE attname = 'objoid'"
        " AND tablename = 'pg_description' LIMIT 1)",
        "*",
        id="anyarray",
    ),
    pytest.param("(SELECT adbin FROM pg_attrdef LIMIT 1)", "*", id="pg_node_tree"),
    pytest.param(
        "E'a\\tb\\nc\\\\d\\re\\bf\\fg' || chr(11) || 'h'",
        "a\tb\nc\\d\re\bf\fg\vh",
        id="text escapes",
    ),
    pytest.param("'\\N'", "\\N", id="text that looks like null"),
    pytest.param("'a' || chr(8232) || chr(133) || 'b'", "a\u2028\x85b", id="text line separators"),
    pytest.param("'👩‍👩‍👧 é é'", "👩‍👩‍👧 é é", id="text emoji and combining"),
    pytest.param("'שלום مرحبا ไทย 中文'", "שלום مرحبا ไทย 中文", id="text of other scripts"),
    pytest.param("chr(1) || chr(27) || chr(127)", "\x01\x1b\x7f", id="text control characters"),
    pytest.param("chr(1114111) || chr(65279)", "\U0010ffff\ufeff", id="text last code point"),
]


@pytest.fixture(scope="module")
async def asker(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Asker]:
    await cluster.execute(SETUP, database=database)
    async with asking(load(environ=cluster.environment(database))) as made:
        yield made


@pytest.fixture(scope="module")
async def psql(cluster: ThrowawayCluster, database: str) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection without codecs; format('%s') is each type's own output function."""
    connection = await cluster.connect(database)
    yield connection
    await connection.close()


def is_as_expected(cell: str | None, expected: str | None, printed: str | None) -> bool:
    """Compare with PostgreSQL's own words; * stands for whatever they are."""
    return cell == printed and expected in (printed, "*")


@pytest.mark.parametrize(("expression", "expected"), CASES)
async def test_a_value_comes_through_as_psql_prints_it(
    asker: Asker, psql: asyncpg.Connection, expression: str, expected: str | None
) -> None:
    printed = await psql.fetchval(PRINTED.format(expression))

    table = tsv.read(await asker.text(sql=f"SELECT {expression} AS v"))

    assert table.header == ("v",)
    assert is_as_expected(table.rows[0][0], expected, printed)


@pytest.mark.parametrize(("expression", "expected"), CASES)
async def test_a_value_comes_through_where_nothing_can_be_wrapped(
    asker: Asker, psql: asyncpg.Connection, expression: str, expected: str | None
) -> None:
    """Beside a changing CTE, PostgreSQL allows no outer SELECT: the codecs alone serve."""
    printed = await psql.fetchval(PRINTED.format(expression))

    sql = f"WITH x AS (INSERT INTO s.sink VALUES (1) RETURNING 1) SELECT {expression} AS v FROM x"
    table = tsv.read(await asker.text(sql=sql, mode="write"))

    assert is_as_expected(table.rows[0][0], expected, printed)


@pytest.mark.parametrize(("expression", "expected"), CASES)
async def test_a_value_comes_through_in_json(
    asker: Asker, psql: asyncpg.Connection, expression: str, expected: str | None
) -> None:
    printed = await psql.fetchval(PRINTED.format(expression))

    answer = await asker.ask(sql=f"SELECT {expression} AS v", format="json")

    assert answer.structured_content is not None
    assert json.loads(text_of(answer)) == answer.structured_content
    (cell,) = answer.structured_content["rows"][0]
    assert is_as_expected(as_text(cell, expected), expected, printed)


def as_text(cell: object, expected: str | None) -> str | None:
    """Return a JSON value as PostgreSQL's text, where the two are the same value."""
    if isinstance(cell, bool):
        return "t" if cell else "f"
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, float):
        return expected if expected is not None and float(expected) == cell else repr(cell)
    return None if cell is None else str(cell)
