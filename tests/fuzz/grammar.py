"""
PostgreSQL statements out of a hypothesis strategy: expressions, queries, changes, definitions.

Owns the shapes. The texts mostly parse, and run where world.sql has made the tables.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

Text = st.SearchStrategy[str]
Draw = Callable[[st.SearchStrategy[Any]], Any]  # Any: what the strategy gives
LEAF = "4711"  # a number that stands only where any expression could

# Calls that must never be part of something that is accepted.
DENIED = (
    "set_config('work_mem', '1MB', false)",
    "pg_notify('a', 'b')",
    "pg_advisory_lock(1)",
    "lo_create(0)",
    "lo_from_bytea(0, 'x')",
    "pg_terminate_backend(0)",
    "query_to_xml('SELECT 1', true, true, '')",
    "pg_read_file('PG_VERSION')",
    "pg_ls_dir('.')",
    "pg_stat_reset()",
    "pg_create_restore_point('a')",
    "pg_logical_emit_message(false, 'a', 'b')",
    "dblink_exec('', 'SELECT 1')",
    "setseed(0.5)",
)
# Changes that world.sql's database lets happen.
CHANGES = (
    "INSERT INTO t VALUES (99, 9, 'x') RETURNING id",
    "UPDATE t SET a = 0 WHERE id > 1 RETURNING id",
    "DELETE FROM t WHERE id = 1 RETURNING id",
    "MERGE INTO u USING t ON u.id = t.id WHEN MATCHED THEN DELETE",
    "INSERT INTO u SELECT id, a FROM t ON CONFLICT DO NOTHING RETURNING id",
)
CALLS = ("abs({})", "coalesce({}, 1)", "length({}::text)", "greatest({}, {})", "sly({})")
CASTS = ("integer", "text", "pg_catalog.int8", "numeric(10, 2)", '"text"', "mood", "small")
OPERATORS = ("+", "-", "*", "=", "<>", "<", "||", "IS DISTINCT FROM", "OPERATOR(pg_catalog.+)")
SPACES = (" ", "\n", "\t ", " /* a */ ", " -- b\n", " /* ; DELETE /* nested */ ' */ ", "  ")


def _spelled(name: str) -> Text:
    """Spell a lower-case name in all ways that PostgreSQL folds into it."""
    escaped = "".join(f"\\{ord(letter):04x}" for letter in name)
    return st.sampled_from([name, name.upper(), name.title(), f'"{name}"', f'U&"{escaped}"'])


def tables() -> Text:
    """Return names of tables and views that are there, and some that are not."""
    plain = st.sampled_from(["t", "u", "v", "sly_view", "pg_class", "c0", "nowhere"])
    qualified = st.sampled_from(["t", "u"]).flatmap(_spelled)
    return st.one_of(plain.flatmap(_spelled), qualified.map(lambda name: f"public.{name}"))


def literals() -> Text:
    """Return constants in every form that has its own lexing."""
    text = st.text(string.ascii_letters + " ';\\\"$-/*é😀", max_size=8)
    return st.one_of(
        st.just(LEAF),
        st.integers(-9, 99).map(str),
        st.sampled_from(["NULL", "TRUE", "1.5e3", "0x1F", "B'101'", "X'ff'", "id", "a", "t.a"]),
        text.map(lambda value: "'" + value.replace("'", "''") + "'"),
        text.map(lambda v: "E'" + v.replace("\\", "\\\\").replace("'", "\\'") + "'"),
        text.filter(lambda value: "$" not in value).map(lambda value: f"$q${value}$q$"),
        text.filter(lambda v: "\\" not in v).map(lambda v: "U&'" + v.replace("'", "''") + "'"),
    )


def _grow(inner: Text) -> Text:
    pair = st.tuples(inner, inner)
    many = st.lists(inner, min_size=1, max_size=3).map(", ".join)
    return st.one_of(
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(" ".join).map("({})".format),
        st.tuples(st.sampled_from(CALLS), pair).map(lambda found: found[0].format(*found[1])),
        st.tuples(inner, st.sampled_from(CASTS)).map(lambda found: f"({found[0]})::{found[1]}"),
        pair.map(lambda found: f"CASE WHEN {found[0]} IS NULL THEN {LEAF} ELSE {found[1]} END"),
        many.map("ARRAY[{}]".format),
        many.map("ROW({})".format),
        inner.map("({}) IS NOT NULL".format),
        pair.map(lambda found: f"{found[0]} IN ({found[1]}, {LEAF})"),
        inner.map("(SELECT {} LIMIT 1)".format),
        inner.map("EXISTS (SELECT {} FROM u)".format),
        inner.map("(SELECT count({}) FROM t)".format),
        inner.map("JSON_OBJECT('a': {})".format),
        inner.map("(WITH c0 AS (SELECT {} AS id) SELECT count(*) FROM c0)".format),
    )


TABLES = tables()
EXPRESSIONS = st.recursive(literals(), _grow, max_leaves=4)


# {e} an expression, {t} a table, {r} another read, LEAF a number.
FLAT = (
    "SELECT {e}, {n}",
    "SELECT {e} AS x FROM {t} WHERE ({e}) IS NOT NULL AND {n} > 0",
    "SELECT count(*) FILTER (WHERE {n} > 1), {e} FROM t GROUP BY 2 HAVING {n} > 0",
    "SELECT sum(id) OVER (PARTITION BY {e} ORDER BY {n}) FROM {t}",
    "VALUES ({e}), ({n})",
    "SELECT * FROM {t} AS x, LATERAL (SELECT {e} AS y WHERE {n} > 0) AS z",
    "SELECT * FROM t LEFT JOIN u ON {n} > 1 ORDER BY ({e}) LIMIT {n}",
    "SELECT DISTINCT ON ({n}) {e} FROM {t} FETCH FIRST {n} ROWS ONLY",
    "SELECT * FROM generate_series(1, {n} % 5) AS g(n) WHERE n::text <> ({e})::text",
    "SELECT {e} FROM (SELECT {n} AS id, 1 AS a) AS t",
)
DEEP = (
    "WITH c0 AS ({r}) SELECT * FROM c0 WHERE {n} > 0",
    (
        "WITH RECURSIVE c0 AS (SELECT 1 AS n UNION SELECT n + 1 FROM c0 WHERE n < 3) SELECT n, {e}"
        " FROM c0 WHERE EXISTS ({r})"
    ),
    "SELECT {n} WHERE EXISTS ({r})",
    "({r}) UNION ALL ({r})",
    "SELECT ARRAY({r}), {n}",
)
FIRST = ("{r}", "{r}", "EXPLAIN {r}", "EXPLAIN (ANALYZE, TIMING off) {r}")


def _fill(draw: Draw, form: str, depth: int) -> str:
    while "{e}" in form:
        form = form.replace("{e}", draw(EXPRESSIONS), 1)
    while "{t}" in form:
        form = form.replace("{t}", draw(TABLES), 1)
    while "{r}" in form:
        inner = draw(st.sampled_from(FLAT + DEEP if depth else FLAT))
        form = form.replace("{r}", _fill(draw, inner, depth - 1), 1)
    return form.replace("{n}", LEAF)


@st.composite
def reads(draw: Draw) -> str:
    """Return a statement that reads; LEAF is in it at least once."""
    text = _fill(draw, draw(st.sampled_from(FIRST)), 2)
    return text.replace(" ", draw(st.sampled_from(SPACES)), 3)


INNER = (
    "WITH w AS ({c}) SELECT {e}",
    "WITH w AS (SELECT 1), x AS ({c}) SELECT {e} FROM w",
    "SELECT (WITH w AS ({c}) SELECT count(*) FROM w)",
    "WITH RECURSIVE w AS ({c}) TABLE w",
    "SELECT 1 WHERE EXISTS (WITH w AS ({c}) TABLE w)",
    "(WITH w AS ({c}) TABLE w) UNION ALL (SELECT {e})",
)
OUTER = (
    "SELECT * FROM ({c}) AS y",
    "SELECT {e} WHERE EXISTS ({c})",
    "WITH z AS ({c}) TABLE z",
    "SELECT ARRAY({c})",
    "({c}) UNION ALL (SELECT {e})",
    "SELECT CASE WHEN true THEN ({c}) END",
)
ENDS = ("{c}", "EXPLAIN ANALYZE {c}", "EXPLAIN (ANALYZE on, VERBOSE) {c}")


@st.composite
def nested(draw: Draw, change: str) -> str:
    """Return something around *change*, at some depth."""
    layers = draw(st.lists(st.sampled_from(OUTER), max_size=3))
    for form in (draw(st.sampled_from(INNER)), *layers, draw(st.sampled_from(ENDS))):
        change = _fill(draw, form.replace("{c}", change), 0)
    return change


@st.composite
def spelled_calls(draw: Draw, calls: Sequence[str] = DENIED) -> str:
    """Return a denied call in one of its spellings."""
    name, rest = draw(st.sampled_from(calls)).split("(", 1)
    schema = "" if "dblink" in name else draw(st.sampled_from(["", "pg_catalog.", "PG_CATALOG ."]))
    gap = draw(st.sampled_from(SPACES))
    return f"{schema}{draw(_spelled(name))}{gap}({rest}"
