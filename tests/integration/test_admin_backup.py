"""pg_admin's backup: whole files or none, with a pg_dump that is there and new enough."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster, installed_binaries
from tests.integration.administering import calling, one, refusal, report, role, session
from tests.witness import eventually

ODD = "admin dump=x 'ö'"
MADE = """
CREATE SCHEMA "Odd ""S"" 1";
CREATE SCHEMA other;
CREATE TABLE "Odd ""S"" 1"."T.*" (id int);
INSERT INTO "Odd ""S"" 1"."T.*" VALUES (1), (2);
CREATE TABLE other."TX" (id int);
CREATE TABLE other.parts (id int) PARTITION BY RANGE (id);
CREATE TABLE other.parts_1 PARTITION OF other.parts FOR VALUES FROM (1) TO (10);
INSERT INTO other.parts VALUES (5);
"""


@pytest.fixture(scope="module")
async def odd(cluster: ThrowawayCluster) -> AsyncIterator[str]:
    """Make a database with a name that libpq could take for something else."""
    await cluster.drop_database(ODD)
    await cluster.create_database(ODD)
    await cluster.execute(MADE, database=ODD)
    yield ODD
    await cluster.drop_database(ODD)


def binaries(major: int) -> Path:
    """Return where the programs of *major* are."""
    return installed_binaries()[major].bin


@asynccontextmanager
async def backing_up(
    cluster: ThrowawayCluster, directory: Path, user: str | None = None, **more: Any
) -> AsyncIterator[Call]:
    """Run a gateway that may back up into *directory* with the server's own pg_dump."""
    backup = {
        "directory": directory,
        "pg_dump": str(binaries(cluster.major) / "pg_dump"),
        **more,
    }
    async with calling(cluster, "postgres", user, backup=backup) as call:
        yield call


def contents(cluster: ThrowawayCluster, file: Path) -> str:
    """Return what pg_restore finds in a dump, as SQL."""
    program = binaries(cluster.major) / "pg_restore"
    shown = subprocess.run([program, "-f", "-", file], capture_output=True, check=True, timeout=30)
    return shown.stdout.decode()


async def test_a_database_is_dumped_and_can_be_restored(
    cluster: ThrowawayCluster, odd: str, tmp_path: Path
) -> None:
    async with backing_up(cluster, tmp_path) as call:
        answer = await report(call, "backup", database=odd)

    (file,) = tmp_path.iterdir()
    name, size, _seconds, restore = answer["rows"][0]
    assert (file.name, file.stat().st_size) == (name, int(size))
    assert file.name.startswith("admin_dump_x_")
    assert file.suffix == ".dump"
    assert file.stat().st_mode & 0o777 == 0o600
    assert restore == f"createdb NEW_DATABASE && pg_restore --dbname=NEW_DATABASE {file}"
    assert 'COPY "Odd ""S"" 1"."T.*" (id) FROM stdin;\n1\n2\n' in contents(cluster, file)


@pytest.mark.parametrize(
    ("arguments", "inside", "outside"),  # of the database ODD
    [
        pytest.param({"database": ODD, "schema": 'Odd "S" 1'}, '"T.*"', "other", id="schema"),
        pytest.param(
            {"database": ODD, "schema": 'Odd "S" 1', "table": "T.*"}, '"T.*"', '"TX"', id="table"
        ),
        pytest.param(
            {"database": ODD, "table": "other.parts"},
            "COPY other.parts_1 (id) FROM stdin;\n5",
            '"TX"',
            id="parts",
        ),
    ],
)
@pytest.mark.usefixtures("odd")
async def test_one_schema_or_table_is_dumped_alone(
    cluster: ThrowawayCluster, tmp_path: Path, arguments: dict[str, str], inside: str, outside: str
) -> None:
    async with backing_up(cluster, tmp_path) as call:
        await one(call, "backup", **arguments)

    (file,) = tmp_path.iterdir()
    text = contents(cluster, file)
    assert inside in text
    assert outside not in text


async def test_without_a_directory_the_setting_is_named(call: Call) -> None:
    text = await refusal(call, "backup")

    assert "no backup directory is set, so nothing was dumped" in text
    assert "PGMCP_BACKUP_DIRECTORY" in text


async def test_no_path_is_taken_from_a_caller(
    cluster: ThrowawayCluster, odd: str, tmp_path: Path
) -> None:
    async with backing_up(cluster, tmp_path) as call:
        value = await refusal(call, "backup", database=odd, value="/srv/x")
        name = await refusal(call, "backup", database=odd, name="../x")

    assert "does not take value" in value
    assert "does not take name" in name


async def test_a_missing_pg_dump_says_what_to_install(
    cluster: ThrowawayCluster, odd: str, tmp_path: Path
) -> None:
    async with backing_up(cluster, tmp_path, pg_dump="pg_dump_absent") as call:
        text = await refusal(call, "backup", database=odd)

    assert 'the program "pg_dump_absent" was not found' in text
    assert f"postgresql-client-{cluster.major}" in text
    assert "backup.pg_dump" in text
    assert list(tmp_path.iterdir()) == []


async def test_a_program_that_is_no_pg_dump_says_so(
    cluster: ThrowawayCluster, odd: str, tmp_path: Path
) -> None:
    async with backing_up(cluster, tmp_path, pg_dump=shutil.which("ls")) as call:
        text = await refusal(call, "backup", database=odd)

    assert '--version" does not answer like pg_dump' in text


async def test_an_older_pg_dump_says_so(
    cluster: ThrowawayCluster, odd: str, tmp_path: Path
) -> None:
    oldest = min(installed_binaries())
    if oldest >= cluster.major:
        pytest.skip(f"no pg_dump older than {cluster.major} is on this machine")
    program = str(binaries(oldest) / "pg_dump")
    async with backing_up(cluster, tmp_path, pg_dump=program) as call:
        text = await refusal(call, "backup", database=odd)

    assert f"pg_dump {oldest} ({program}) is older than the server" in text
    assert f"PostgreSQL {cluster.major}, and refuses to dump it" in text


async def test_a_newer_pg_dump_serves(cluster: ThrowawayCluster, odd: str, tmp_path: Path) -> None:
    newest = max(installed_binaries())
    program = str(binaries(newest) / "pg_dump")
    async with backing_up(cluster, tmp_path, pg_dump=program) as call:
        answer = await one(call, "backup", database=odd)

    assert int(answer["bytes"]) > 0


async def test_pg_dumps_own_words_are_passed_on_and_nothing_is_kept(
    cluster: ThrowawayCluster, odd: str, tmp_path: Path
) -> None:
    async with (
        role(cluster, "admin_plain"),
        backing_up(cluster, tmp_path, "admin_plain") as call,
    ):
        text = await refusal(call, "backup", database=odd)

    assert (
        "pg_dump failed (exit 1), nothing was kept. It says: pg_dump: error: query failed" in text
    )
    assert "permission denied" in text
    assert list(tmp_path.iterdir()) == []


async def test_a_table_that_is_not_there_is_named(
    cluster: ThrowawayCluster, odd: str, tmp_path: Path
) -> None:
    async with backing_up(cluster, tmp_path) as call:
        table = await refusal(call, "backup", database=odd, table="other.partz")
        schema = await refusal(call, "backup", database=odd, schema="othr")

    assert 'table "other.partz" does not exist in database' in table
    assert 'schema "othr" does not exist in database' in schema


async def test_the_limit_ends_pg_dump_and_keeps_nothing(
    cluster: ThrowawayCluster, odd: str, tmp_path: Path
) -> None:
    """pg_dump waits for a locked table, longer than it may."""
    async with session(cluster, odd) as other:
        await other.execute('BEGIN; LOCK TABLE other."TX" IN ACCESS EXCLUSIVE MODE')
        async with backing_up(cluster, tmp_path, timeout=timedelta(seconds=1)) as call:
            text = await refusal(call, "backup", database=odd)
        await other.execute("ROLLBACK")

    assert "pg_dump was ended after 1 s, the limit of one dump; nothing was kept" in text
    assert list(tmp_path.iterdir()) == []


async def test_a_cancelled_backup_ends_pg_dump_and_keeps_nothing(
    cluster: ThrowawayCluster, odd: str, tmp_path: Path
) -> None:
    """Progress is told while it waits; then the caller gives up."""
    told: asyncio.Queue[str] = asyncio.Queue()

    async def progress(_done: float, _total: float | None, message: str) -> None:
        await told.put(message)

    async with (
        session(cluster, odd) as other,
        session(cluster, odd) as looking,
        backing_up(cluster, tmp_path) as call,
    ):
        await other.execute('BEGIN; LOCK TABLE other."TX" IN ACCESS EXCLUSIVE MODE')
        running = asyncio.create_task(one(replace(call, progress=progress), "backup", database=odd))
        message = await asyncio.wait_for(told.get(), 10)
        (partial,) = tmp_path.iterdir()

        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

        left = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LOCK TABLE%'"
        await eventually(lambda: looking.fetchval(left), lambda count: count == 0)
        await other.execute("ROLLBACK")
    assert message == "0.0 MB written"
    assert partial.name.endswith(".dump.partial")
    assert running.cancelled()
    assert list(tmp_path.iterdir()) == []


async def test_no_secret_is_in_the_arguments_of_pg_dump(
    cluster: ThrowawayCluster, odd: str, tmp_path: Path
) -> None:
    """A program in its place shows what it was given."""
    shown = tmp_path / "shown"
    fake = tmp_path / "pg_dump"
    fake.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = --version ]; then echo "pg_dump (PostgreSQL) 99.1"; exit; fi\n'
        f'echo "$@" > {shown}; echo "given: $PGPASSWORD" >> {shown}; echo dumped\n'
    )
    fake.chmod(0o755)
    async with backing_up(cluster, tmp_path, pg_dump=str(fake)) as call:
        await one(call, "backup", database=odd)

    arguments, given = shown.read_text().splitlines()
    assert cluster.password not in arguments
    assert given == f"given: {cluster.password}"
