"""
The server process of a private cluster.

Owns how one is started, awaited and ended; must never signal a process it did not start.
"""

from __future__ import annotations

import signal
import subprocess
import time
from typing import TYPE_CHECKING

from pgmcp.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pgmcp.embedded.account import Account

START_SECONDS = 60  # longer only when a crash left much to recover
POLL_SECONDS = 0.005
STOP_SECONDS = 10
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
READY_LINE = 7  # of postmaster.pid, counted from 0: PostgreSQL, src/include/utils/pidfile.h


def launch(
    program: Path, data: Path, *, options: Mapping[str, str], account: Account, log: Path
) -> subprocess.Popen[bytes]:
    """
    Start the server *program* on *data* and return its process once it accepts connections.

    Raises:
        Unavailable: it ended or was not ready in time; carries its last words from *log*.
    """
    settings = [text for name, value in options.items() for text in ("-c", f"{name}={value}")]
    log.touch(mode=0o600)  # statements that failed stand in it
    with log.open("ab") as file:
        said_before = file.tell()
        process: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]  # noqa: S603 - run_as fits
            [program, "-D", data, *settings],
            env=ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # Ctrl-C is for us, who then stop it in order
            **account.run_as(),
        )
    try:
        wait_ready(process, data / "postmaster.pid", log=log, said_before=said_before)
    except BaseException:
        end(process)
        raise
    return process


def wait_ready(
    process: subprocess.Popen[bytes], pid_file: Path, *, log: Path, said_before: int
) -> None:
    """
    Return when the server says in *pid_file* that it accepts connections.

    Raises:
        Unavailable: it ended first, or START_SECONDS passed.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if has_ended(process, POLL_SECONDS):
            with log.open("rb") as file:
                file.seek(said_before)
                said = last_line(file.read().decode(errors="replace"), "FATAL:")
            raise Unavailable(
                f"PostgreSQL did not start: {said or f'exit status {process.returncode}'}. "
                f"Mend that and start again; {log} has the rest."
            )
        if is_ready(pid_file, process.pid):
            return
    raise Unavailable(
        f"PostgreSQL was not ready after {START_SECONDS} seconds. "
        f"Read in {log} what it did, and start again."
    )


def is_ready(pid_file: Path, pid: int) -> bool:
    """Tell whether the server *pid* accepts connections, by its own status line."""
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > READY_LINE and lines[0] == str(pid) and lines[READY_LINE].strip() == "ready"


def has_ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait at most *seconds* for the end of *process* and tell whether it came."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def end(process: subprocess.Popen[bytes]) -> None:
    """
    End the postmaster that we started: fast, then at once, then by force.

    Source: PostgreSQL manual, "Shutting Down the Server".
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)  # a stopped process cannot obey
        if has_ended(process, STOP_SECONDS):
            return


def last_line(text: str, marker: str = "") -> str:
    """Return the last line of *text* that holds *marker*, from the marker on."""
    lines = [line for line in text.splitlines() if line.strip() and marker in line]
    return lines[-1][lines[-1].index(marker) :].strip() if lines else ""
