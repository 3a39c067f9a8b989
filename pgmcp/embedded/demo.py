"""
The demo: a private cluster with the sample shop in it.

Owns the order of making, loading, lending and stopping it; must never load the sample twice.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from pgmcp.embedded.account import choose_account
from pgmcp.embedded.cluster import Cluster
from pgmcp.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from pgmcp.embedded.binaries import Binaries

DATABASE = "shop"
OWNER = "shopkeeper"  # no superuser, so that pgmcp_ddl can act as it
UNFINISHED = "shop_unfinished"  # its name until every file is loaded
CONNECT_SECONDS = 10
LOAD_SECONDS = 300  # three seconds here; a small board on an SD card needs many
SHARED_BASE = Path("/var/lib/pgmcp-demo")


@dataclass(frozen=True, kw_only=True)
class DemoCluster:
    """
    Hold what a client needs to log in to the demo as its superuser.

    *host* is the directory of the Unix socket. *tcp_port* is the port on 127.0.0.1, for psql
    and the like, or None when the server listens on the socket only.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    tcp_port: int | None
    major: int


def choose_base(*, state_home: str | None, home: Path) -> Path:
    """
    Return where the demo keeps its data between starts.

    An ordinary user's lie in `pgmcp/demo` below *state_home* (XDG_STATE_HOME), by default
    `~/.local/state`. Root's lie in /var/lib/pgmcp-demo, because the server then runs as another
    user, who cannot enter root's home directory.

    Source: XDG Base Directory Specification: a relative XDG_STATE_HOME counts as not set.
    """
    if choose_account().is_dropped:
        return SHARED_BASE
    if state_home and Path(state_home).is_absolute():
        return Path(state_home) / "pgmcp" / "demo"
    return home / ".local" / "state" / "pgmcp" / "demo"


@asynccontextmanager
async def demo_cluster(
    base: Path,
    binaries: Binaries,
    *,
    tcp_port: int | None = None,
    durable: bool = True,
    options: Mapping[str, str] | None = None,
) -> AsyncIterator[DemoCluster]:
    """
    Run the demo's cluster in *base* for as long as the context lasts.

    The first start makes the cluster and loads the sample shop, a few seconds; a later one
    finds both, changed or not. *tcp_port* also listens on 127.0.0.1, 0 for any free port.

    Raises:
        Unavailable: the cluster or the sample cannot be made; says what to do.
    """
    cluster = Cluster(
        base=base, binaries=binaries, durable=durable, tcp_port=tcp_port, options=options
    )
    try:
        await finish(cluster.start)
        await load_once(cluster)
        yield DemoCluster(
            host=cluster.host,
            port=cluster.port,
            user=cluster.user,
            password=cluster.password,
            database=DATABASE,
            tcp_port=None if tcp_port is None else cluster.port,
            major=cluster.major,
        )
    finally:
        await finish(cluster.stop)


async def finish(step: Callable[[], None]) -> None:
    """Run the blocking *step* on a thread, and let it end even when we are cancelled."""
    running = asyncio.ensure_future(asyncio.to_thread(step))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        # A start that went on alone would leave a server behind that nobody stops.
        await asyncio.wait([running])
        raise


async def load_once(cluster: Cluster) -> None:
    """
    Make the database of the sample unless it is there.

    It gets its name last, so an interrupted load is begun anew and never doubled.

    Raises:
        Unavailable: PostgreSQL refused the sample; carries its words.
    """
    try:
        async with connected(cluster, "postgres") as connection:
            if await connection.fetchval(
                "SELECT true FROM pg_catalog.pg_database WHERE datname = $1", DATABASE
            ):
                return
            await connection.execute(f"DROP DATABASE IF EXISTS {UNFINISHED} WITH (FORCE)")
            if not await connection.fetchval(
                "SELECT true FROM pg_catalog.pg_roles WHERE rolname = $1", OWNER
            ):
                await connection.execute(f"CREATE ROLE {OWNER}")
            await connection.execute(
                f"CREATE DATABASE {UNFINISHED} TEMPLATE template0 OWNER {OWNER}"
            )
        async with connected(cluster, UNFINISHED) as connection:
            await connection.execute("SET synchronous_commit = off")
            extensions, *shop = sample_files()
            await connection.execute(extensions)
            await connection.execute(f"SET ROLE {OWNER}")
            for text in shop:
                await connection.execute(text, timeout=LOAD_SECONDS)
        async with connected(cluster, "postgres") as connection:
            await connection.execute(f"ALTER DATABASE {UNFINISHED} RENAME TO {DATABASE}")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        words = str(error) or "it took too long"
        raise Unavailable(
            f"the sample data could not be loaded: {words}. "
            f"Mend that and start again; {cluster.home.log} has the rest."
        ) from error


def sample_files() -> list[str]:
    """Return the SQL that makes the sample: extensions by a superuser, then the shop, in order."""
    folder = files("pgmcp.sql") / "demo"
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return [entry.read_text("utf-8") for entry in entries if entry.name.endswith(".sql")]


@asynccontextmanager
async def connected(cluster: Cluster, database: str) -> AsyncIterator[asyncpg.Connection]:
    """Lend a connection of the superuser to *database*."""
    connection = await asyncpg.connect(
        host=cluster.host,
        port=cluster.port,
        user=cluster.user,
        password=cluster.password,
        database=database,
        timeout=CONNECT_SECONDS,
    )
    try:
        yield connection
    finally:
        # After a cancelled load the server is still at work; stopping it ends that.
        await connection.close(timeout=CONNECT_SECONDS)
