"""
Try what a sandbox should refuse, and print what came of each attempt as JSON.

Runs by itself, inside the gateway's sandbox and outside of it; imports nothing of the repository.
What could do harm outside has arguments that the kernel refuses (EFAULT, EINVAL) if it is allowed.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import socket
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
PROCESSOR = os.uname().machine
# Their numbers on x86_64 and aarch64.
NUMBERS = {
    "mount": (165, 40),
    "reboot": (169, 142),
    "init_module": (175, 105),
    "swapon": (167, 224),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "ptrace": (101, 117),
    "kexec_load": (246, 104),
}
CLONE_NEWUSER, PER_LINUX32, PTRACE_PEEKDATA = 0x10000000, 8, 2


def call(name: str, *arguments: int) -> None:
    """Call the kernel by number, with a null pointer wherever one is wanted."""
    number = NUMBERS[name][PROCESSOR == "aarch64"]
    if LIBC.syscall(number, *arguments, *[0] * (6 - len(arguments))) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def checked(result: int) -> None:
    """Raise what a function of libc has set errno to."""
    if result < 0:
        raise OSError(ctypes.get_errno(), "")


def write(path: str) -> None:
    """Make a file and remove it again."""
    file = Path(path)
    file.touch()
    file.unlink()


def make_folder(path: str) -> None:
    """Make a folder and remove it again."""
    folder = Path(path)
    folder.mkdir()
    folder.rmdir()


def open_to_write(path: str) -> None:
    """Open what is there for writing, and write nothing."""
    os.close(os.open(path, os.O_WRONLY))


def listed(path: str) -> None:
    """List a folder."""
    list(Path(path).iterdir())


def read(path: str) -> None:
    """Read a file's beginning."""
    with Path(path).open("rb") as file:
        file.read(1)


def make_setuid() -> None:
    """Give a file of one's own the bit by which it runs as its owner."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).chmod(0o700 | stat.S_ISUID)


def map_code() -> None:
    """Map memory that is both written and run."""
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def others() -> str:
    """Tell whether processes of others are seen."""
    found = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    return "some" if [pid for pid in found if pid != os.getpid()] else "none"


def fork_and(act: Callable[[], object]) -> None:
    """Act in a child, whose state may change."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
        except OSError as error:
            os._exit(error.errno or 1)
        os._exit(0)
    if code := os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        raise OSError(code, "")


def real_time() -> None:
    """Take precedence over every ordinary process."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def attempts() -> dict[str, Callable[[], str | None]]:
    """Return what is tried, by name."""
    return {
        "write /etc": lambda: write("/etc/probe"),
        "write /var": lambda: write("/var/lib/probe"),
        "write /run": lambda: write("/run/probe"),
        "write /run/lock": lambda: write("/run/lock/probe"),
        "write shared memory": lambda: write("/dev/shm/probe"),  # noqa: S108
        "write the store": lambda: write("/nix/store/probe"),
        "write its state": lambda: write("/var/lib/pgmcp/probe"),
        "list /home": lambda: listed("/home"),
        "list /root": lambda: listed("/root"),
        "read password hashes": lambda: read("/etc/shadow"),
        "read the database's files": lambda: listed("/var/lib/postgresql/17/main"),
        "set a kernel tunable": lambda: open_to_write("/proc/sys/kernel/printk"),
        "read kernel messages": lambda: open_to_write("/proc/kmsg"),
        "make a control group": lambda: make_folder("/sys/fs/cgroup/probe"),
        "see other processes": others,
        "signal PID 1": lambda: os.kill(1, 0),
        "open IPv4": lambda: socket.socket(socket.AF_INET).close(),
        "open IPv6": lambda: socket.socket(socket.AF_INET6).close(),
        "open netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
        "open a Unix socket": lambda: socket.socket(socket.AF_UNIX).close(),
        "its network": lambda: str(Path("/proc/self/ns/net").readlink()),
        "make a namespace": lambda: fork_and(lambda: checked(LIBC.unshare(CLONE_NEWUSER))),
        "become root": lambda: fork_and(lambda: os.setuid(0)),
        "change the host's name": lambda: socket.sethostname(socket.gethostname()),
        "take real time": lambda: fork_and(real_time),
        "change its personality": lambda: fork_and(lambda: checked(LIBC.personality(PER_LINUX32))),
        "run written memory": map_code,
        "make a setuid file": make_setuid,
        "mount": lambda: call("mount"),
        "reboot": lambda: call("reboot"),
        "load a kernel module": lambda: call("init_module"),
        "load another kernel": lambda: call("kexec_load", 0, 99),
        "swap": lambda: call("swapon"),
        "load a BPF program": lambda: call("bpf", 5),
        "measure the processor": lambda: call("perf_event_open"),
        "trace a process": lambda: call("ptrace", PTRACE_PEEKDATA, 1),
    }


def outcome(act: Callable[[], str | None]) -> str:
    """Return what came of it: a result, ok, or the kernel's word."""
    try:
        result = act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return result or "ok"


if __name__ == "__main__":
    print(json.dumps({name: outcome(act) for name, act in attempts().items()}))  # noqa: T201
