"""
Reading with pg_query: parameters, types, forms, limits, plans.

Changes nothing.
"""

from __future__ import annotations

import json

from tests.scenario.world import World

NUMERIC = "12345678901234567890123456789012345678"
TYPES = f"""
SELECT {NUMERIC}::numeric AS exact, 'NaN'::float8 AS nan, 'infinity'::date AS never,
       '1 mon 3 days'::interval AS span, int4range(1, 5) AS range, ARRAY[1, NULL] AS list,
       ROW(1, 'a b') AS pair, '\\xdeadbeef'::bytea AS bytes, NULL::text AS nothing, '' AS empty
"""


async def parameters_are_bound(world: World) -> None:
    """Pass a hostile text as a parameter: it is a value, whatever is in it."""
    reply = await world.query("SELECT id, tags FROM ~.customers WHERE name = $1", "Ada")
    reply.has_rows(("1", "{vip,new}"))

    hostile = "Ada' OR true --"
    reply = await world.query("SELECT id FROM ~.customers WHERE name = $1", hostile)
    reply.has_rows()


async def sums_are_exact(world: World) -> None:
    """Add up numbers of 38 digits: exact to the last one."""
    reply = await world.query("SELECT count(*), sum(amount) FROM ~.orders")
    reply.has_rows(("4", "200000000000000000000000000000000000020.98"))


async def types_come_through(world: World) -> None:
    """Read values of every kind: PostgreSQL's own words, NULL apart from empty text."""
    reply = await world.query(TYPES)
    expected = (NUMERIC, "NaN", "infinity", "1 mon 3 days", "[1,5)", "{1,NULL}")
    reply.has_rows((*expected, '(1,"a b")', "\\xdeadbeef", None, ""))


async def json_keeps_columns_of_one_name(world: World) -> None:
    """Ask for JSON: columns beside rows, the same in text and structure."""
    reply = await world.does(
        "pg_query", sql="SELECT 1 AS a, 2 AS a, true AS b, NULL AS c", format="json"
    )
    structured = reply.json()
    if json.loads(reply.text) != structured:
        raise reply.wrong("text and structured content should be the same")
    if [column["name"] for column in structured["columns"]] != ["a", "a", "b", "c"]:
        raise reply.wrong("should have the columns a, a, b and c")
    if structured["rows"] != [[1, 2, True, None]] or structured["more"] is not False:
        raise reply.wrong("should have the one row 1, 2, true, null")


async def limits_say_that_more_exist(world: World) -> None:
    """Cut an answer by max_rows: the receipt says so, and only then."""
    sql = "SELECT g FROM generate_series(1, 100000) AS g"
    reply = await world.does("pg_query", sql=sql, max_rows=3)
    reply.has_rows(("1",), ("2",), ("3",))
    if "more" not in reply.receipt():
        raise reply.wrong("the receipt should say that more rows exist")

    reply = await world.does("pg_query", sql="SELECT g FROM generate_series(1, 3) g", max_rows=3)
    if "more" in reply.receipt() or not reply.receipt().startswith("3 rows"):
        raise reply.wrong("the receipt should say 3 rows and no more")


async def plans_are_shown(world: World) -> None:
    """Ask for the plan of an UPDATE, estimated and measured: the row stays as it was."""
    sql = world.named("UPDATE ~.customers SET name = 'nobody' WHERE id = 1")
    reply = await world.does("pg_query", sql=sql, mode="write", explain="plan")
    reply.shows("Update on", "cost=").hides("actual time")

    reply = await world.does("pg_query", sql=sql, mode="write", explain="analyze")
    reply.shows("Update on", "actual")

    reply = await world.query("SELECT name FROM ~.customers WHERE id = 1")
    reply.has_rows(("Ada",))


async def reading_cannot_write(world: World) -> None:
    """Write without mode=write: refused and not done."""
    sql = world.named("INSERT INTO ~.customers (name, email) VALUES ('x', 'x@example.com')")
    await world.refuses("pg_query", "mode", "write", sql=sql)

    (await world.query("SELECT count(*) FROM ~.customers")).has_rows(("3",))


async def changing_every_row_needs_a_confirmation(world: World) -> None:
    """Update without WHERE: refused, and done once confirmed."""
    sql = world.named("UPDATE ~.orders SET note = 'all'")
    wanted = world.named("~.orders")
    reply = await world.confirms("pg_query", wanted, sql=sql, mode="write")
    reply.shows("UPDATE 4")

    (await world.query("SELECT DISTINCT note FROM ~.orders")).has_rows(("all",))


STEPS = (
    parameters_are_bound,
    sums_are_exact,
    types_come_through,
    json_keeps_columns_of_one_name,
    limits_say_that_more_exist,
    plans_are_shown,
    reading_cannot_write,
    changing_every_row_needs_a_confirmation,
)
