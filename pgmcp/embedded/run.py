"""
`pgmcp demo`: the sample cluster, the gateway on it, and what to type next.

Owns the order of starting and stopping both; prints for a person.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pgmcp.connect import UNPUBLISHED, connect_lines
from pgmcp.embedded.binaries import find_binaries
from pgmcp.embedded.demo import DemoCluster, choose_base, demo_cluster
from pgmcp.listeners import Listener
from pgmcp.provision import Options, provision
from pgmcp.provision.passfile import read_passwords
from pgmcp.serve import serve
from pgmcp.settings import Settings

PASSFILE = "logins.pgpass"  # beside the cluster


async def run_demo(
    settings: Settings,
    listeners: Sequence[Listener],
    *,
    environ: Mapping[str, str],
    directory: Path | None,
) -> None:
    """
    Serve the sample shop on *listeners* until SIGINT or SIGTERM; the data stay.

    Raises:
        PgmcpError: the cluster cannot be made or started; says what to do.
    """
    base = directory or choose_base(state_home=environ.get("XDG_STATE_HOME"), home=Path.home())
    named = environ.get("PGMCP_PG_BIN")
    binaries = find_binaries(named=Path(named) if named else None, search_path=environ.get("PATH"))
    # A cancellation is SIGTERM or Ctrl-C before the server handles them itself.
    with suppress(asyncio.CancelledError), _ending_by_cancel():
        print(f"Starting PostgreSQL {binaries.major} in {base} …", flush=True)  # noqa: T201
        async with demo_cluster(base, binaries) as cluster:
            roles = await _with_roles(_on(settings, cluster), base / PASSFILE)
            _explain(cluster, listeners[0], settings.http.endpoint)
            await serve(roles, listeners)
            print("Stopping PostgreSQL …", flush=True)  # noqa: T201
    print("Stopped.", flush=True)  # noqa: T201


@contextmanager
def _ending_by_cancel() -> Iterator[None]:
    """Let SIGTERM end the block in order while no server handles it: cancel it once."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    before = signal.signal(
        signal.SIGTERM, lambda *_: task and loop.call_soon_threadsafe(task.cancel)
    )
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _on(settings: Settings, cluster: DemoCluster) -> Settings:
    """Point *settings* at the demo's cluster, whatever the environment says."""
    server = settings.server.model_copy(
        update={
            "host": cluster.host,
            "port": str(cluster.port),
            "user": cluster.user,
            "password": cluster.password,
            "database": cluster.database,
            "passfile": None,
            "roles": "auto",
            "passwords": {},
            "roles_passfile": None,
            "sslmode": "disable",
        }
    )
    return settings.model_copy(update={"server": server})


async def _with_roles(settings: Settings, passfile: Path) -> Settings:
    """Make the login roles as `pgmcp provision` does, and return settings that use them."""
    outcome = await provision(settings, passfile, Options())
    for line in outcome.failed:
        print(f"could not {line}", flush=True)  # noqa: T201
    found = {"passwords": read_passwords(passfile), "roles_passfile": passfile}
    server = settings.server.model_copy(update=found)
    return settings.model_copy(update={"server": server})


def _explain(cluster: DemoCluster, listener: Listener, published: str | None) -> None:
    """Print what to type; a Unix socket is reached only as what it was published as."""
    url = listener.url if listener.url.startswith("http") else published
    lines = [
        "",
        f"pgmcp answers at {url or listener.url}",
        f'Database "{cluster.database}": a small web shop, yours to change. Ctrl-C stops both.',
        "",
        "Connect a client:",
        *(f"  {line}" for line in (connect_lines(url) if url else UNPUBLISHED)),
        "",
    ]
    print("\n".join(lines), flush=True)  # noqa: T201
