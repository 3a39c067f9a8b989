"""The nightly backup: what it writes can be restored, and only so many are kept."""

from __future__ import annotations

import fcntl
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot.inside.machine import Journal, drop_in, prop, psql, run, systemctl

UNIT, TIMER = "pgmcp-backup.service", "pgmcp-backup.timer"
LOCATION = Path("/var/backup/pgmcp")
NAMED = re.compile(r"20\d\d-\d\d-\d\dT\d\d-\d\d-\d\dZ")


@pytest.fixture(scope="module")
def backup() -> Iterator[Path]:
    """Let the unit make one backup of a table that is worth it."""
    psql("CREATE TABLE kept AS SELECT 42 AS answer", database="shop")
    systemctl("start", UNIT)
    (made,) = LOCATION.glob("20*")
    yield made
    psql("DROP TABLE kept", database="shop")


def test_the_timer_runs_it_at_night() -> None:
    assert prop("Triggers", TIMER) == UNIT
    assert "03:15:00" in prop("NextElapseUSecRealtime", TIMER)


def test_a_backup_has_every_database_and_the_roles(backup: Path) -> None:
    names = {path.name for path in backup.iterdir()}

    assert NAMED.fullmatch(backup.name)
    assert {"roles.sql", "server", "postgres.dump", "shop.dump"} <= names
    assert "pgmcp_read" in (backup / "roles.sql").read_text()


def test_only_postgres_and_root_can_read_it(backup: Path) -> None:
    assert "Permission denied" in run("ls", str(backup), person="member", check=False)
    assert "shop.dump" in run("ls", str(backup), person="postgres")


def test_pg_restore_restores_it(backup: Path) -> None:
    psql("CREATE DATABASE restored")
    run("pg_restore", "-h", "/run/postgresql", "-d", "restored", f"{backup}/shop.dump",
        person="postgres")  # fmt: skip

    answer = psql("SELECT answer FROM kept", database="restored")
    psql("DROP DATABASE restored")

    assert answer == "42\n"


@pytest.mark.usefixtures("backup")
def test_older_backups_go_when_a_new_one_is_whole() -> None:
    foreign = LOCATION / "by-hand"
    foreign.mkdir()
    for day in range(1, 9):
        (LOCATION / f"2020-01-0{day}T03-15-00Z").mkdir()
    run("chown", "-R", "postgres:postgres", str(LOCATION))
    time.sleep(1)  # a backup is named by the second
    journal = Journal()

    systemctl("start", UNIT)

    names = sorted(path.name for path in LOCATION.iterdir())
    assert len([name for name in names if NAMED.fullmatch(name)]) == 7
    assert "2020-01-08T03-15-00Z" in names
    assert "2020-01-01T03-15-00Z" not in names
    assert foreign.is_dir()
    assert journal.has("removed 3 older ones, keeping 7", UNIT)


@pytest.mark.usefixtures("backup")
def test_a_backup_that_fails_says_why_and_removes_nothing() -> None:
    before = sorted(LOCATION.iterdir())
    journal = Journal()
    with drop_in("[Service]\nEnvironment=PGPORT=5555\n", UNIT):
        run("systemctl", "start", UNIT, check=False)

    assert prop("Result", UNIT) == "exit-code"
    assert journal.has("PostgreSQL does not answer. See: systemctl status postgresql.", UNIT)
    assert sorted(LOCATION.iterdir()) == before
    systemctl("reset-failed", UNIT)


@pytest.mark.usefixtures("backup")
def test_a_backup_beside_another_says_so_and_leaves_it_alone() -> None:
    before = sorted(LOCATION.glob("20*"))
    journal = Journal()
    with (LOCATION / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run("systemctl", "start", UNIT, check=False)

    assert journal.has(f"another backup to {LOCATION} has not ended yet.", UNIT)
    assert sorted(LOCATION.glob("20*")) == before
    systemctl("reset-failed", UNIT)


@pytest.mark.usefixtures("backup")
def test_a_directory_of_somebody_else_is_left_to_them(tmp_path: Path) -> None:
    theirs = tmp_path / "share"
    theirs.mkdir(mode=0o755)
    script = re.search(r"\S+backup-directory\.sh", prop("ExecStartPre", UNIT))
    assert script
    journal = Journal()
    unit = f"""[Service]
        ExecStartPre=
        ExecStartPre=+/bin/sh {script[0]} {theirs}
    """
    with drop_in(unit, UNIT):
        run("systemctl", "start", UNIT, check=False)

    assert journal.has(f"{theirs} is there already and is no directory of postgres", UNIT)
    assert (theirs.owner(), theirs.stat().st_mode & 0o777) == ("root", 0o755)
    systemctl("reset-failed", UNIT)
