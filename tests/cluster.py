"""
Throwaway PostgreSQL clusters for tests, and ways to hurt them.

Owns every server it starts until it has ended; must never signal any other process.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from pgmcp.embedded.binaries import (
    find_binaries,
    is_complete,
    locate_wheel,
    search_directories,
    system_directories,
)
from pgmcp.embedded.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pgmcp.embedded.binaries import Binaries

GONE_SECONDS = 10  # orphaned backends notice a dead postmaster within a second


def installed_binaries() -> dict[int, Binaries]:
    """Return one installation per major version on this machine, the newest major first."""
    named = os.environ.get("PGMCP_PG_BIN")
    folders = [
        *([Path(named)] if named else []),
        *search_directories(os.environ.get("PATH")),
        *system_directories(Path("/")),
    ]
    found = [
        find_binaries(named=folder, search_path=None) for folder in folders if is_complete(folder)
    ]
    if locate_wheel():
        found.append(find_binaries(named=None, search_path=None, root=Path("/nonexistent")))
    first = {binaries.major: binaries for binaries in reversed(found)}
    return dict(sorted(first.items(), reverse=True))


class ThrowawayCluster:
    """Own one throwaway server: its address, its databases, its processes."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._paused: set[int] = set()
        self.major = cluster.major
        self.user = cluster.user
        self.port = cluster.port
        self.log = cluster.home.log

    @property
    def host(self) -> str:
        """Return the directory of the Unix socket; it listens on 127.0.0.1 only if asked."""
        return self._cluster.host

    @property
    def password(self) -> str:
        """Return the superuser's password."""
        return self._cluster.password

    @property
    def pid(self) -> int:
        """Return the postmaster's process id; 0 while the server is stopped."""
        return self._cluster.pid

    def environment(self, database: str = "postgres", *, tcp: bool = False) -> dict[str, str]:
        """Return libpq's variables for a connection as the superuser."""
        return {
            "PGHOST": "127.0.0.1" if tcp else self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": database,
        }

    async def connect(self, database: str = "postgres") -> asyncpg.Connection:
        """Open a connection of the superuser, for looking in from outside; the caller closes it."""
        return await asyncpg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            database=database,
            timeout=10,
        )

    async def execute(self, sql: str, *, database: str = "postgres") -> None:
        """Run *sql*, one statement or many, on a connection of its own."""
        connection = await self.connect(database)
        try:
            await connection.execute(sql, timeout=60)
        finally:
            await connection.close()

    async def create_database(self, name: str, *, template: str = "template0") -> None:
        """Create the database *name*."""
        await self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    async def drop_database(self, name: str) -> None:
        """Drop the database *name* if it is there, ending its connections."""
        await self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def children(self) -> list[int]:
        """Return the process ids of the postmaster's children: backends and helpers."""
        return sorted(pid for pid, parent in running_processes() if parent == self.pid != 0)

    def pause(self, pid: int | None = None) -> None:
        """Stop the process *pid*, the postmaster by default, in its tracks (SIGSTOP)."""
        target = self._own(pid)
        os.kill(target, signal.SIGSTOP)
        self._paused.add(target)

    def resume(self, pid: int | None = None) -> None:
        """Let a paused process go on (SIGCONT)."""
        target = self._own(pid)
        os.kill(target, signal.SIGCONT)
        self._paused.discard(target)

    @contextmanager
    def paused(self, pid: int | None = None) -> Iterator[None]:
        """Keep the process *pid*, the postmaster by default, paused for a while."""
        self.pause(pid)
        try:
            yield
        finally:
            self.resume(pid)

    def kill_backend(self, pid: int) -> None:
        """Kill one backend by force; the postmaster then restarts all others, as after a crash."""
        os.kill(self._own(pid), signal.SIGKILL)

    def kill(self) -> None:
        """Kill the postmaster by force, and return when all its processes are gone."""
        family = self.children()
        os.kill(self.pid, signal.SIGKILL)
        self._end(family)

    def stop(self) -> None:
        """Stop the server in order; connections end with an error."""
        self._end(self.children())

    def start(self) -> None:
        """Start the server again, at the same address."""
        self._cluster.start()

    def restart(self) -> None:
        """Stop the server and start it again."""
        self.stop()
        self.start()

    def _own(self, pid: int | None) -> int:
        target = self.pid if pid is None else pid
        if target == 0 or (target != self.pid and target not in self.children()):
            raise ValueError(f"process {target} is no process of this cluster")
        return target

    def _end(self, family: list[int]) -> None:
        for pid in self._paused & {self.pid, *family}:
            os.kill(pid, signal.SIGCONT)
        self._paused.clear()
        waiting = [os.pidfd_open(pid) for pid in family if Path(f"/proc/{pid}").exists()]
        self._cluster.stop()
        for handle in waiting:
            wait_gone(handle)


def wait_gone(handle: int) -> None:
    """Wait for the end of the process that *handle* (pidfd) refers to; by force when it is slow."""
    if not select.select([handle], [], [], GONE_SECONDS)[0]:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    os.close(handle)


def running_processes() -> Iterator[tuple[int, int]]:
    """Yield (process id, parent's id) of every process that can be seen."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            stated = (entry / "stat").read_text()
        except OSError:
            continue  # it ended meanwhile
        yield int(entry.name), int(stated.rpartition(")")[2].split()[1])


@contextmanager
def throwaway_cluster(
    major: int | None = None, *, tcp: bool = False, options: Mapping[str, str] | None = None
) -> Iterator[ThrowawayCluster]:
    """
    Run a cluster of *major*, the newest here by default, in a short temporary directory.

    *tcp* lets it listen on 127.0.0.1 at a free port too. Everything is gone afterwards.

    Raises:
        LookupError: no binaries of *major* are on this machine; a test skips itself.
    """
    installed = installed_binaries()
    chosen = next(iter(installed)) if major is None else major
    if chosen not in installed:
        raise LookupError(f"no PostgreSQL {chosen} on this machine; here are {sorted(installed)}")
    folder = Path(tempfile.mkdtemp(prefix="pgmcp-", dir="/tmp"))  # short, for the socket's path
    folder.chmod(0o755)  # as root the server is another user
    cluster = Cluster(
        base=folder / "c",
        binaries=installed[chosen],
        durable=False,
        tcp_port=0 if tcp else None,
        options=options,
    )
    try:
        cluster.start()
        throwaway = ThrowawayCluster(cluster)
        try:
            yield throwaway
        finally:
            throwaway.stop()
    finally:
        shutil.rmtree(folder)
