"""
The booted machine as its root sees it: units, the journal, other people.

Runs in the tree, where nothing is worth keeping; never on a real machine.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

GATEWAY = "pgmcp.service"
TRANSIENT = Path("/run/systemd/system")
PATIENCE = 20.0  # seconds; what is waited for takes one or two
PAUSE = 0.05


def run(*command: str, person: str = "", check: bool = True) -> str:
    """Run a program, as *person* if one is named, and return what it printed on both outputs."""
    if person:
        command = ("runuser", "--user", person, "--", *command)
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stdout}"
    return done.stdout


def systemctl(*arguments: str) -> str:
    """Run systemctl."""
    return run("systemctl", *arguments)


def prop(name: str, unit: str = GATEWAY) -> str:
    """Return a property of a unit as systemd has it."""
    return run("systemctl", "show", "--property", name, "--value", unit).strip()


def main_pid(unit: str = GATEWAY) -> int:
    """Return the main process of a running unit."""
    pid = int(prop("MainPID", unit))
    assert pid, f"{unit} does not run"
    return pid


def psql(sql: str, *, person: str = "postgres", role: str = "", database: str = "postgres") -> str:
    """Return what psql prints of *sql*, errors as well."""
    options = ["-XAtq", "-h", "/run/postgresql", "-d", database, "-c", sql]
    return run("psql", *options, *(["-U", role] if role else []), person=person, check=False)


def _now() -> str:
    """Return the journal's last place."""
    said = run("journalctl", "--quiet", "--lines", "1", "--show-cursor", "--output", "cat")
    return said.splitlines()[-1].removeprefix("-- cursor: ")


@dataclass(frozen=True, kw_only=True, slots=True)
class Journal:
    """Read what was logged since this was made; *after* "" is since the boot."""

    after: str = field(default_factory=_now)

    def lines(self, *units: str, by: str = "", form: str = "cat") -> list[str]:
        """
        Return the messages of units, the gateway's if none is named, and of systemd about them.

        *by* keeps those of one program only; *form* is an output format of journalctl.
        """
        options = ["--quiet", "--no-pager", "--output", form]
        options += [f"--unit={unit}" for unit in units or (GATEWAY,)]
        options += ["--after-cursor", self.after] if self.after else ["--boot"]
        only = [f"SYSLOG_IDENTIFIER={by}"] if by else []
        run("journalctl", "--sync")
        return run("journalctl", *options, *only).splitlines()

    def has(self, text: str, unit: str = GATEWAY) -> bool:
        """Tell whether one line has *text*."""
        return any(text in line for line in self.lines(unit))


async def until(
    claim: Callable[[], bool | Awaitable[bool]], what: str, seconds: float = PATIENCE
) -> None:
    """Wait until *claim* holds; *what* names it in the failure."""
    deadline = time.monotonic() + seconds
    while True:
        held = claim()
        if await held if inspect.isawaitable(held) else held:
            return
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(PAUSE)


@contextmanager
def drop_in(text: str, unit: str = GATEWAY) -> Iterator[None]:
    """Change a unit while the block runs, as `systemctl edit --runtime` does; restarts nothing."""
    folder = TRANSIENT / f"{unit}.d"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{time.monotonic_ns()}.conf"
    file.write_text(text)
    systemctl("daemon-reload")
    try:
        yield
    finally:
        file.unlink()
        systemctl("daemon-reload")


def signal(pid: int, number: int) -> None:
    """Send a signal to a process of the tree."""
    assert pid > 1
    os.kill(pid, number)
