"""pgmcp provision as a program: run twice, at once, dry, refused, and leaving no trace."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import pytest

from pgmcp.errors import PgmcpError
from pgmcp.provision import Options
from pgmcp.provision.passfile import read_passwords
from pgmcp.provision.script import write_script
from tests.conftest import MAJORS
from tests.integration.provisioning import (
    LOGINS,
    OWNER,
    SNAPSHOT,
    Server,
    owned_database,
    server,
    unprovisioned,
)
from tests.integration.watching import eventually

HOSTILE = 'it\'s "odd"; DROP TABLE x\n-- \\ %s é'


@pytest.fixture(scope="module", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def started(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Run one server of each major version for the module."""
    with server(request.param) as made:
        yield made


@pytest.fixture
async def fresh(started: Server) -> AsyncIterator[Server]:
    """Return a server with one database of an ordinary owner, not provisioned yet."""
    async with unprovisioned(started):
        yield started


def run(server: Server, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program as an operator would."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return subprocess.run(
        [sys.executable, "-m", "pgmcp", "provision", *arguments],
        env={**clean, **server.environment(), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_a_second_run_has_nothing_to_do(fresh: Server) -> None:
    first = await fresh.provision()
    words = fresh.passfile.read_text()
    second = await fresh.provision()

    assert "created role pgmcp_read" in first.done
    assert "app: granted SELECT on 1 table to pgmcp_read" in first.done
    assert second.lines() == ["nothing to do"]
    assert fresh.passfile.read_text() == words


async def test_a_dry_run_changes_nothing_and_shows_no_secret(fresh: Server) -> None:
    await fresh.provision(Options(databases=("app",)))
    before = await fresh.value(SNAPSHOT, "app")
    secrets = read_passwords(fresh.passfile).values()

    lines = "\n".join(await write_script(fresh.settings(), Options()))

    assert "\\connect postgres" in lines
    assert "SCRAM" not in lines
    assert [secret for secret in secrets if secret in lines] == []
    assert await fresh.value(SNAPSHOT, "app") == before


async def test_psql_runs_what_a_dry_run_prints(fresh: Server) -> None:
    """After it a run has only the passwords left."""
    await owned_database(fresh.cluster, 'it\'s "odd" = \\')
    script = "\n".join(await write_script(fresh.settings(), Options()))

    printed, complaints = await asyncio.to_thread(fresh.psql, "-q", "-f", "-", script=script)
    outcome = await fresh.provision()

    assert (printed, complaints) == ("", "")
    assert outcome.done[:-1] == tuple(f"set a new password for pgmcp_{name}" for name in LOGINS)
    assert outcome.failed == ()


async def test_no_name_can_break_out_of_the_statements(fresh: Server) -> None:
    quoted = HOSTILE.replace('"', '""')
    await fresh.cluster.execute(f'CREATE ROLE "{quoted}"')
    await owned_database(
        fresh.cluster,
        HOSTILE.replace("\n", ""),
        f'CREATE SCHEMA "{quoted}"; CREATE TABLE "{quoted}"."{quoted}" ("{quoted}" serial)',
    )
    await fresh.cluster.execute(
        f'CREATE SCHEMA "theirs" AUTHORIZATION "{quoted}"; CREATE TABLE theirs.t ()'
        f'; ALTER TABLE theirs.t OWNER TO "{quoted}"'
    )

    first = await fresh.provision()
    second = await fresh.provision()

    assert first.failed == ()
    assert [line for line in first.done if "\n" in line] == []
    assert second.done == ()
    name = HOSTILE.replace("\n", "")
    assert await fresh.sqlstate("read", name, f'SELECT FROM "{quoted}"."{quoted}"') == ""


async def test_the_script_has_no_line_that_a_name_wrote(fresh: Server) -> None:
    await fresh.cluster.execute('CREATE ROLE "x\nDROP DATABASE app;\n--" SUPERUSER')
    await fresh.cluster.execute(
        'CREATE SCHEMA s; CREATE TABLE s.t (); ALTER TABLE s.t OWNER TO "x\nDROP DATABASE app;\n--"'
    )

    lines = await write_script(fresh.settings(), Options())

    comments = [line for line in lines if "DROP DATABASE" in line and line.startswith("--")]
    assert len(comments) > 0
    assert [line for line in comments if "\n" in line] == []


async def test_runs_at_the_same_time_take_turns(fresh: Server) -> None:
    outcomes = await asyncio.gather(
        *(fresh.provision(database=name) for name in ("app", "postgres"))
    )

    assert [outcome.failed for outcome in outcomes] == [(), ()]
    assert sorted("created role pgmcp_read" in each.done for each in outcomes) == [False, True]


async def test_a_run_that_waits_too_long_says_for_what(fresh: Server) -> None:
    holder = await fresh.cluster.connect()
    await holder.execute("SELECT pg_advisory_lock(7310868735422)")
    with pytest.raises(PgmcpError, match="another pgmcp provision is at work on this server"):
        await fresh.provision(lock_seconds=0.1)

    holder.terminate()


async def test_a_database_that_cannot_be_reached_stops_no_other(fresh: Server) -> None:
    await fresh.cluster.create_database("aa closed")
    await fresh.cluster.execute('ALTER DATABASE "aa closed" ALLOW_CONNECTIONS false')
    await fresh.cluster.create_database("ab locked")
    holder = await fresh.cluster.connect("ab locked")
    await holder.execute("SELECT pg_advisory_lock(7310868735421)")
    outcome = await fresh.provision(lock_seconds=0.1)

    assert '"aa closed": left out, as nobody can connect to it' in outcome.notes
    assert outcome.failed == ('provision "ab locked": canceling statement due to lock timeout',)
    assert outcome.status == 1
    assert await fresh.sqlstate("read", "app", "SELECT FROM item") == ""
    holder.terminate()


async def test_a_database_dropped_meanwhile_is_a_note(fresh: Server) -> None:
    await fresh.cluster.create_database("aa gone")
    holder = await fresh.cluster.connect("aa gone")
    await holder.execute("SELECT pg_advisory_lock(7310868735421)")

    running = asyncio.create_task(fresh.provision())
    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    await eventually(lambda: fresh.value(waits))
    await fresh.cluster.drop_database("aa gone")
    outcome = await running

    assert '"aa gone": dropped meanwhile' in outcome.notes
    assert outcome.failed == ()
    holder.terminate()


async def test_templates_are_left_alone_unless_named(fresh: Server) -> None:
    before = await fresh.value(SNAPSHOT, "template1")
    await fresh.provision(Options(databases=("app",)))
    untouched = await fresh.value("SELECT count(*) FROM pg_default_acl", "template1")
    await fresh.provision(Options(databases=("template1",)))

    assert before
    assert untouched == 0
    assert await fresh.value("SELECT count(*) FROM pg_default_acl", "template1") != 0


async def test_an_unknown_database_is_told_with_those_there_are(fresh: Server) -> None:
    with pytest.raises(PgmcpError, match="--database nope: there is no such database"):
        await fresh.provision(Options(databases=("nope",)))


async def test_only_a_superuser_may(fresh: Server) -> None:
    await fresh.cluster.execute("CREATE ROLE plain LOGIN PASSWORD 'x' CREATEROLE CREATEDB")

    ran = run(fresh, PGUSER="plain", PGPASSWORD="x")

    assert ran.returncode == 1
    assert ran.stderr.startswith("pgmcp: role plain is no superuser")


async def test_the_program_prints_a_line_for_each_thing(fresh: Server) -> None:
    first, second = run(fresh), run(fresh)
    dry = run(fresh, "--dry-run", "--rotate")

    assert (first.returncode, first.stderr) == (0, "")
    assert "created role pgmcp_admin\n" in first.stdout
    assert f'app: let pgmcp_ddl act as "{OWNER}"\n' in first.stdout
    assert second.stdout == "nothing to do\n"
    assert dry.stdout.startswith("-- What pgmcp provision would run now")
