"""
A real `pgmcp serve`, started as a user would, in a process of its own.

Owns the process until it has ended; must never signal any other.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_LIMIT = 20.0  # seconds; a loaded machine, far above the ordinary second
STOP_LIMIT = 15.0
COMMAND_LIMIT = 60.0  # seconds
LISTENING = re.compile(r"listening on (\S+)")


@dataclass(frozen=True, kw_only=True)
class GatewayProcess:
    """Hold a running gateway; *url* is its MCP endpoint, or unix:PATH."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def root(self) -> str:
        """Return the URL without its path."""
        return self.url.removesuffix("/mcp")

    def stop(self) -> int:
        """End the gateway by SIGTERM and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_LIMIT)


@contextmanager
def start_gateway(
    environment: Mapping[str, str],
    arguments: Sequence[str] = (),
    *,
    launcher: Sequence[str] = (),
    pass_fds: Sequence[int] = (),
) -> Iterator[GatewayProcess]:
    """Run `pgmcp serve` with *environment* on a free port; end it afterwards."""
    with tempfile.TemporaryDirectory(prefix="pgmcp-") as directory:
        log = Path(directory) / "log"
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [*launcher, sys.executable, "-m", "pgmcp", "serve", *arguments],
                env={**clean, "PORT": "0", **environment},
                stdout=stream,
                stderr=stream,
                pass_fds=pass_fds,
            )
        try:
            yield GatewayProcess(process=process, url=_await_listening(process, log), log=log)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(STOP_LIMIT)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(STOP_LIMIT)


def _await_listening(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        text = log.read_text()
        if (match := LISTENING.search(text)) is not None:
            return match.group(1)
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise RuntimeError(f"the gateway did not start: {log.read_text()[-2000:]}")


def run_command(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run one `pgmcp` command to its end, without this process's own way to PostgreSQL."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return subprocess.run(
        [sys.executable, "-m", "pgmcp", *arguments],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=COMMAND_LIMIT,
        check=False,
    )
