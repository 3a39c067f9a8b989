"""
Running a plan, each step so that its failure spoils no other.

Owns the savepoints; decides nothing.
"""

from __future__ import annotations

from pgmcp.database import Lease
from pgmcp.errors import QueryFailed, StatementTimeout
from pgmcp.provision.step import Outcome, Plan, Step

SHOWN = 400  # characters of a statement that fit into a sentence
# The verifiers are no passwords, but nobody needs them in a log. Names with a dot are an
# extension's and may be set whether or not it is there.
QUIET = (
    "SET LOCAL log_statement = 'none'",
    "SET LOCAL log_min_duration_statement = -1",
    "SET LOCAL log_min_duration_sample = -1",
    "SET LOCAL log_duration = off",
    "SET LOCAL log_min_error_statement = 'panic'",
    "SET LOCAL track_activities = off",
    "SET LOCAL pg_stat_statements.track_utility = off",
    "SET LOCAL pgaudit.log = 'none'",
)


async def apply(lease: Lease, plan: Plan, *, where: str = "") -> Outcome:
    """
    Run *plan* on *lease*; *where* begins each sentence, such as "app: ".

    What PostgreSQL refuses is told with the statement that a superuser would run.
    """
    done, failed = [], []
    for step in plan.steps:
        reason = await _run(lease, step) if step.may_act else "only its owner or a superuser may"
        if reason is None:
            done.append(f"{where}{step.done}")
        else:
            failed.append(f"{where}{step.what}: {reason}. {_remedy(step)}")
    return Outcome(
        done=tuple(done),
        failed=tuple(failed),
        notes=tuple(f"{where}{note}" for note in plan.notes),
        matched=plan.matched,
    )


async def _run(lease: Lease, step: Step) -> str | None:
    """Run one step and return None, or why it could not be; alone, or behind a savepoint."""
    if lease.in_transaction:
        await lease.command("SAVEPOINT pgmcp_step")
    reason = None
    try:
        await lease.command(step.sql)
    except (QueryFailed, StatementTimeout) as error:
        reason = error.message
        if lease.in_transaction:
            await lease.command("ROLLBACK TO SAVEPOINT pgmcp_step")
    if lease.in_transaction:
        await lease.command("RELEASE SAVEPOINT pgmcp_step")
    return reason


def _remedy(step: Step) -> str:
    if len(step.shown) > SHOWN:
        return "pgmcp provision --dry-run prints the statement for a superuser"
    return f"A superuser can: {step.shown}"


async def hush(lease: Lease) -> None:
    """Keep the rest of the transaction's statements out of PostgreSQL's log and statistics."""
    for sql in QUIET:
        await lease.command(sql)
