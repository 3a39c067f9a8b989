"""
contrib/systemd/install on a Debian that has PostgreSQL and tailscale: from nothing, and back.

The tests stand in the order of a machine's life; the last one removes everything.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.boot.inside import agent
from tests.boot.inside.gateway import LOCAL, call, get, is_ready
from tests.boot.inside.installer import (
    CLUSTER,
    CONFIG,
    HBA,
    SOURCE,
    UNITS,
    files,
    install,
    uninstall,
)
from tests.boot.inside.machine import prop, psql, run, systemctl, until

NEXT = Path("/opt/next")
RELEASES = Path("/opt/pgmcp/releases")
PGMCP = "/usr/local/bin/pgmcp"


@contextmanager
def appended(file: Path, text: str) -> Iterator[None]:
    """Add *text* at the end of *file* while the block runs."""
    before = file.read_text()
    file.write_text(before + text)
    try:
        yield
    finally:
        file.write_text(before)


@pytest.fixture(scope="module")
def installed() -> str:
    """Install once, and return what was said."""
    return install("--who", "ana@example.com", "--backup", "--restart-postgresql")


def test_a_dry_run_changes_nothing() -> None:
    before = files()

    said = install("--dry-run")

    assert "Nothing was changed (--dry-run)" in said
    assert files() == before


def test_a_broken_line_of_somebody_else_puts_everything_back() -> None:
    with appended(HBA, "nonsense line\n"):
        before = HBA.read_text()

        said = install("--who", "ana@example.com", check=False)

        assert 'invalid connection type "nonsense"' in said
        assert HBA.read_text() == before
    assert "pgmcp" not in (CLUSTER / "pg_ident.conf").read_text()


async def test_the_gateway_answers_after_one_run(installed: str) -> None:
    assert "==> Starting\n==> pgmcp " in installed
    assert systemctl("list-units", "--failed", "--no-legend", "--plain") == ""
    await is_ready()


@pytest.mark.usefixtures("installed")
async def test_whom_who_named_is_admin() -> None:
    text = await call("pg_admin", action="databases", login="ana@example.com")

    assert "postgres" in text


@pytest.mark.usefixtures("installed")
async def test_somebody_of_the_machine_may_read() -> None:
    page = await get("/", socket=LOCAL)

    assert "you may        read on *" in page.body


@pytest.mark.usefixtures("installed")
def test_nobody_else_can_open_the_local_socket() -> None:
    run("usermod", "--append", "--groups", "pgmcp", "member")
    connect = "import socket; socket.socket(socket.AF_UNIX).connect('/run/pgmcp-local.sock')"

    assert run("python3", "-c", connect, person="member") == ""
    assert "Permission denied" in run("python3", "-c", connect, person="stranger", check=False)


@pytest.mark.usefixtures("installed")
async def test_it_is_on_the_tailnet() -> None:
    await until(agent.is_served, "tailscale serve is up")

    assert agent.handler()["Proxy"] == "unix:/run/pgmcp.sock"


@pytest.mark.usefixtures("installed")
def test_doctor_finds_nothing_bad() -> None:
    said = run(PGMCP, "doctor", "--config", str(CONFIG))

    assert "ok      pgmcp_read connects" in said


@pytest.mark.usefixtures("installed")
def test_postgresql_counts_statements() -> None:
    assert psql("SELECT extname FROM pg_extension WHERE extname ~ 'statements'") != ""


@pytest.mark.usefixtures("installed")
def test_systemd_has_nothing_to_say_about_the_units() -> None:
    assert run("systemd-analyze", "verify", *map(str, UNITS.glob("pgmcp*"))) == ""


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("unit", ["pgmcp", "pgmcp-provision", "pgmcp-backup"])
def test_the_sandbox_is_that_of_the_module(unit: str) -> None:
    said = run("systemd-analyze", "security", "--no-pager", f"{unit}.service").splitlines()[-1]

    assert float(said.split(": ")[1].split()[0]) <= 1.5


@pytest.mark.usefixtures("installed")
def test_installing_again_changes_nothing() -> None:
    with appended(CONFIG, "# mine\n"):
        before, pid = files(), prop("MainPID")

        said = install("--who", "bob@example.com", "--backup")

        assert files() == before
        assert prop("MainPID") == pid
        assert "it is yours and stays as it is" in said
        assert "--who bob@example.com changes nothing in it. Add a rule there" in said


@pytest.mark.usefixtures("installed")
async def test_an_upgrade_and_the_way_back() -> None:
    shutil.copytree(SOURCE, NEXT)
    version = NEXT / "pgmcp/__init__.py"
    version.write_text(
        re.sub(r"(?m)^__version__ = .*", '__version__ = "99.0"', version.read_text())
    )
    first = await get("/", socket=LOCAL)

    install(source=NEXT)
    second = await get("/", socket=LOCAL)
    install()
    third = await get("/", socket=LOCAL)

    assert second.body.startswith("pgmcp 99.0,")
    assert third.body.split(",")[0] == first.body.split(",")[0]
    assert len(list(RELEASES.iterdir())) == 2


@pytest.mark.usefixtures("installed")
def test_a_fault_in_the_configuration_stops_an_upgrade_before_it_counts() -> None:
    before = Path("/opt/pgmcp/bin").readlink()
    with appended(CONFIG, "nonsense = 1\n"):
        said = install(source=NEXT, check=False)

    assert "nonsense: no such setting" in said
    assert Path("/opt/pgmcp/bin").readlink() == before


@pytest.mark.usefixtures("installed")
def test_a_backup_comes_back() -> None:
    psql("CREATE DATABASE shop")
    psql("CREATE TABLE item AS SELECT 'anvil' AS name", database="shop")
    systemctl("start", "pgmcp-backup.service")
    psql("DROP TABLE item", database="shop")
    (backup,) = Path("/var/backup/pgmcp").glob("20*")

    said = run("/usr/local/lib/pgmcp/restore.sh", str(backup))

    assert "restored database shop" in said
    assert psql("SELECT name FROM item", database="shop") == "anvil\n"


@pytest.mark.usefixtures("installed")
def test_removing_it_leaves_what_is_yours() -> None:
    keys = Path("/etc/systemd/system/pgmcp.service.d/keys.conf")
    keys.parent.mkdir()
    keys.write_text("[Service]\n")

    said = uninstall()
    shutil.rmtree(keys.parent)

    assert systemctl("list-units", "--all", "--no-legend", "--plain", "pgmcp*") == ""
    assert [path for path in (RELEASES, Path("/run/pgmcp.sock"), UNITS) if list_of(path)] == []
    assert "pgmcp" not in HBA.read_text() + (CLUSTER / "pg_ident.conf").read_text()
    assert list(CLUSTER.glob("*.before-pgmcp")) == []
    assert f"{keys.parent} (your change to a unit)" in said
    assert not agent.is_served()
    assert CONFIG.is_file()
    assert "anvil" in psql("SELECT name FROM item", database="shop")


def list_of(path: Path) -> list[Path]:
    """Return *path* or what of ours is in it; nothing where it is gone."""
    return list(path.glob("pgmcp*")) if path.is_dir() else [path] if path.exists() else []
