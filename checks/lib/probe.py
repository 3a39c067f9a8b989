"""
Try what any user may do and the gateway's sandbox denies; print a JSON object of what happened.

Every value is `done`, or the name of the error. The first three have to be possible.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import socket
import sys
from collections.abc import Callable
from pathlib import Path

CLONE_NEWUSER, ADDR_NO_RANDOMIZE, PTRACE_TRACEME = 0x10000000, 0x0040000, 0
libc = ctypes.CDLL(None, use_errno=True)


def attempt(what: Callable[[], object]) -> str:
    """Return how one attempt ended."""
    try:
        what()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "done"


def connect(path: str) -> None:
    """Connect to a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as opened:
        opened.settimeout(3)
        opened.connect(path)


def system_call(name: str, *arguments: int) -> None:
    """Make a call of libc that returns -1 when it fails."""
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)


def main() -> int:
    """Try everything."""
    writable = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    own = Path("/tmp/probe")  # noqa: S108 — the unit has its own
    tried: dict[str, Callable[[], object]] = {
        "PostgreSQL": lambda: connect("/run/postgresql/.s.PGSQL.5432"),
        "state": lambda: Path("/var/lib/pgmcp/probe").write_text(""),
        "temporary file": lambda: own.write_text(""),
        "IPv4": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
        "IPv6": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close(),
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
        "the socket of tailscaled": lambda: connect("/run/pgmcp.sock"),
        "people's homes": lambda: list(Path("/home").iterdir()),
        "other processes": lambda: Path("/proc/1/cmdline").read_bytes(),
        "kernel settings": lambda: Path("/proc/sys/kernel/hostname").read_text(),
        "writable code": lambda: mmap.mmap(-1, mmap.PAGESIZE, prot=writable).close(),
        "setuid file": lambda: own.chmod(0o4755),
        "new namespace": lambda: system_call("unshare", CLONE_NEWUSER),
        "personality": lambda: system_call("personality", ADDR_NO_RANDOMIZE),
        "being traced": lambda: system_call("ptrace", PTRACE_TRACEME, 0, 0, 0),
    }
    sys.stdout.write(json.dumps({name: attempt(what) for name, what in tried.items()}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
