"""
A server process for as long as it is needed.

Owns one child process at a time: starts it, waits until its port answers, ends it by its own id.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

START_SECONDS = 20  # a cold import on a small machine
STOP_SECONDS = 10  # longer than the gateway takes to drain
PAUSE_SECONDS = 0.05  # between two looks at the port
ROOT = Path(__file__).resolve().parents[2]


class ServerFailed(Exception):
    """The process ended, or never listened; the message has what it printed last."""


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def served(module: str, *, port: int) -> Iterator[str]:
    """Run `python -m module PORT` until the block ends; give the MCP endpoint's address."""
    command = [sys.executable, "-m", module, str(port)]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            wait_until_open(process, port, command)
            yield f"http://127.0.0.1:{port}/mcp"
        except ServerFailed as error:
            log.seek(0)
            raise ServerFailed(f"{error} It printed:\n{log.read()[-2000:]}") from error
        finally:
            stop(process)


def wait_until_open(process: subprocess.Popen[bytes], port: int, command: Sequence[str]) -> None:
    """Return once *port* accepts a connection."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerFailed(f"{' '.join(command)} ended with {process.returncode}.")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(PAUSE_SECONDS)
    raise ServerFailed(f"{' '.join(command)} did not listen on {port} within {START_SECONDS} s.")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End *process* as an operator does, by force when it does not obey."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_SECONDS)
