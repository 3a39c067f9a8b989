"""
What a run found, as tables for people and as JSON for programs, with the targets beside it.

Measures nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from bench.cases import CASES, CONNECTIONS
from bench.measure import Sample
from bench.run import CEILING, LEGACY, MODERN, RAW, TARGETS, Findings

EXTRA_CPU = {MODERN: 0.9, LEGACY: 1.3}  # ms of server CPU per point query beyond raw asyncpg's
MANY_TIMES = 2.5  # times raw asyncpg's fetch that 10,000 rows may take
IDLE_MB = 90
READY_SECONDS = 1.5
HEAD = (
    f"{'':<14}{'target':<12}{'c':>3}{'calls/s':>10}{'p50 ms':>9}{'p99 ms':>9}"
    f"{'CPU ms':>9}{'min':>8}"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """Hold the medians over the rounds of one cell, and the least CPU; times in ms."""

    target: str
    case: str
    connections: int
    rate: float
    p50: float
    p99: float
    cpu: float
    cpu_min: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Set one figure beside the target for it."""

    what: str
    found: float
    target: float
    unit: str

    @property
    def is_met(self) -> bool:
        """Tell whether the target is reached."""
        return self.found <= self.target


def figures(findings: Findings) -> list[Figure]:
    """Return every cell's figures, in the order of the cases."""
    cells = [(target, case.name, n) for case in CASES for n in CONNECTIONS for target in TARGETS]
    cells += [(CEILING, "point", n) for n in CONNECTIONS]
    return [_figure(*cell, findings.samples[cell]) for cell in cells]


def _figure(target: str, case: str, connections: int, samples: Sequence[Sample]) -> Figure:
    return Figure(
        target=target,
        case=case,
        connections=connections,
        rate=median(sample.rate for sample in samples),
        p50=median(sample.p50 for sample in samples),
        p99=median(sample.p99 for sample in samples),
        cpu=median(sample.cpu for sample in samples),
        cpu_min=min(sample.cpu for sample in samples),
    )


def verdicts(findings: Findings, found: Iterable[Figure]) -> list[Verdict]:
    """
    Compare with the targets.

    CPU is compared by the least of the rounds: neighbours on a shared machine only ever add to
    it, by way of caches and hyper-threads.
    """
    by = {(figure.target, figure.case, figure.connections): figure for figure in found}
    made = [
        Verdict(
            what=f"point query beyond asyncpg, {era}, c={n}, least CPU",
            found=by[era, "point", n].cpu_min - by[RAW, "point", n].cpu_min,
            target=limit,
            unit="ms",
        )
        for era, limit in EXTRA_CPU.items()
        for n in CONNECTIONS
    ]
    made += [
        Verdict(
            what=f"10,000 rows, {era}, c=1, median time",
            found=by[era, "many", 1].p50 / by[RAW, "many", 1].p50,
            target=MANY_TIMES,
            unit="x asyncpg",
        )
        for era in EXTRA_CPU
    ]
    idle = median(start.memory.rss for start in findings.starts)
    ready = median(start.call for start in findings.starts)
    made.append(Verdict(what="idle memory (RSS)", found=idle, target=IDLE_MB, unit="MB"))
    made.append(
        Verdict(what="start to first tools/call", found=ready, target=READY_SECONDS, unit="s")
    )
    return made


def as_text(findings: Findings) -> str:
    """Return the report for people."""
    found = figures(findings)
    rounds = len(findings.samples[RAW, "point", 1])
    lines = [
        f"PostgreSQL {findings.major}; medians of {rounds} rounds; CPU of the gateway's process,",
        "for asyncpg of the client's; ceiling: the load generator against a server without work",
        "",
        HEAD,
        *map(_line, found),
        "",
        *_start_and_memory(findings),
        "",
        *map(_verdict_line, verdicts(findings, found)),
    ]
    return "\n".join(lines)


def _line(figure: Figure) -> str:
    title = next(case.title for case in CASES if case.name == figure.case)
    return (
        f"{title:<14}{figure.target:<12}{figure.connections:>3}"
        f"{figure.rate:>10.0f}{figure.p50:>9.2f}{figure.p99:>9.2f}"
        f"{figure.cpu:>9.3f}{figure.cpu_min:>8.3f}"
    )


def _start_and_memory(findings: Findings) -> list[str]:
    starts = findings.starts
    live = median(start.live for start in starts)
    call = median(start.call for start in starts)
    rss = median(start.memory.rss for start in starts)
    pss = median(start.memory.pss for start in starts)
    return [
        f"start to /live {live:.2f} s, to the first tools/call {call:.2f} s",
        f"memory idle: RSS {rss:.1f} MB, PSS {pss:.1f} MB",
        *(
            f"memory {when}: RSS {held.rss:.1f} MB, PSS {held.pss:.1f} MB"
            for when, held in findings.memory.items()
        ),
    ]


def _verdict_line(verdict: Verdict) -> str:
    return (
        f"{'ok  ' if verdict.is_met else 'miss'}  {verdict.what:<54}{verdict.found:>8.2f} "
        f"{verdict.unit} (target at most {verdict.target:g})"
    )


def as_json(findings: Findings) -> dict[str, object]:
    """Return everything, the single samples included."""
    found = figures(findings)
    return {
        "postgresql": findings.major,
        "figures": [asdict(figure) for figure in found],
        "samples": [
            {"target": target, "case": case, "connections": connections, **asdict(sample)}
            for (target, case, connections), samples in findings.samples.items()
            for sample in samples
        ],
        "starts": [asdict(start) for start in findings.starts],
        "memory": {when: asdict(held) for when, held in findings.memory.items()},
        "targets": [
            {**asdict(verdict), "met": verdict.is_met} for verdict in verdicts(findings, found)
        ],
    }
