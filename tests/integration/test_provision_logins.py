"""The login roles and their passwords: made, kept, replaced, and never shown."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pgmcp.errors import PgmcpError
from pgmcp.provision import Options
from pgmcp.provision.passfile import read_passwords
from tests.cluster import throwaway_cluster
from tests.conftest import MAJORS
from tests.integration.provisioning import LOGINS, SNAPSHOT, Server, server, unprovisioned


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


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        pytest.param(
            "CREATE ROLE pgmcp_ddl", "role pgmcp_ddl exists and was not made", id="somebody's"
        ),
        pytest.param(
            "CREATE ROLE pgmcp_read SUPERUSER; "
            "COMMENT ON ROLE pgmcp_read IS 'Login role of pgmcp, made by pgmcp provision: x'",
            "role pgmcp_read is a superuser",
            id="superuser",
        ),
    ],
)
async def test_a_role_that_is_not_ours_stops_everything(
    fresh: Server, sql: str, words: str
) -> None:
    await fresh.cluster.execute(sql)
    before = await fresh.value(SNAPSHOT, "app")

    with pytest.raises(PgmcpError, match=words):
        await fresh.provision()

    assert await fresh.value(SNAPSHOT, "app") == before
    assert not fresh.passfile.exists()


async def test_the_passfile_is_private_and_libpqs(fresh: Server) -> None:
    """pg_dump, and everything else that is libpq's, logs in with it."""
    await fresh.provision()

    printed = await asyncio.to_thread(
        fresh.psql,
        "-Atc",
        "SELECT session_user",
        "-U",
        "pgmcp_backup",
        "postgres",
        PGHOST=fresh.cluster.host,
        PGPORT=str(fresh.cluster.port),
        PGPASSFILE=str(fresh.passfile),
    )

    assert stat.S_IMODE(fresh.passfile.stat().st_mode) == 0o600
    assert printed == ("pgmcp_backup\n", "")
    assert [path.name for path in fresh.passfile.parent.iterdir()] == [fresh.passfile.name]


async def test_a_password_that_no_longer_works_is_replaced_and_the_others_kept(
    fresh: Server,
) -> None:
    await fresh.provision()
    before = read_passwords(fresh.passfile)
    await fresh.cluster.execute("ALTER ROLE pgmcp_read PASSWORD 'another'")

    outcome = await fresh.provision()

    after = read_passwords(fresh.passfile)
    assert outcome.done == (
        "set a new password for pgmcp_read",
        f"wrote the passwords to {fresh.passfile}",
    )
    assert {role for role, word in after.items() if before[role] != word} == {"pgmcp_read"}


async def test_rotate_gives_everybody_a_new_password(fresh: Server) -> None:
    await fresh.provision()
    before = read_passwords(fresh.passfile)

    outcome = await fresh.provision(Options(rotate=True))

    after = read_passwords(fresh.passfile)
    assert len(outcome.done) == len(LOGINS) + 1
    assert set(before.values()) & set(after.values()) == set()
    assert outcome.failed == ()


async def test_a_passfile_that_cannot_be_written_stops_before_anything(fresh: Server) -> None:
    fresh.state.joinpath("file").write_text("")
    before = await fresh.value(SNAPSHOT, "app")

    with pytest.raises(PgmcpError, match=r"the passfile .* cannot be used: File exists"):
        await fresh.provision(passfile=fresh.state / "file" / "x.pgpass")

    assert await fresh.value(SNAPSHOT, "app") == before


@pytest.mark.parametrize("major", MAJORS)
async def test_neither_passwords_nor_verifiers_reach_the_log_or_the_statistics(
    major: int, tmp_path: Path
) -> None:
    loud = {"log_statement": "all", "log_min_duration_statement": "0"}
    with throwaway_cluster(major, options=loud) as cluster:
        loud_server = Server(cluster=cluster, state=tmp_path)
        await cluster.execute("CREATE EXTENSION pg_stat_statements")
        await loud_server.provision()
        log = cluster.log.read_text()
        kept = await loud_server.value("SELECT string_agg(query, ' ') FROM pg_stat_statements")
        secrets = read_passwords(loud_server.passfile).values()

    assert "CREATE ROLE pgmcp_read" in log
    assert [secret for secret in secrets if secret in log] == []
    assert re.findall(r"SCRAM-SHA-256\$", log + str(kept)) == []


async def test_superuser_admin_is_asked_for_and_never_taken_back_silently(fresh: Server) -> None:
    await fresh.provision(Options(superuser_admin=True))
    made = await fresh.value("SELECT rolsuper FROM pg_roles WHERE rolname = 'pgmcp_admin'")

    with pytest.raises(PgmcpError, match="NOSUPERUSER; or repeat with --superuser-admin"):
        await fresh.provision()

    assert made is True


async def test_what_an_operator_set_is_kept_but_reading_stays_reading(fresh: Server) -> None:
    await fresh.provision()
    await fresh.cluster.execute(
        "ALTER ROLE pgmcp_read SET temp_file_limit = '8GB'; ALTER ROLE pgmcp_admin NOLOGIN; "
        "ALTER ROLE pgmcp_read SET default_transaction_read_only = off; "
        "ALTER ROLE pgmcp_write BYPASSRLS"
    )

    outcome = await fresh.provision()

    assert outcome.done == (
        "set default_transaction_read_only for pgmcp_read",
        "set pgmcp_write NOBYPASSRLS",
    )
    assert "pgmcp_admin may not log in (NOLOGIN)" in outcome.notes[0]
    assert "log in as pgmcp_admin" in outcome.failed[0]
    settings = await fresh.value("SELECT rolconfig FROM pg_roles WHERE rolname = 'pgmcp_read'")
    assert isinstance(settings, list)
    assert "temp_file_limit=8GB" in settings
