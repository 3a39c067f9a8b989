"""
The worker processes, from outside: started, ordered about, ended.

Owns the processes until they have ended.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bench.measure import Sample

ANSWER_LIMIT = 10.0  # seconds a worker gets to end once its input is closed


class Worker:
    """Give orders to one load generator."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def order(self, message: Mapping[str, object]) -> dict[str, Any]:  # Any: JSON
        """
        Send one order and wait for its answer.

        Raises:
            RuntimeError: the worker failed; its own words went to standard error.
        """
        assert self._process.stdin is not None  # noqa: S101 — opened as a pipe below
        assert self._process.stdout is not None  # noqa: S101 — the same
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a load generator ended during {json.dumps(message)}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def sample(self, case: str, connections: int, seconds: float) -> Sample:
        """Measure one case."""
        return Sample(**self.order({"case": case, "connections": connections, "seconds": seconds}))


@contextmanager
def start_worker(target: Mapping[str, object]) -> Iterator[Worker]:
    """Start a load generator for *target* in a process of its own; end it afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        worker = Worker(process)
        worker.order(target)
        yield worker
    finally:
        assert process.stdin is not None  # noqa: S101 — opened as a pipe above
        process.stdin.close()
        try:
            process.wait(ANSWER_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(ANSWER_LIMIT)
        if process.stdout is not None:
            process.stdout.close()
