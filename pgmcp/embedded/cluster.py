"""
A private PostgreSQL cluster and the server process that runs it.

Owns one data directory and one postmaster; must never attach to a server it did not start.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pgmcp.embedded.account import choose_account
from pgmcp.embedded.binaries import Binaries, copy_wheel
from pgmcp.embedded.home import Home, check, fits, make_base
from pgmcp.embedded.initdb import SUPERUSER, create
from pgmcp.embedded.postmaster import end, launch
from pgmcp.errors import Unavailable

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping


OPTIONS: Mapping[str, str] = {
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_wal_size": "512MB",
    "track_io_timing": "on",
    "dynamic_shared_memory_type": "mmap",  # /dev/shm is too small in many containers
    "log_line_prefix": "%m [%p] ",
}
# A throwaway cluster need not survive a power failure.
THROWAWAY: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class Cluster:
    """
    Run a private cluster in *base*, made by the first start and found again by the next.

    As root the server runs as `postgres`, else `nobody`, and *base* must be reachable for
    that account. The server listens on a Unix socket only; *tcp_port* adds 127.0.0.1, 0 for
    any free port. *options* are server parameters that override ours. Not thread-safe.
    """

    def __init__(
        self,
        *,
        base: Path,
        binaries: Binaries,
        durable: bool = True,
        tcp_port: int | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.home = Home(base=base.absolute(), major=binaries.major)
        self.account = choose_account()
        self.user = SUPERUSER
        self.password = ""
        self.host = ""
        self.port = 5432 if tcp_port is None else tcp_port or free_port()
        self._binaries = binaries
        self._durable = durable
        self._listens = tcp_port is not None
        self._options = dict(options or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._short_socket: Path | None = None

    @property
    def major(self) -> int:
        """Return the server's major version."""
        return self.home.major

    @property
    def pid(self) -> int:
        """Return the postmaster's process id; 0 while no server runs."""
        return self._process.pid if self._process else 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """
        Make the cluster unless it is there, start its server, and wait until it answers.

        Blocks for about a second the first time, and for a twentieth of one after that.

        Raises:
            Unavailable: the directory or the programs are not usable; says what to do.
        """
        make_base(self.home.base, for_others=self.account.is_dropped)
        self._take_lock()
        try:
            check(self.home)
            self._require_reach()
            if not self.home.is_created():
                create(self.home, self._binaries, self.account, durable=self._durable)
            self.password = self.home.password.read_text()
            self._make_socket_directory()
            self._process = launch(
                self._binaries.bin / "postgres",
                self.home.data,
                options=self._parameters(),
                account=self.account,
                log=self.home.log,
            )
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server, rolling back what is open, and let go of the directory."""
        process, self._process = self._process, None
        if process is not None:
            end(process)
        if self._short_socket is not None:
            shutil.rmtree(self._short_socket, ignore_errors=True)
            self._short_socket = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_lock(self) -> None:
        """Hold the directory against a second start; the kernel frees it when we die."""
        self._lock = os.open(self.home.base / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.stop()
            raise Unavailable(
                f"another pgmcp runs the cluster in {self.home.base}. "
                "Stop it first (Ctrl-C where it runs), or choose another directory."
            ) from error

    def _require_reach(self) -> None:
        """Make sure that the server's account can reach the directory and run the programs."""
        base, account = self.home.base, self.account
        if not account.can_enter(base):
            raise Unavailable(
                f"{base} cannot be reached by user {account.name}, as which PostgreSQL runs for "
                "root. Choose a directory below one that every user may enter, such as /var/lib."
            )
        if account.can_enter(self._binaries.bin / "postgres"):
            return
        if self._binaries.wheel is None:
            raise Unavailable(
                f"{self._binaries.bin} cannot be reached by user {account.name}, as which "
                "PostgreSQL runs for root. Run as an ordinary user, or set PGMCP_PG_BIN to another."
            )
        self._binaries = copy_wheel(self._binaries, base / f"programs-{self._binaries.version}")

    def _make_socket_directory(self) -> None:
        directory = self.home.socket
        if fits(directory):
            directory.mkdir(mode=0o700, exist_ok=True)
        else:
            directory = self._short_socket = Path(tempfile.mkdtemp(prefix="pgmcp-", dir="/tmp"))
        self.account.give(directory)
        self.host = str(directory)

    def _parameters(self) -> dict[str, str]:
        """Return the server's parameters, the caller's over ours, the address over both."""
        parameters = {**OPTIONS, **({} if self._durable else THROWAWAY)}
        if self._binaries.has_library("pg_stat_statements"):
            parameters["shared_preload_libraries"] = "pg_stat_statements"
        return {
            **parameters,
            **self._options,
            "listen_addresses": "127.0.0.1" if self._listens else "",
            "port": str(self.port),
            "unix_socket_directories": self.host,
        }


def free_port() -> int:
    """Return a TCP port that was free on 127.0.0.1 a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
