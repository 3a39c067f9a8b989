"""
What a destructive statement needs before it runs: its human's yes, or the names it would change.

Owns the comparison, the seal and the refusal; carries nothing out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from pgmcp.database import Lease
from pgmcp.errors import ConfirmationNeeded
from pgmcp.results import json_text
from pgmcp.statement import Statement
from pgmcp.tools.base import Call, Confirmation
from pgmcp.tools.consequences import listed, locks_of, readable, rows_of
from pgmcp.tools.doomed import Doomed, doomed_by

NAMED = 10  # of what goes along, and of what is named itself
MORE = "; pg_schema dry_run=true shows all"
OPEN = "undo: it is inside an open transaction; rollback takes it back until commit"
FINAL = "undo: none, it commits at once"


async def require(call: Call, lease: Lease, statement: Statement, confirm: str | None) -> None:
    """
    Refuse a destructive *statement* that nobody has agreed to.

    Where the client can ask, its human has agreed to exactly this: the same names, objects and
    cascades. Elsewhere *confirm* has the names, schema-qualified as PostgreSQL resolves them now,
    comma-separated, in statement order, each once. What does not exist is left to PostgreSQL's
    own error.

    Raises:
        ConfirmationNeeded: nothing was done; the text has the value to repeat.
    """
    doomed = await doomed_by(lease, statement)
    if not doomed:
        return
    wanted = ",".join(dict.fromkeys(one.name for one in doomed))
    seal = seal_of(lease.database, [(one.verb, one.name, one.oid, *one.along) for one in doomed])
    if _is_confirmed(call.confirmation, wanted, confirm, seal):
        return
    rows = await rows_of(lease, [one.locks[0] for one in doomed if one.locks])
    locks = await locks_of(lease, [subject for one in doomed for subject in one.locks])
    drops = any(target.along == "dropped" for target in statement.targets)
    raise _refusal(
        wanted,
        confirm,
        list(dict.fromkeys(_told(one, rows) for one in doomed)),
        facts=[*locks, OPEN if lease.is_kept else FINAL],
        database=lease.database,
        seal=seal,
        more=MORE if drops else "",
    )


def _told(one: Doomed, rows: Mapping[str, str]) -> str:
    """Return one line: what happens to what, its rows, and what goes along."""
    size = f", {rows[one.oid]}" if one.oid in rows else ""
    along = f", {one.taking} {listed(one.along, NAMED)}" if one.along else ""
    return f"{one.verb}: {readable(one.name)}{size}{readable(along)}"


def require_value(  # noqa: PLR0913 — what a question is made of
    call: Call,
    wanted: str,
    confirm: str | None,
    what: str,
    *,
    database: str,
    sealed: Sequence[object],
    more: str = "",
) -> None:
    """
    Refuse unless the human has agreed, or *confirm* equals *wanted* where nobody can be asked.

    *what* says in a few words what would happen, *more* what else one repeats. *sealed* are those
    of its facts that, when they change, make it something else than what was agreed to.
    """
    seal = seal_of(database, [wanted, *sealed])
    if not _is_confirmed(call.confirmation, wanted, confirm, seal):
        raise _refusal(
            wanted, confirm, [readable(what)], facts=[], database=database, seal=seal, more=more
        )


def seal_of(database: str, sealed: Sequence[object]) -> str:
    """Return what stands for a consequence: SHA-256 of its facts."""
    return hashlib.sha256(json_text([database, *sealed]).encode()).hexdigest()


def _is_confirmed(confirmation: Confirmation, wanted: str, confirm: str | None, seal: str) -> bool:
    if confirmation.asks:
        return confirmation.agreed == seal
    given = ",".join(part.strip() for part in (confirm or "").split(","))
    # A quoted name may itself hold a comma and a space.
    return not {wanted, readable(wanted)}.isdisjoint({given, confirm})


def _refusal(  # noqa: PLR0913 — what a question is made of
    wanted: str,
    confirm: str | None,
    would: Sequence[str],
    *,
    facts: Sequence[str],
    database: str,
    seal: str,
    more: str,
) -> ConfirmationNeeded:
    mismatch = f' confirm="{confirm}" does not match.' if confirm else ""
    rest = [f"and {len(would) - NAMED} more"] if len(would) > NAMED else []
    told = [*would[:NAMED], *rest]
    return ConfirmationNeeded(
        f"not confirmed, nothing was done. It would {'; '.join(told)}.{mismatch}",
        hint=f'to go ahead, repeat the call with confirm="{readable(wanted)}"{more}',
        would=told,
        facts=facts,
        database=database,
        seal=seal,
    )
