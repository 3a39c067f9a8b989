"""
pg_tx: transactions across calls, from begin to commit or rollback.

Owns the tool's parameters and answers; the transactions are `transactions`'.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import Field

from pgmcp.kinds import Level
from pgmcp.ledger import SHOWN, short
from pgmcp.results import Result
from pgmcp.settings import Settings
from pgmcp.tools.base import Answer, Call, Params, Takes, Tool, check_action

DESCRIPTION = """\
Keep several statements together in one transaction. begin returns session_id: pass it to \
pg_query and pg_schema, then commit or rollback. mode is the ceiling of what runs inside. A \
transaction is rolled back after {idle} unused ({contended} once somebody waits for its locks) and \
{total} in total; at most {most} are open at once. A failed statement aborts it: only rollback or \
rollback_to a savepoint goes on. It belongs to you alone; a lost one says what became of it.
Example: action="begin", mode="write"; pg_query with session_id; action="commit", session_id"""

READING = """\
Read several statements in one transaction; nothing is ever changed. begin returns session_id: \
pass it to pg_query and pg_schema, then commit or rollback, which here both only end it. With \
isolation="repeatable read" all of them see one snapshot. A transaction is rolled back after \
{idle} unused and {total} in total; at most {most} are open at once. A failed statement aborts it: \
only rollback or rollback_to a savepoint goes on. It belongs to you alone; a lost one says what \
became of it.
Example: action="begin", isolation="repeatable read"; pg_query with session_id; action="rollback", \
session_id"""

TWO_MINUTES = 120
ACTIONS = {
    "begin": Takes(may=("database", "mode", "isolation")),
    "commit": Takes(needs=("session_id",)),
    "rollback": Takes(needs=("session_id",)),
    "savepoint": Takes(needs=("session_id", "name")),
    "rollback_to": Takes(needs=("session_id", "name")),
    "release": Takes(needs=("session_id", "name")),
    "list": Takes(),
}


class TxParams(Params):
    """The parameters of pg_tx, as on the wire."""

    action: Literal[
        "begin", "commit", "rollback", "savepoint", "rollback_to", "release", "list"
    ] = Field(description="What to do.")
    database: str | None = Field(None, description="Database for begin; without it the default.")
    mode: Literal["read", "write", "ddl"] | None = Field(
        None, description="Ceiling for begin, read unless said."
    )
    isolation: Literal["read committed", "repeatable read", "serializable"] | None = Field(
        None, description="For begin, read committed unless said."
    )
    session_id: str | None = Field(None, description="The transaction, from begin.")
    name: str | None = Field(None, min_length=1, max_length=63, description="The savepoint.")


async def run(call: Call, params: TxParams) -> Answer:
    """Carry out one action."""
    check_action(params, params.action, ACTIONS[params.action])
    if params.action == "begin":
        return await _begin(call, params)
    if params.action == "list":
        return _list(call)
    handle, name = params.session_id or "", params.name or ""
    transactions = call.transactions
    if params.action == "commit":
        done = await transactions.commit(handle)
        call.definers.forget()
        return Answer(text=f"committed {short(done.handle)}; what it changed is kept.")
    if params.action == "rollback":
        done = await transactions.rollback(handle)
        return Answer(text=f"rolled back {short(done.handle)}; nothing of it was kept.")
    if params.action == "savepoint":
        await transactions.savepoint(handle, name)
        return Answer(text=f'savepoint "{name}" set.')
    if params.action == "release":
        await transactions.release(handle, name)
        return Answer(text=f'savepoint "{name}" released; its changes stay in the transaction.')
    await transactions.rollback_to(handle, name)
    return Answer(text=f'back at savepoint "{name}"; the transaction goes on.')


async def _begin(call: Call, params: TxParams) -> Answer:
    call.record.level = params.mode or "read"
    transaction = await call.transactions.begin(
        database=params.database,
        mode=params.mode or "read",
        isolation=params.isolation or "read committed",
        limits=call.settings.transactions,
    )
    call.record.transaction = transaction.handle
    idle = round(call.transactions.idle_limit().total_seconds())
    total = round(call.settings.transactions.total.total_seconds())
    structured = {
        "session_id": transaction.handle,
        "mode": transaction.mode,
        "isolation": transaction.isolation,
        "database": transaction.database,
        "idle_limit_seconds": idle,
        "total_limit_seconds": total,
    }
    text = "\n".join(f"{key}: {value}" for key, value in structured.items())
    return Answer(text=text, structured=structured)


def _list(call: Call) -> Answer:
    """Where one person's clients share a principal, a handle is shown by its beginning only."""
    now = datetime.now(UTC)
    rows = [
        (
            found.handle if call.owner.session is not None else found.handle[:SHOWN],
            found.database,
            found.mode,
            found.isolation,
            f"{(now - found.began).total_seconds():.0f}",
            str(found.statements),
            "aborted" if found.failed else "running" if found.lock.locked() else "open",
            ", ".join(found.savepoints),
        )
        for found in call.transactions.mine()
    ]
    columns = (
        "session_id",
        "database",
        "mode",
        "isolation",
        "age_seconds",
        "statements",
        "state",
        "savepoints",
    )
    return Answer(text=Result.of(columns, rows).as_text())


def offered(level: Level, settings: Settings) -> Tool:
    """Return the tool as callers of *level* see it, with the limits of *settings*."""
    chosen = READING if level == "read" else DESCRIPTION
    tool = replace(TOOL, description=describe(chosen, settings))
    if level == "read":
        return replace(tool, choices={"mode": ("read",)}, read_only=True)
    if level == "write":
        return replace(tool, choices={"mode": ("read", "write")})
    return tool


def describe(description: str, settings: Settings) -> str:
    """Return a description with the limits of *settings* filled in."""
    limits = settings.transactions
    return description.format(
        idle=_limit(limits.idle),
        contended=_limit(limits.idle_contended),
        total=_limit(limits.total),
        most=limits.per_owner,
    )


def _limit(limit: timedelta) -> str:
    seconds = limit.total_seconds()
    return f"{seconds / 60:g} min" if seconds >= TWO_MINUTES else f"{seconds:g} s"


TOOL = Tool(
    name="pg_tx",
    title="Transactions",
    description=describe(DESCRIPTION, Settings()),
    params=TxParams,
    run=run,
    read_only=False,
    destructive=False,
)
