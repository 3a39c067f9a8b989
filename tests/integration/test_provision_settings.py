"""[provision] in the settings: what runs without flags, create_database and doctor go by."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from pgmcp.http import Gateway
from pgmcp.identity import LOCAL
from pgmcp.ledger import Owner
from pgmcp.settings import load
from pgmcp.tools.admin import TOOL as ADMIN
from pgmcp.tools.admin.params import AdminParams
from tests.conftest import MAJORS, ignore_progress
from tests.integration.provisioning import Server, server, unprovisioned
from tests.process import run_command

DENIED = "42501"
FOR_READERS = "SELECT relacl::text LIKE '%pgmcp_read=%' FROM pg_class WHERE relname = 'item'"
IN_SCHEMA = "SELECT nspacl::text LIKE '%pgmcp_read=%' FROM pg_namespace WHERE nspname = 'public'"


@pytest.fixture(scope="module")
def started() -> Iterator[Server]:
    with server(MAJORS[-1]) as made:
        yield made


@pytest.fixture
async def fresh(started: Server) -> AsyncIterator[Server]:
    """Return a server with one database of an ordinary owner, not provisioned yet."""
    async with unprovisioned(started):
        yield started


def run(
    server: Server, text: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command with a configuration of *text*."""
    config = server.state / "pgmcp.toml"
    config.write_text(text)
    command, *flags = arguments or ("provision",)
    own = {**server.environment(), **environment}
    return run_command([command, "--config", str(config), *flags], own)


async def test_a_run_without_flags_keeps_closed_what_the_settings_name(fresh: Server) -> None:
    first = run(fresh, "[provision]\nexcept = 'app.public'\n")
    second = run(fresh, "[provision]\nexcept = 'app.public'\n")

    assert (first.returncode, second.stdout) == (0, "nothing to do\n")
    assert await fresh.value(FOR_READERS, "app") is None
    assert await fresh.sqlstate("read", "app", "SELECT FROM item") == DENIED


async def test_a_flag_adds_a_pattern_and_overrides_a_choice(fresh: Server) -> None:
    text = "[provision]\nexcept = 'app.other'\nread_all = false\npeer = 'somebody'\n"

    ran = run(fresh, text, "provision", "--except", "app.public.item", "--no-peer")
    wrong = run(fresh, text, "provision", "--read-all")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert fresh.passfile.exists()
    assert await fresh.sqlstate("read", "app", "SELECT FROM item") == DENIED
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("pgmcp: provision.read_all opens every table, so ")


async def test_a_pattern_that_names_nothing_is_told_in_every_run(fresh: Server) -> None:
    text = "[provision]\nexcept = ['app.public', 'app.sekret', 'elsewhere.x']\n"
    lines = [
        f"warning: except '{pattern}' names no schema and no table here, so it keeps nothing "
        "closed. Write DATABASE.SCHEMA or DATABASE.SCHEMA.TABLE, spelt as in the catalogs"
        for pattern in ("app.sekret", "elsewhere.x")
    ]

    first = run(fresh, text)
    second = run(fresh, text)
    other = run(fresh, text, "provision", "--database", "postgres")
    dry = run(fresh, text, "provision", "--dry-run")

    assert first.stdout.splitlines()[-2:] == lines
    assert second.stdout.splitlines() == ["nothing to do", *lines]
    assert other.stdout == "nothing to do\n"
    assert dry.stdout.splitlines()[-2:] == [line.replace("warning:", "--") for line in lines]


async def test_doctor_does_not_ask_for_what_is_closed_on_purpose(fresh: Server) -> None:
    text = "[provision]\nexcept = 'app.public.item'\n"
    run(fresh, text)

    knowing, unknowing = run(fresh, text, "doctor"), run(fresh, "", "doctor")

    assert "provisioning would" not in knowing.stdout
    assert "app: provisioning would grant SELECT on 1 table" in unknowing.stdout


@pytest.mark.parametrize(
    ("closed", "is_open"),
    [pytest.param([], True, id="open"), pytest.param(["made.public"], False, id="closed")],
)
async def test_create_database_keeps_closed_what_the_settings_name(
    fresh: Server, closed: list[str], *, is_open: bool
) -> None:
    await fresh.provision()
    flags: dict[tuple[str, str], Any] = {("provision", "except"): closed}
    gateway = Gateway(load(environ=fresh.environment(), flags=flags))

    async with gateway.running():
        owner = Owner(principal="local", session="test")
        call = gateway.make_call(LOCAL, owner, ignore_progress)
        made = AdminParams.model_validate({"action": "create_database", "name": "made"})
        await ADMIN.run(call, made)

    assert (await fresh.value(IN_SCHEMA, "made") is True) is is_open


async def test_an_hourly_run_for_peer_is_one_line(fresh: Server) -> None:
    first = run(fresh, "[provision]\npeer = 'pgmcp-service'\n")
    second = run(fresh, "[provision]\npeer = 'pgmcp-service'\n")
    dry = run(fresh, "", "provision", "--dry-run", "--peer", "pgmcp-service")

    assert "created role pgmcp_read\n" in first.stdout
    assert "note: pg_ident.conf needs these lines: pgmcp pgmcp-service pgmcp_read" in first.stdout
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout == "nothing to do; --dry-run shows 3 notes\n"
    assert "-- pg_hba.conf needs, above lines for all users: local all pgmcp_read" in dry.stdout


async def test_the_lines_for_peer_are_not_printed_where_they_are(fresh: Server) -> None:
    first = (await fresh.provision()).done
    notes = run(fresh, "", "provision", "--peer", "somebody").stdout.splitlines()
    hba, ident = [Path(str(await fresh.value(f"SHOW {each}_file"))) for each in ("hba", "ident")]
    before = hba.read_text(), ident.read_text()
    told = [next(line for line in notes if name in line) for name in ("pg_hba", "pg_ident")]
    hba.write_text(told[0].split(": ", 2)[2] + "\n" + before[0])
    ident.write_text(told[1].split(": ", 2)[2].replace("; ", "\n") + "\n")

    ran = run(fresh, "[provision]\npeer = 'somebody'\n")
    another = run(fresh, "[provision]\npeer = 'another'\n", "provision", "--dry-run")

    hba.write_text(before[0])
    ident.write_text(before[1])
    assert first
    assert ran.stdout == "nothing to do\n"
    assert "-- pg_ident.conf needs these lines: pgmcp another pgmcp_read; " in another.stdout


async def test_a_server_that_is_away_is_one_line_with_what_to_do(fresh: Server) -> None:
    ran = run(fresh, "", PGPORT="1")

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"pgmcp: PostgreSQL cannot be reached at {fresh.cluster.host} ")
    assert ran.stderr.endswith("The operator can start it, or correct PGHOST and PGPORT.\n")
    assert ran.stderr.count("\n") == 1
