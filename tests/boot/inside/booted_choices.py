"""
contrib/systemd/install with --port and --remote: what was chosen once holds in the next run.

The tests stand in the order of a machine's life: a second cluster, then "another machine", which is
the second cluster by TCP, as PostgreSQL elsewhere is.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot.inside.gateway import is_ready
from tests.boot.inside.installer import (
    CLUSTER,
    CONFIG,
    HBA,
    UNITS,
    WHEELS,
    files,
    install,
    uninstall,
)
from tests.boot.inside.machine import GATEWAY, Journal, run, systemctl, until

PORT = "5433"
SPACED = Path("/opt/my wheels")
CHOICES = Path("/etc/pgmcp/install.conf")
PASSWORD = Path("/etc/pgmcp/database-password")
DROP_IN = UNITS / "pgmcp.service.d/remote.conf"
SECOND = CLUSTER.parent / "second"
REMOTE = f"""\
[server]
host = "127.0.0.1"
port = "{PORT}"
user = "gateway"
password_credential = "database-password"

[[access]]
who = "local"
permissions = "read"
"""


@pytest.fixture(scope="module", autouse=True)
def second() -> Iterator[None]:
    """Start a second cluster; nothing is left of an earlier installation."""
    shutil.rmtree(CONFIG.parent, ignore_errors=True)
    shutil.copytree(WHEELS, SPACED, copy_function=os.link)
    version = CLUSTER.parent.name
    run("pg_createcluster", version, "second", "--port", PORT)
    systemctl("start", f"postgresql@{version}-second.service")
    yield
    systemctl("stop", f"postgresql@{version}-second.service")


@pytest.fixture(scope="module")
def at_port() -> str:
    """Install for the second cluster, from a folder with a blank in its name."""
    return install("--port", PORT, wheels=SPACED)


@pytest.fixture(scope="module")
def remote() -> str:
    """Install for a server by TCP."""
    sql = "CREATE ROLE gateway LOGIN SUPERUSER PASSWORD 'geheim'"
    run("psql", "-X", "-h", "/run/postgresql", "-p", PORT, "-c", sql, person="postgres")
    CONFIG.write_text(REMOTE)
    PASSWORD.write_text("geheim\n")
    PASSWORD.chmod(0o600)
    return install("--remote")


@pytest.mark.usefixtures("at_port")
async def test_another_run_goes_by_the_port_that_was_chosen() -> None:
    before = files()

    said = install()

    assert f"As remembered in {CHOICES}: --port {PORT}" in said
    assert files() == before
    await is_ready()


@pytest.mark.usefixtures("at_port")
def test_only_the_chosen_cluster_is_changed() -> None:
    assert "pgmcp" in (SECOND / "pg_hba.conf").read_text()
    assert "pgmcp" not in HBA.read_text()
    assert f"PGPORT={PORT}" in (UNITS / "pgmcp-backup.service").read_text()


@pytest.mark.usefixtures("at_port")
def test_a_restore_goes_into_the_chosen_cluster_without_nightly_backups() -> None:
    systemctl("start", "pgmcp-backup.service")
    backup = max(Path("/var/backup/pgmcp").iterdir())

    said = run("/usr/local/lib/pgmcp/restore.sh", str(backup))

    assert f"PostgreSQL at /run/postgresql port {PORT}" in said
    assert "restored database postgres" in said


@pytest.mark.usefixtures("at_port")
def test_a_configuration_of_another_port_is_refused() -> None:
    before = files()

    said = install("--port", "5432", check=False)

    assert (
        f"{CONFIG} has PostgreSQL at port {PORT}, but this run is for port 5432 (chosen now)"
    ) in said
    assert files() == before


@pytest.mark.usefixtures("at_port")
def test_another_port_in_both_places_takes_the_lines_out_of_the_former_cluster() -> None:
    CONFIG.write_text(CONFIG.read_text().replace(PORT, "5432"))
    install("--port", "5432")
    former, chosen = (SECOND / "pg_hba.conf").read_text(), HBA.read_text()
    CONFIG.write_text(CONFIG.read_text().replace("5432", PORT))
    install("--port", PORT)

    assert "pgmcp" not in former
    assert "pgmcp" in chosen


@pytest.mark.usefixtures("at_port")
def test_removal_without_options_finds_the_cluster() -> None:
    uninstall()

    assert "pgmcp" not in (SECOND / "pg_hba.conf").read_text()
    assert list(SECOND.glob("*.before-pgmcp")) == []
    assert not CHOICES.exists()


def test_without_the_password_nothing_is_installed_for_another_machine() -> None:
    CONFIG.write_text(REMOTE)
    before = files()

    said = install("--remote", check=False)

    assert f"{PASSWORD} is not there or empty" in said
    assert files() == before


def test_a_configuration_of_another_machine_is_refused_without_remote() -> None:
    said = install(check=False)

    assert f"{CONFIG} has PostgreSQL at 127.0.0.1, but this run is for the one of" in said


@pytest.mark.usefixtures("remote")
async def test_another_run_stays_with_the_other_machine() -> None:
    before = files()

    said = install()

    assert f"As remembered in {CHOICES}: --remote" in said
    assert files() == before
    assert DROP_IN.is_file()
    assert "pgmcp" not in HBA.read_text()
    await is_ready()


def test_doctor_works_as_the_installer_says(remote: str) -> None:
    found = re.search(r"what is missing: (systemd-run (?:.*\\\n)*.*)", remote)
    assert found is not None

    said = run("sh", "-c", found[1])

    assert re.search(r"^ok +PostgreSQL \d+ at 127", said, re.MULTILINE), said


@pytest.mark.usefixtures("remote")
async def test_a_missing_password_is_one_clear_line() -> None:
    log = Journal()
    PASSWORD.rename(PASSWORD.with_suffix(".away"))
    run("systemctl", "restart", GATEWAY, check=False)
    line = f"credential database-password is missing: there is no file {PASSWORD}."
    await until(lambda: log.has(line), "the line is logged")
    PASSWORD.with_suffix(".away").rename(PASSWORD)

    await is_ready()


@pytest.mark.usefixtures("remote")
def test_removal_leaves_the_postgresql_of_this_machine_alone() -> None:
    said = uninstall()

    assert "Taking our lines out" not in said
    assert not DROP_IN.exists()
    assert not CHOICES.exists()
