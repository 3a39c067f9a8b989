"""
Transactions across calls with pg_tx.

Every step ends the transactions that it began.
"""

from __future__ import annotations

from tests.scenario.world import World

COUNT = "SELECT count(*) FROM ~.customers"
ADD = "INSERT INTO ~.customers (name, email) VALUES ($1, $2)"


async def a_savepoint_saves_a_transaction(world: World) -> None:
    """Fail inside a transaction, go back to its savepoint, go on, commit: seen by all."""
    handle = await world.begin(mode="write")
    tx = {"session_id": handle}
    await world.write(ADD, "Dora", "dora@example.com", **tx)
    await world.does("pg_tx", action="savepoint", name="before", **tx)

    failing = {"sql": world.named(ADD), "params": ["Again", "dora@example.com"], "mode": "write"}
    await world.refuses("pg_query", "23505", "customers_email_key", **failing, **tx)
    await world.refuses("pg_query", "rollback_to", sql="SELECT 1", **tx)
    await world.does("pg_tx", action="rollback_to", name="before", **tx)
    await world.write(ADD, "Emil", "emil@example.com", **tx)

    inside = await world.does("pg_query", sql=world.named(COUNT), **tx)
    inside.has_rows(("5",))
    (await world.query(COUNT)).has_rows(("3",))
    await world.does("pg_tx", action="commit", **tx)
    (await world.query(COUNT)).has_rows(("5",))


async def an_ended_handle_says_how_it_ended(world: World) -> None:
    """Use a handle after its commit: the answer says that it was committed."""
    handle = await world.begin(mode="write")
    await world.does("pg_tx", action="commit", session_id=handle)

    await world.refuses("pg_query", "committed", sql="SELECT 1", session_id=handle)


async def rollback_leaves_nothing(world: World) -> None:
    """Write and roll back: it was never there."""
    handle = await world.begin(mode="write")
    await world.write(ADD, "Nobody", "nobody@example.com", session_id=handle)
    await world.does("pg_tx", action="rollback", session_id=handle)

    reply = await world.query("SELECT count(*) FROM ~.customers WHERE name = 'Nobody'")
    reply.has_rows(("0",))


async def reading_transactions_do_not_write(world: World) -> None:
    """Write in a transaction of mode read: refused, because its mode is its ceiling."""
    handle = await world.begin(mode="read")
    arguments = {"sql": world.named(ADD), "params": ["x", "x@example.com"], "mode": "write"}
    await world.refuses("pg_query", "read", session_id=handle, **arguments)

    await world.does("pg_tx", action="rollback", session_id=handle)


async def a_snapshot_does_not_move(world: World) -> None:
    """Read twice under repeatable read while another changes the row: the same."""
    handle = await world.begin(mode="read", isolation="repeatable read")
    sql = world.named("SELECT name FROM ~.customers WHERE id = 1")
    await world.does("pg_query", sql=sql, session_id=handle)

    await world.write("UPDATE ~.customers SET name = 'Ada L.' WHERE id = 1")

    inside = await world.does("pg_query", sql=sql, session_id=handle)
    inside.has_rows(("Ada",))
    (await world.query(sql)).has_rows(("Ada L.",))
    await world.does("pg_tx", action="commit", session_id=handle)


async def open_transactions_are_listed(world: World) -> None:
    """List open transactions: both, and neither after their end."""
    first = await world.begin(mode="read")
    second = await world.begin(mode="write")
    listed = await world.does("pg_tx", action="list")
    shown = listed.columns("session_id", "mode")
    modes = [mode for handle, mode in shown if first.startswith(str(handle))]
    modes += [mode for handle, mode in shown if second.startswith(str(handle))]
    if modes != ["read", "write"]:
        raise listed.wrong("should list the two transactions by their first characters")

    await world.does("pg_tx", action="rollback", session_id=first)
    await world.does("pg_tx", action="rollback", session_id=second)

    listed = await world.does("pg_tx", action="list")
    listed.hides(first[:8], second[:8])


async def tables_are_made_in_a_transaction(world: World) -> None:
    """Make a table in a transaction of mode ddl, and undo it with a rollback."""
    handle = await world.begin(mode="ddl")
    sql = world.named("CREATE TABLE ~.passing (id int)")
    await world.does("pg_schema", action="create", sql=sql, session_id=handle)
    exists = world.named("SELECT to_regclass('~.passing') IS NOT NULL")
    inside = await world.does("pg_query", sql=exists, session_id=handle)
    inside.has_rows(("t",))

    await world.does("pg_tx", action="rollback", session_id=handle)

    (await world.query(exists)).has_rows(("f",))


async def a_savepoint_is_released(world: World) -> None:
    """Release a savepoint: it can't be gone back to."""
    handle = await world.begin(mode="write")
    tx = {"session_id": handle}
    await world.does("pg_tx", action="savepoint", name="once", **tx)
    await world.write(ADD, "Fay", "fay@example.com", **tx)
    await world.does("pg_tx", action="release", name="once", **tx)
    await world.refuses("pg_tx", "no savepoint", "once", action="rollback_to", name="once", **tx)

    await world.does("pg_tx", action="rollback", **tx)


STEPS = (
    a_savepoint_saves_a_transaction,
    an_ended_handle_says_how_it_ended,
    rollback_leaves_nothing,
    reading_transactions_do_not_write,
    a_snapshot_does_not_move,
    open_transactions_are_listed,
    tables_are_made_in_a_transaction,
    a_savepoint_is_released,
)
