"""
pg_schema create, alter and drop: the pieces of the DDL run one by one in one transaction.

Owns the limits that DDL gets and the words of its errors; the dry run has a module of its own.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pgmcp.database import Bounds, Lease
from pgmcp.errors import CallerError, ConfirmationNeeded, PgmcpError
from pgmcp.kinds import Level
from pgmcp.results import Result
from pgmcp.settings import Limits
from pgmcp.statement import Statement
from pgmcp.tools.base import Answer, Call, answer
from pgmcp.tools.confirm import require
from pgmcp.tools.gaps import add_gap
from pgmcp.tools.nearest import add_nearest
from pgmcp.tools.reach import refuse_whole_server
from pgmcp.tools.schema.concurrently import require_alone, run_concurrently
from pgmcp.tools.schema.dry_run import dry_run
from pgmcp.tools.schema.failing import explain, whole_limit
from pgmcp.tools.schema.lint.nodes import commands
from pgmcp.tools.schema.page import one_line
from pgmcp.tools.schema.pieces import SHOWN, Action, check_pieces, level_of, spelled_names, title_of

if TYPE_CHECKING:
    from pgmcp.tools.schema.params import SchemaParams

# DDL that waits for a lock makes everybody who comes after it wait behind it: PostgreSQL's lock
# queue is in order. So it gives up soon, and the caller tries again.
LOCK_LIMIT = timedelta(seconds=3)


async def change(call: Call, params: SchemaParams, action: Action) -> Answer:
    """
    Run, or try, the DDL of the call.

    Raises:
        CallerError: a piece belongs elsewhere; nothing was done.
        ConfirmationNeeded: a piece destroys something; nothing was done.
        QueryFailed: PostgreSQL refused a piece; the hint says which, the fate what is left.
    """
    pieces = await call.parser.parse(params.sql or "")
    call.record.statements, call.record.names = pieces, spelled_names(pieces)
    check_pieces(pieces, action)
    require_level(call, params, pieces)
    try:
        if any(piece.concurrently for piece in pieces):
            require_alone(pieces, dry_run=bool(params.dry_run), session_id=params.session_id)
            result = await run_concurrently(call, params, pieces[0])
        elif params.dry_run:
            return await dry_run(call, params, pieces, lock_limit=lock_limit(call))
        else:
            result = await _run(call, params, pieces)
    except PgmcpError as error:
        await add_nearest(call, params.database, error)
        login = call.transactions.mode_of(params.session_id) or level_of(pieces)
        await add_gap(call, params.database, error, login=login, statement=pieces[0])
        raise
    return answer(result, params.format)


def lock_limit(call: Call) -> timedelta:
    """Return how long DDL waits for one lock."""
    return min(LOCK_LIMIT, call.settings.limits.lock_timeout)


def time_limit(pieces: Sequence[Statement], limits: Limits) -> timedelta:
    """Return how long a statement may take: longer where all of them let others read and write."""
    return limits.timeout_ceiling if all(map(_is_gentle, pieces)) else limits.timeout


def _is_gentle(piece: Statement) -> bool:
    if piece.kind == "RefreshMatViewStmt":
        return bool(piece.node.get("concurrent"))
    if piece.kind == "AlterTableStmt":
        return {subtype for subtype, _ in commands(piece)} == {"AT_ValidateConstraint"}
    return piece.kind == "CreateTableAsStmt"


async def _run(call: Call, params: SchemaParams, pieces: Sequence[Statement]) -> Result:
    limits = call.settings.limits
    timeout = time_limit(pieces, limits)
    whole = whole_limit(pieces, timeout, limits)
    started = time.perf_counter()
    try:
        async with _changing(call, params, whole, level_of(pieces)) as lease:
            await require(call, lease, confirmable(pieces), params.confirm)
            await lease.limit_time(timeout, lock_limit(call))
            rows, notices = await _run_pieces(lease, pieces, limits, timeout)
            # SET LOCAL would last beyond this call in a transaction across calls.
            await lease.limit_time(whole, limits.lock_timeout)
    except ConfirmationNeeded:
        raise
    except PgmcpError as error:
        if params.session_id is None and error.fate is None:
            error.fate = "rolled back; nothing of this call was kept."
        raise
    made = Result.of(
        ("statement", "command", "sql"),
        rows,
        max_bytes=limits.max_bytes,
        milliseconds=(time.perf_counter() - started) * 1000,
        remarks=("open until commit",) if params.session_id else ("committed",),
    )
    return replace(made, notices=tuple(notices))


@asynccontextmanager
async def _changing(
    call: Call, params: SchemaParams, timeout: timedelta, level: Level
) -> AsyncIterator[Lease]:
    """Lend a connection in a transaction: the caller's, or one that commits at the end."""
    if params.session_id is None:
        async with call.databases.write(params.database, timeout=timeout, level=level) as lease:
            yield lease
        return
    async with call.transactions.borrow(
        params.session_id, level=level, database=params.database, timeout=timeout
    ) as lease:
        yield lease


def require_level(call: Call, params: SchemaParams, pieces: Sequence[Statement]) -> None:
    """Refuse what is above the caller's level there, and what no transaction's mode allows."""
    level = level_of(pieces)
    for piece in pieces:
        refuse_whole_server(call, piece)
    if level != "admin":
        return  # the least that an action needs was looked at before
    highest = next(piece for piece in pieces if piece.level == "admin")
    what = f"{title_of(highest)} ({highest.why.rstrip('.')})"
    database = call.transactions.database_of(params.session_id) or params.database
    call.databases.require("admin", database, what)
    if params.session_id is not None:
        raise CallerError(
            f"{what} needs level admin, which is above every transaction's mode. Leave session_id "
            "out: the call is a transaction of its own."
        )


async def _run_pieces(
    lease: Lease, pieces: Sequence[Statement], limits: Limits, timeout: timedelta
) -> tuple[list[tuple[str, str, str]], list[str]]:
    rows, notices = [], []
    for number, piece in enumerate(pieces, start=1):
        try:
            done = await lease.run(piece, bounds=Bounds.of(limits))
        except PgmcpError as error:
            explain(error, piece, number, len(pieces), timeout)
            raise
        rows.append((str(number), done.tag, shown(piece)))
        label = f"statement {number}: " if len(pieces) > 1 else ""
        notices += [f"{label}{notice}" for notice in done.notices]
    return rows, notices


def confirmable(pieces: Sequence[Statement]) -> Statement:
    """
    Return one Statement whose targets are those of all pieces.

    UPDATE or DELETE without WHERE counts where it runs, not inside a function that is created.
    """
    targets = [
        target
        for piece in pieces
        for target in piece.targets
        if not target.verb.startswith(("UPDATE ", "DELETE ")) and target.verb != "TRUNCATE"
    ]
    return replace(pieces[0], targets=tuple(targets))


def shown(piece: Statement) -> str:
    """Return the beginning of a piece on one line."""
    text = " ".join(piece.sql.split())
    return one_line(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")
