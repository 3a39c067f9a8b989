"""
What a dry run saw, as facts and as text.

Owns the meaning of lock modes and the words of the report; runs nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pgmcp.database.quote import identifier
from pgmcp.errors import PgmcpError, QueryFailed
from pgmcp.grammar import Target
from pgmcp.tools.schema.page import Facts, item, one_line, section, size_text, without_nothing
from pgmcp.tools.schema.pieces import title_of

if TYPE_CHECKING:
    from pgmcp.tools.schema.trial import Trial

# Weakest first. Source: PostgreSQL manual, "Explicit Locking", table of conflicting modes.
BLOCKS = {
    "RowShareLock": "blocks other DDL only",
    "RowExclusiveLock": "blocks other DDL only",
    "ShareUpdateExclusiveLock": "blocks other DDL, VACUUM and ANALYZE",
    "ShareLock": "blocks writing",
    "ShareRowExclusiveLock": "blocks writing",
    "ExclusiveLock": "blocks writing",
    "AccessExclusiveLock": "blocks reading and writing",
}
STRENGTH = {mode: strength for strength, mode in enumerate(BLOCKS)}
CASCADE = re.compile(r"^(?:NOTICE: |DETAIL: )?drop cascades to (?!\d+ other object)(?P<what>.+)$")
DEPENDANT = re.compile(r"^(?P<what>.+) depends on .+$")
PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
BUILT_IN = re.compile(r'^"pg_catalog"\."(?P<name>[a-z0-9_]+)"')
# PostgreSQL lists a hundred and sums up the rest.
REST = re.compile(r"^(?P<what>and \d+ other objects? \(see server log for list\))$")


def report_of(trial: Trial) -> Facts:
    """Return the report as an object; what is not in it did not happen."""
    facts: Facts = {"outcome": _outcome(trial), "rolled_back": True}
    if trial.skipped:
        facts["reason"] = trial.skipped
    facts["statements"] = [
        {"command": tag, "milliseconds": round(milliseconds, 1)}
        for _, tag, milliseconds in trial.done
    ]
    if trial.error is not None:
        facts["error"] = {"statement": len(trial.done) + 1} | _error(trial)
        facts["dependants"] = _dependants(trial.error)
    facts["locks"] = _locks(trial)
    facts["rewritten"] = _rewritten(trial)
    facts["dropped"] = _dropped(trial) + _named(trial)
    facts["cascade_takes"] = cascaded(trial.notices)
    facts["notices"] = [notice for notice in trial.notices if "drop cascades to" not in notice]
    facts["findings"] = [
        {
            "rule": finding.rule,
            "object": finding.object,
            "why": finding.why,
            "instead": finding.instead,
        }
        for finding in trial.findings
    ]
    return without_nothing(facts)


def _outcome(trial: Trial) -> str:
    if trial.skipped:
        return "not run"
    return "would fail" if trial.error is not None else "would succeed"


def _error(trial: Trial) -> Facts:
    error, piece = trial.error, trial.failed
    if error is None or piece is None:
        return {}
    facts: Facts = {"command": title_of(piece), "message": error.message, "hint": error.hint}
    if isinstance(error, QueryFailed):
        report = error.report
        facts |= {"sqlstate": report.sqlstate, "detail": report.detail}
        facts["hint"] = " ".join(hint for hint in (report.hint, error.hint) if hint) or None
    return without_nothing(facts)


def _dependants(error: PgmcpError) -> list[str]:
    """Return what PostgreSQL's detail lists when DROP without CASCADE fails."""
    if not isinstance(error, QueryFailed) or error.report.sqlstate != "2BP01":
        return []
    lines = (error.report.detail or "").split("\n")
    return [match["what"] for line in lines if (match := DEPENDANT.match(line) or REST.match(line))]


def cascaded(notices: list[str]) -> list[str]:
    """Return what PostgreSQL's notices say that CASCADE took along."""
    lines = [line for notice in notices for line in notice.split("\n")]
    return [match["what"] for line in lines if (match := CASCADE.match(line) or REST.match(line))]


def _locks(trial: Trial) -> list[Facts]:
    """Return the strongest lock on each relation that others can see, the strongest first."""
    names = {row["oid"]: row for row in _independent(trial.before)}
    strongest: dict[str, str] = {}
    for row in trial.locks:
        oid, mode = str(row["oid"]), str(row["mode"])
        if oid in names and STRENGTH[mode] >= STRENGTH.get(strongest.get(oid, ""), -1):
            strongest[oid] = mode
    ordered = sorted(
        strongest.items(), key=lambda lock: (-STRENGTH[lock[1]], names[lock[0]]["shown"])
    )
    return [
        {
            "relation": names[oid]["shown"],
            "kind": names[oid]["kind"],
            "mode": mode,
            "effect": BLOCKS[mode],
        }
        for oid, mode in ordered
    ]


def _independent(rows: list[Facts]) -> list[Facts]:
    """Leave out indexes and sequences whose table is there as well: they share its fate."""
    known = {row["oid"] for row in rows}
    return [row for row in rows if row.get("part_of") not in known]


def _rewritten(trial: Trial) -> list[Facts]:
    """Return what got a new file, and indexes that were replaced by one of the same name."""
    after = {str(row["oid"]): row for row in trial.locks}
    known = {row["oid"] for row in trial.before}
    new_names = {row.get("shown") for oid, row in after.items() if oid not in known}
    rewritten = []
    for row in trial.before:
        now = after[row["oid"]]
        replaced = "filenode" not in now and row["shown"] in new_names
        changed = row["filenode"] != "0" and now.get("filenode", row["filenode"]) != row["filenode"]
        if replaced or changed:
            rewritten.append(_measured(row))
    return rewritten


def _dropped(trial: Trial) -> list[Facts]:
    after = {str(row["oid"]): row for row in trial.locks}
    known = {row["oid"] for row in trial.before}
    new_names = {row.get("shown") for oid, row in after.items() if oid not in known}
    gone = [
        row
        for row in trial.before
        if "filenode" not in after[row["oid"]] and row["shown"] not in new_names
    ]
    return [_measured(row) for row in _independent(gone)]


def _named(trial: Trial) -> list[Facts]:
    """Return what DROP names and no lock on a relation tells of, as the statements write it."""
    return [
        {"object": _written(target), "kind": target.verb.split(" ")[1].lower()}
        for statement, _, _ in trial.done
        for target in statement.targets
        if target.catalog in ("function", "type", "schema") and not _is_missing(trial, target)
    ]


def _is_missing(trial: Trial, target: Target) -> bool:
    """Tell what IF EXISTS has passed over: PostgreSQL's notice names it."""
    skipped = [note for note in trial.notices if note.endswith(" does not exist, skipping")]
    name = target.names[-1]
    return target.missing_ok and any(name in note for note in skipped)


def _written(target: Target) -> str:
    name = ".".join(one if PLAIN.fullmatch(one) else identifier(one) for one in target.names)
    if target.arguments is None:
        return name
    types = [BUILT_IN.sub(r"\g<name>", argument) for argument in target.arguments]
    return f"{name}({', '.join(types)})"


def _measured(row: Facts) -> Facts:
    return without_nothing(
        {
            "relation": row["shown"],
            "kind": row["kind"],
            "bytes": row.get("bytes"),
            "rows": row.get("rows"),
        }
    )


def lines_of(facts: Facts) -> list[str]:
    """Return the text of a report, without the receipt."""
    done = facts.get("statements", [])
    head = f"dry run: {facts['outcome']}; rolled back, nothing was changed"
    if "reason" in facts:
        head = f"dry run: not run, because {facts['reason']}."
    lines = [one_line(head)]
    ran = [f"  {entry['command']}, {entry['milliseconds']} ms" for entry in done]
    lines += section("ran", [one_line(line) for line in ran])
    lines += _error_lines(facts)
    lines += section("needed by", [f"  {one_line(what)}" for what in facts.get("dependants", [])])
    locks = []
    for entry in facts.get("locks", []):
        locks += item(f"{entry['kind']} {entry['relation']}", f"{entry['mode']}: {entry['effect']}")
    lines += section("locks, held until commit", locks)
    lines += section("rewritten", _measured_lines(facts.get("rewritten", [])))
    lines += section("dropped", _measured_lines(facts.get("dropped", [])))
    taken = [f"  {one_line(what)}" for what in facts.get("cascade_takes", [])]
    lines += section("CASCADE takes along", taken)
    lines += section("notices", [f"  {one_line(notice)}" for notice in facts.get("notices", [])])
    findings = []
    for entry in facts.get("findings", []):
        findings.append(f"  {entry['rule']} {one_line(entry['object'])}: {one_line(entry['why'])}")
        findings.append(f"    instead: {one_line(entry['instead'])}")
    return lines + section("findings", findings)


def _error_lines(facts: Facts) -> list[str]:
    if "error" not in facts:
        return []
    error = facts["error"]
    code = f" {error['sqlstate']}" if "sqlstate" in error else ""
    lines = [
        f"fails at statement {error['statement']}, {error['command']}",
        f"  error{code}: {one_line(error['message'])}",
    ]
    if "detail" in error and "dependants" not in facts:
        lines.append(f"  detail: {one_line(error['detail'])}")
    if "hint" in error:
        lines.append(f"  hint: {one_line(error['hint'])}")
    return lines


def _measured_lines(entries: list[Facts]) -> list[str]:
    lines = []
    for entry in entries:
        size = size_text(entry["bytes"]) if "bytes" in entry else ""
        rows = f"about {entry['rows']} rows" if "rows" in entry else ""
        about = ", ".join(part for part in (size, rows) if part)
        lines += item(f"{entry['kind']} {entry.get('relation', entry.get('object'))}", about)
    return lines
