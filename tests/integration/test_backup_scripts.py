"""The nightly backup and its way back, as the scripts do it: whole or refused, never rows twice."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import ThrowawayCluster, installed_binaries, throwaway_cluster
from tests.snapshots import ROOT

BACKUP, RESTORE = ROOT / "nixos/backup.sh", ROOT / "nixos/example/restore.sh"
MAJORS = sorted(installed_binaries())
NAMES = ("shop", "postgres", "template1", "pattern", ".hidden", "a = 'b' -c")
ROLE = 'odd $do$ "role"'
# systemctl and runuser belong to the host: here there is neither its systemd nor its postgres.
STANDS_IN = {
    "systemctl": """\
#!/bin/sh
echo "$*" >>"$HOST_LOG"
case $* in
    show*) echo "$HOST_UNIT" ;;
    "stop pgmcp-provision.service") [ -z "$HOST_SIGNAL" ] || kill -s "$HOST_SIGNAL" $PPID ;;
esac
""",
    "runuser": '#!/bin/sh\nshift 3\nexec "$@"\n',
    "sync": '#!/bin/sh\n[ -z "$HOST_SIGNAL" ] || kill -s "$HOST_SIGNAL" $PPID\n',
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """Own a folder with backups and with what stands in for the host's programs."""

    server: ThrowawayCluster
    folder: Path

    @property
    def location(self) -> Path:
        """Return where the backups are."""
        return self.folder / "backups"

    def run(self, *command: object, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program with libpq's variables of the server, both outputs in one."""
        programs = installed_binaries()[self.server.major].bin
        environment = {
            **self.server.environment(),
            "PATH": f"{self.folder / 'bin'}:{programs}:{os.environ['PATH']}",
            "PGMCP_BACKUP_LOCATION": str(self.location),
            "PGMCP_BACKUP_KEEP": "2",
            "HOST_LOG": str(self.folder / "systemctl"),
            "HOST_UNIT": "",
            "HOST_SIGNAL": "",
            **more,
        }
        return subprocess.run(
            [str(word) for word in command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )

    def psql(self, sql: str, database: str = "postgres") -> str:
        """Return what psql answers."""
        done = self.run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, PGDATABASE=database)
        assert done.returncode == 0, done.stdout
        return done.stdout.strip()

    def backup(self, shell: str = "sh") -> Path:
        """Return a new backup."""
        done = self.run(shell, BACKUP)
        assert done.returncode == 0, done.stdout
        return max(self.location.glob("20*"))

    def systemctl(self) -> list[str]:
        """Return what the scripts said to systemctl."""
        return (self.folder / "systemctl").read_text().splitlines()

    def rows(self, name: str) -> str:
        """Return the rows of the table that each database has."""
        return self.psql("SELECT string_agg(name, ',') FROM kept", name)


@pytest.fixture(scope="module", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def server(request: pytest.FixtureRequest) -> Iterator[ThrowawayCluster]:
    """Run a cluster of its own: its `postgres` and `template1` are replaced."""
    with throwaway_cluster(request.param, options={"max_prepared_transactions": "5"}) as started:
        yield started


@pytest.fixture(scope="module")
def filled(server: ThrowawayCluster, tmp_path_factory: pytest.TempPathFactory) -> Host:
    """Make one table in databases of every kind, and a role with a difficult name."""
    folder = tmp_path_factory.mktemp("host")
    (folder / "bin").mkdir()
    host = Host(server=server, folder=folder)
    host.psql('CREATE ROLE "{}"'.format(ROLE.replace('"', '""')))
    for name in sorted({*NAMES} - {"postgres", "template1"}):
        host.psql(f'CREATE DATABASE "{name}" TEMPLATE template0')
    for name in NAMES:
        host.psql("CREATE TABLE kept AS SELECT 'anvil' AS name", name)
    host.psql("ALTER DATABASE pattern IS_TEMPLATE true")
    return host


@pytest.fixture
def host(filled: Host, tmp_path: Path) -> Host:
    """Return a folder of its own for one test."""
    made = Host(server=filled.server, folder=tmp_path)
    made.location.mkdir()
    (tmp_path / "bin").mkdir()
    for name, text in STANDS_IN.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    return made


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_what_comes_back_is_what_was_there(host: Host, shell: str) -> None:
    backup = host.backup(shell)
    for name in NAMES:
        host.psql("INSERT INTO kept VALUES ('since')", name)
    host.psql('DROP ROLE "{}"'.format(ROLE.replace('"', '""')))

    done = host.run(shell, RESTORE, backup)

    assert done.returncode == 0, done.stdout
    assert {name: host.rows(name) for name in NAMES} == dict.fromkeys(NAMES, "anvil")
    assert f"restored {len(NAMES)} of {len(NAMES)} databases" in done.stdout
    flags = "SELECT string_agg(datname, ',' ORDER BY oid) FROM pg_database WHERE datistemplate"
    assert set(host.psql(flags).split(",")) == {"pattern", "template0", "template1"}
    assert host.psql(f"SELECT count(*) FROM pg_roles WHERE rolname = $q${ROLE}$q$") == "1"


def test_the_server_is_that_of_the_backups_unit(host: Host) -> None:
    backup = host.backup()
    unit = f"PGHOST={host.server.host} PGMCP_BACKUP_KEEP=7 PGPORT={host.server.port}"

    done = host.run("sh", RESTORE, backup, PGHOST="", PGPORT="", HOST_UNIT=unit)

    said = f"restoring into PostgreSQL at {host.server.host} port {host.server.port}\n"
    assert done.stdout.startswith(said)
    assert done.returncode == 0


def test_a_server_that_nobody_names_is_not_guessed(host: Host) -> None:
    done = host.run("sh", RESTORE, host.backup(), PGPORT="")

    assert "pgmcp-backup.service does not say which PostgreSQL this is for" in done.stdout
    assert done.returncode == 2


def test_a_database_that_cannot_be_dropped_is_left_alone(host: Host) -> None:
    backup = host.backup()
    host.psql("BEGIN; CREATE TABLE half (); PREPARE TRANSACTION 'stuck'", "shop")
    try:
        done = host.run("sh", RESTORE, backup)
    finally:
        host.psql("ROLLBACK PREPARED 'stuck'", "shop")

    assert "database shop could not be dropped, so it was not restored" in done.stdout
    assert f"restored {len(NAMES) - 1} of {len(NAMES)} databases" in done.stdout
    assert done.returncode == 1
    assert host.rows("shop") == "anvil"


def cut(path: Path, size: int) -> None:
    """Take the last *size* bytes from a file."""
    path.write_bytes(path.read_bytes()[:-size])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(lambda at: cut(at / "shop.dump", 9), "cannot be read", id="cut-dump"),
        pytest.param(lambda at: (at / "shop.dump").unlink(), "says databases=6", id="lost-dump"),
        pytest.param(lambda at: cut(at / "roles.sql", 200), "has no end", id="cut-roles"),
    ],
)
def test_a_damaged_backup_changes_nothing(
    host: Host, damage: Callable[[Path], None], said: str
) -> None:
    backup = host.backup()
    damage(backup)

    done = host.run("sh", RESTORE, backup)

    assert said in done.stdout
    assert done.stdout.endswith("Nothing was changed.\n")
    assert done.returncode == 2
    assert host.systemctl()[-1] == "start postgresql"


def test_an_error_in_the_roles_counts(host: Host) -> None:
    backup = host.backup()
    with (backup / "roles.sql").open("a") as roles:
        roles.write("ALTER ROLE nobody_has_this_name LOGIN;\n")

    done = host.run("sh", RESTORE, backup)

    assert 'role "nobody_has_this_name" does not exist' in done.stdout
    assert "already exists" not in done.stdout
    assert "not all roles were restored" in done.stdout
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("shell", "signal"), [("dash", "HUP"), ("dash", "INT"), ("dash", "TERM"), ("bash", "TERM")]
)
def test_an_interrupted_restore_starts_the_gateway_again(
    host: Host, shell: str, signal: str
) -> None:
    done = host.run(shell, RESTORE, host.backup(), HOST_SIGNAL=signal)

    assert "interrupted: a database may be missing or half restored" in done.stdout
    assert done.returncode == 1
    assert host.systemctl()[-1].startswith("start pgmcp.socket pgmcp-local.socket pgmcp.service")


@pytest.mark.parametrize("keep", ["0", "abc", "", "-1", "1 2", "99999999999999999999999"])
def test_keeping_no_number_of_backups_is_refused(host: Host, keep: str) -> None:
    before = host.location / "2020-01-01T03-15-00Z"
    before.mkdir()

    done = host.run("sh", BACKUP, PGMCP_BACKUP_KEEP=keep)

    assert f"PGMCP_BACKUP_KEEP is '{keep}'." in done.stdout
    assert done.returncode == 1
    assert list(host.location.glob("20*")) == [before]


def test_a_database_whose_drop_was_interrupted_stops_no_backup(host: Host) -> None:
    host.psql("CREATE DATABASE halved")
    host.psql("UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'halved'")
    try:
        done = host.run("sh", BACKUP)
    finally:
        host.psql("DROP DATABASE halved")

    assert "a DROP DATABASE of it was interrupted: halved. Drop it again." in done.stdout
    assert done.returncode == 0


def test_a_full_disk_is_not_left_full(host: Host) -> None:
    host.psql("CREATE TABLE big AS SELECT gen_random_uuid() FROM generate_series(1, 50000)", "shop")
    try:
        done = host.run("sh", "-c", f"ulimit -f 200; exec sh {BACKUP}")
    finally:
        host.psql("DROP TABLE big", "shop")

    assert "pg_dump of database shop failed; its message is above." in done.stdout
    assert done.returncode == 1
    assert [path.name for path in host.location.iterdir()] == [".lock"]


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_stopped_backup_leaves_nothing_and_ends_by_the_signal(host: Host, shell: str) -> None:
    done = host.run(shell, BACKUP, HOST_SIGNAL="TERM")

    assert done.returncode == -15
    assert [path.name for path in host.location.iterdir()] == [".lock"]


def test_a_second_backup_at_once_leaves_the_first_alone(host: Host) -> None:
    (host.location / ".partial").mkdir()
    with (host.location / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = host.run("sh", BACKUP)

    assert f"another backup to {host.location} has not ended yet." in done.stdout
    assert done.returncode == 1
    assert (host.location / ".partial").is_dir()
