"""pgmcp provision as a program: run twice, at once, dry, refused, and leaving no trace."""

from __future__ import annotations

import asyncio
import getpass
import os
import re
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pgmcp.errors import PgmcpError
from pgmcp.provision import Options
from pgmcp.provision.passfile import read_passwords
from pgmcp.provision.script import write_script
from tests.cluster import throwaway_cluster
from tests.conftest import MAJORS
from tests.integration.provisioning import LOGINS, OWNER, Server, owned_database, server
from tests.integration.watching import eventually

SNAPSHOT = """
SELECT md5(string_agg(x, '|' ORDER BY x)) FROM (
  SELECT r::text FROM pg_authid AS r UNION ALL SELECT r::text FROM pg_auth_members AS r
  UNION ALL SELECT r::text FROM pg_db_role_setting AS r UNION ALL SELECT relacl::text FROM pg_class
  UNION ALL SELECT r::text FROM pg_default_acl AS r UNION ALL SELECT nspacl::text FROM pg_namespace
  UNION ALL SELECT datacl::text FROM pg_database UNION ALL SELECT proacl::text FROM pg_proc
  UNION ALL SELECT r::text FROM pg_parameter_acl AS r) AS s(x)
"""
HOSTILE = 'it\'s "odd"; DROP TABLE x\n-- \\ %s é'


@pytest.fixture(scope="module", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def started(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Run one server of each major version for the module."""
    with server(request.param) as made:
        yield made


@pytest.fixture
async def fresh(started: Server) -> AsyncIterator[Server]:
    """Return a server with one database of an ordinary owner, not provisioned yet."""
    await owned_database(started.cluster, "app", "CREATE TABLE item (id serial)")
    yield started
    await started.clean()


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
    assert sorted(len(outcome.done) > 0 for outcome in outcomes) == [False, True]


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


async def test_peer_takes_the_passwords_away_and_prints_the_lines(fresh: Server) -> None:
    await fresh.provision()

    outcome = await fresh.provision(Options(peer="pgmcp-service"))
    again = await fresh.provision(Options(peer="pgmcp-service"))

    assert not fresh.passfile.exists()
    assert outcome.done[0] == "removed the password of pgmcp_read"
    assert again.done == ()
    assert "peer map=pgmcp" in outcome.notes[0]
    assert "pgmcp pgmcp-service pgmcp_read; " in outcome.notes[1]
    assert outcome.notes[2].startswith("the logins were not tried: peer authentication lets only")
    assert (
        await fresh.value(
            "SELECT count(*) FROM pg_authid WHERE rolname LIKE 'pgmcp%' AND rolpassword IS NOT NULL"
        )
        == 0
    )


async def test_the_lines_for_peer_are_those_that_let_in(fresh: Server) -> None:
    user = getpass.getuser()
    notes = (await fresh.provision(Options(peer=f"not {user}"))).notes
    hba = Path(str(await fresh.value("SHOW hba_file")))
    ident = Path(str(await fresh.value("SHOW ident_file")))
    before = hba.read_text(), ident.read_text()
    hba.write_text(notes[0].partition(": ")[2] + "\n" + before[0])
    lines = notes[1].partition(": ")[2].replace(f"not {user}", user)
    ident.write_text(lines.replace("; ", "\n") + "\n")
    await fresh.value("SELECT pg_reload_conf()")

    outcome = await fresh.provision(Options(peer=user))

    hba.write_text(before[0])
    ident.write_text(before[1])
    await fresh.value("SELECT pg_reload_conf()")
    assert outcome.failed == ()
    assert not [note for note in outcome.notes if "not tried" in note]


async def test_a_login_that_pg_hba_refuses_is_told_with_the_line(fresh: Server) -> None:
    hba = Path(str(await fresh.value("SHOW hba_file")))
    before = hba.read_text()
    hba.write_text("local all pgmcp_write,pgmcp_ddl reject\n" + before)
    await fresh.value("SELECT pg_reload_conf()")

    outcome = await fresh.provision()

    hba.write_text(before)
    await fresh.value("SELECT pg_reload_conf()")

    assert [line.partition(":")[0] for line in outcome.failed] == [
        "log in as pgmcp_write",
        "log in as pgmcp_ddl",
    ]
    assert "pg_hba.conf rejects connection" in outcome.failed[0]
    assert "local all pgmcp_read,pgmcp_write" in outcome.notes[-1]
    assert outcome.status == 1


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
