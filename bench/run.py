"""
The run: set-up, interleaved rounds, memory along the way.

Owns every process of the run; says nothing about the figures.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.canned import start_canned
from bench.cases import CASES, CONNECTIONS, SETTINGS, SETTLE, TABLE
from bench.drive import Worker, start_worker
from bench.measure import Sample
from bench.proc import Memory, memory
from bench.start import Start, address, time_start
from tests.cluster import ThrowawayCluster, throwaway_cluster
from tests.process import GatewayProcess, start_gateway

DATABASE = "bench"
SERVER_OPTIONS = {"max_connections": "100", "shared_buffers": "256MB"}  # the table stays in memory
RAW, MODERN, LEGACY, CEILING = "asyncpg", "2026-07-28", "2025-11-25", "ceiling"
TARGETS = (RAW, MODERN, LEGACY)

Cell = tuple[str, str, int]  # target, case, connections


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Say how long: *rounds* rounds of *seconds* for each cell, *starts* starts."""

    rounds: int
    seconds: float
    starts: int


@dataclass(kw_only=True, slots=True)
class Bench:
    """Hold one gateway and the load generators of what is compared with it, by target."""

    gateway: GatewayProcess
    workers: dict[str, Worker] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class Findings:
    """Collect what a run measured."""

    major: int
    samples: dict[Cell, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    starts: list[Start] = field(default_factory=list)
    memory: dict[str, Memory] = field(default_factory=dict)


def run(plan: Plan) -> Findings:
    """Measure everything; raises where something failed to run."""
    with ExitStack() as stack:
        cluster = stack.enter_context(throwaway_cluster(options=SERVER_OPTIONS))
        asyncio.run(_fill(cluster))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pgmcp-bench-")))
        config = folder / "bench.toml"
        config.write_text(SETTINGS, encoding="utf-8")
        environment = cluster.environment(DATABASE)
        findings = Findings(major=cluster.major)
        for number in range(plan.starts):
            _progress(f"start {number + 1} of {plan.starts}")
            findings.starts.append(time_start(environment))
        usual = Bench(gateway=stack.enter_context(start_gateway(environment)))
        wide = Bench(
            gateway=stack.enter_context(start_gateway(environment, ("--config", str(config))))
        )
        _start_workers(stack, cluster, usual, wide)
        for number in range(plan.rounds):
            _progress(f"round {number + 1} of {plan.rounds}")
            _round(number, plan.seconds, findings, usual, wide)
        _progress("")
        return findings


async def _fill(cluster: ThrowawayCluster) -> None:
    _progress("a table of 1,000,000 rows")
    await cluster.create_database(DATABASE)
    for sql in (TABLE, *SETTLE):
        await cluster.execute(sql, database=DATABASE)


def _start_workers(stack: ExitStack, cluster: ThrowawayCluster, usual: Bench, wide: Bench) -> None:
    connect = {
        "host": cluster.host,
        "port": cluster.port,
        "user": cluster.user,
        "password": cluster.password,
        "database": DATABASE,
    }
    raw = stack.enter_context(start_worker({"connect": connect}))
    port, pid = stack.enter_context(start_canned())
    canned = {"host": "127.0.0.1", "port": port, "era": MODERN, "pid": pid}
    usual.workers[CEILING] = stack.enter_context(start_worker(canned))
    for bench in (usual, wide):
        bench.workers[RAW] = raw
        host, port = address(bench.gateway)
        for era in (MODERN, LEGACY):
            target = {"host": host, "port": port, "era": era, "pid": bench.gateway.process.pid}
            bench.workers[era] = stack.enter_context(start_worker(target))


def _round(number: int, seconds: float, findings: Findings, usual: Bench, wide: Bench) -> None:
    """Measure every cell once; targets stand side by side in time, in an order that turns."""
    turn = number % len(TARGETS)
    for case in CASES:
        bench = wide if case.name == "many" else usual
        for connections in CONNECTIONS:
            order = [*TARGETS[turn:], *TARGETS[:turn]]
            if case.name == "point":
                order.append(CEILING)
            for target in order:
                sample = bench.workers[target].sample(case.name, connections, seconds)
                findings.samples[target, case.name, connections].append(sample)
        findings.memory[f"after {case.title}"] = memory(bench.gateway.process.pid)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)
