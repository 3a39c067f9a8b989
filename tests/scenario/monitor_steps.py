"""
Looking at the server with pg_monitor.

Changes nothing; the transactions that it opens to be seen are ended again.
"""

from __future__ import annotations

import asyncio
import re

from tests.scenario.world import World

SQLSTATE = re.compile(r"[0-9A-Z]{5}: ")
TOUCH = "UPDATE ~.customers SET name = name WHERE id = 2"
WAIT_SECONDS = 8  # far longer than it takes to start waiting for a lock
PAUSE_SECONDS = 0.1

# Actions that answer on any server that a login may watch, whatever is set up there.
ALWAYS = (
    "health",
    "connections",
    "activity",
    "locks",
    "tables",
    "indexes",
    "databases",
    "replication",
    "wal",
    "vacuum",
    "progress",
    "settings",
    "sequences",
)


async def every_action_answers(world: World) -> None:
    """Ask for every report: each ends with a receipt."""
    for action in ALWAYS:
        (await world.does("pg_monitor", action=action)).receipt()


async def slow_queries_answer_or_say_what_they_need(world: World) -> None:
    """Ask for slow queries: rows, or the name of what is missing."""
    reply = await world.call("pg_monitor", action="slow_queries")
    if reply.is_error:
        reply.shows("pg_stat_statements")
    else:
        reply.receipt()


async def health_has_a_verdict(world: World) -> None:
    """Ask how the server is: a verdict on everything looked at, and no look fails."""
    reply = await world.does("pg_monitor", action="health")
    reply.has_row(check="server", status="ok").has_row(check="transaction ids", status="ok")
    reply.shows("connections", "blocked sessions", "oldest transaction")
    failed = [value for (value,) in reply.columns("value") if SQLSTATE.match(value or "")]
    if failed:
        raise reply.wrong(f"the checks that answer {failed} should not fail")


async def an_idle_transaction_is_seen(world: World) -> None:
    """Leave a transaction open: its backend shows as idle in transaction."""
    handle, pid = await begin_with_a_lock(world)

    activity = await world.does("pg_monitor", action="activity")
    activity.has_row(pid=pid, state="idle in transaction")

    await world.does("pg_tx", action="rollback", session_id=handle)


async def who_waits_for_whom_is_seen(world: World) -> None:
    """Let a write wait for a lock: locks shows the waiting one and the one it waits for."""
    handle, pid = await begin_with_a_lock(world)
    waiting = asyncio.create_task(world.write(TOUCH, timeout_seconds=WAIT_SECONDS))
    try:
        locks = await world.does("pg_monitor", action="locks")
        while (f"{{{pid}}}",) not in locks.columns("blocked_by") and not waiting.done():
            await asyncio.sleep(PAUSE_SECONDS)
            locks = await world.does("pg_monitor", action="locks")
        locks.has_row(blocked_by=f"{{{pid}}}")
    finally:
        await world.does("pg_tx", action="rollback", session_id=handle)
        waited = await waiting
    waited.shows("UPDATE 1")


async def begin_with_a_lock(world: World) -> tuple[str, str]:
    """Return an open transaction that has changed a row, and its backend."""
    handle = await world.begin(mode="write")
    await world.write(TOUCH, session_id=handle)
    reply = await world.does("pg_query", sql="SELECT pg_backend_pid()", session_id=handle)
    return handle, str(reply.rows()[0][0])


async def tables_are_reported(world: World) -> None:
    """Find the tables, indexes and sequences just made in their reports."""
    table = f"{world.schema}.customers"
    reply = await world.does("pg_monitor", action="tables", pattern="customers")
    reply.has_row(table=table, kind="table")
    reply = await world.does("pg_monitor", action="indexes", pattern="customers")
    reply.has_row(table=table, index="customers_email_key")
    reply = await world.does("pg_monitor", action="sequences", pattern="customers")
    reply.has_row(sequence=f"{table}_id_seq", used_by=f"{table}.id")


async def databases_are_reported(world: World) -> None:
    """Find the current database and a setting in their reports, one of them as JSON."""
    current = (await world.query("SELECT current_database()")).rows()[0][0]
    reply = await world.does("pg_monitor", action="databases")
    reply.has_row(database=current)
    asked = {"action": "settings", "pattern": "work_mem", "format": "json"}
    reply = await world.does("pg_monitor", **asked)
    if "work_mem" not in [row[0] for row in reply.json()["rows"]]:
        raise reply.wrong("should have a row on work_mem")


STEPS = (
    every_action_answers,
    slow_queries_answer_or_say_what_they_need,
    health_has_a_verdict,
    an_idle_transaction_is_seen,
    who_waits_for_whom_is_seen,
    tables_are_reported,
    databases_are_reported,
)
