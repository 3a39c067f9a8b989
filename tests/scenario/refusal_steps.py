"""
Mistakes that people and models make, and the sentence each gets.

Changes nothing; after every mistake the gateway answers the next call.
"""

from __future__ import annotations

from tests.scenario.reply import ProtocolRefused
from tests.scenario.world import World


async def an_unknown_table_gets_the_nearest_name(world: World) -> None:
    """Misspell a table: the answer has the name that was meant."""
    sql = world.named("SELECT * FROM ~.custmers")
    await world.refuses("pg_query", "42P01", "custmers", f"{world.schema}.customers", sql=sql)


async def an_unknown_column_gets_the_nearest_name(world: World) -> None:
    """Misspell a column: the answer has the name that was meant."""
    sql = world.named("SELECT emial FROM ~.customers")
    await world.refuses("pg_query", "42703", "emial", "email", sql=sql)


async def two_statements_are_refused(world: World) -> None:
    """Send two statements in one string: neither runs."""
    sql = world.named("SELECT 1; DELETE FROM ~.orders WHERE true")
    await world.refuses("pg_query", "2 statements", sql=sql, mode="write")

    (await world.query("SELECT count(*) FROM ~.orders")).has_rows(("4",))


async def an_unknown_argument_is_refused(world: World) -> None:
    """Send an argument that does not exist: the answer lists those that do."""
    await world.refuses(
        "pg_query", "transaction", "session_id", "max_rows", sql="SELECT 1", transaction="tx_1"
    )


async def a_missing_argument_is_named(world: World) -> None:
    """Leave an argument out: the answer has its name."""
    await world.refuses("pg_query", "sql")
    await world.refuses("pg_tx", "session_id", action="commit")


async def an_argument_of_the_wrong_type_is_named(world: World) -> None:
    """Send a number that is none, and an action that does not exist."""
    await world.refuses("pg_query", "max_rows", sql="SELECT 1", max_rows="many")
    await world.refuses("pg_monitor", "action", "health", action="weather")


async def an_unknown_handle_is_unknown(world: World) -> None:
    """Use a handle that nobody has: the answer says how to begin."""
    handle = "tx_AAAAAAAAAAAAAAAAAAAAAA"
    await world.refuses("pg_query", "tx_AAAAA", "begin", sql="SELECT 1", session_id=handle)


async def each_statement_has_its_tool(world: World) -> None:
    """Send statements to the wrong tool: each answer names the right one."""
    await world.refuses("pg_query", "pg_tx", sql="COMMIT")
    await world.refuses("pg_query", "pg_schema", sql="CREATE TABLE t (id int)", mode="write")
    await world.refuses("pg_query", "pg_admin", sql="VACUUM", mode="write")
    await world.refuses("pg_schema", "pg_query", action="create", sql="SELECT 1")


async def broken_sql_shows_the_place(world: World) -> None:
    """Send a syntax error: the answer shows where it is."""
    await world.refuses("pg_query", "42601", "FORM", sql="SELECT 1 FORM t")


async def a_failing_statement_says_why(world: World) -> None:
    """Divide by zero: PostgreSQL's own words and SQLSTATE come through."""
    await world.refuses("pg_query", "22012", "division by zero", sql="SELECT 1 / 0")


async def a_slow_statement_is_ended(world: World) -> None:
    """Sleep longer than the call may last: ended in time."""
    await world.refuses(
        "pg_query", "57014", "timeout", sql="SELECT pg_sleep(20)", timeout_seconds=1
    )


async def an_unknown_database_is_named(world: World) -> None:
    """Ask a database that does not exist: the answer names it."""
    await world.refuses("pg_query", "no_such_database", sql="SELECT 1", database="no_such_database")


async def an_unknown_tool_is_a_protocol_error(world: World) -> None:
    """Call a tool that does not exist: no answer of a tool comes back."""
    try:
        reply = await world.call("pg_weather", action="now")
    except ProtocolRefused:
        return
    raise reply.wrong("should be refused as a protocol error")


STEPS = (
    an_unknown_table_gets_the_nearest_name,
    an_unknown_column_gets_the_nearest_name,
    two_statements_are_refused,
    an_unknown_argument_is_refused,
    a_missing_argument_is_named,
    an_argument_of_the_wrong_type_is_named,
    an_unknown_handle_is_unknown,
    each_statement_has_its_tool,
    broken_sql_shows_the_place,
    a_failing_statement_says_why,
    a_slow_statement_is_ended,
    an_unknown_database_is_named,
    an_unknown_tool_is_a_protocol_error,
)
