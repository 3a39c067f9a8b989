"""PostgreSQL does not start at boot: the gateway does, says so, and works once it is mended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.boot.inside.gateway import answers, call, get
from tests.boot.inside.machine import Journal, main_pid, prop, systemctl, until

SERVER, PROVISION = "postgresql.service", "pgmcp-provision.service"
MENDED = Path("/etc/postgresql/is-mended")
PROVISION_SECONDS = 70  # its longest pause is a minute


def test_postgresql_has_given_up() -> None:
    assert prop("ActiveState", SERVER) == "failed"


async def test_the_gateway_runs_without_it() -> None:
    await until(answers, "the gateway answers")

    assert prop("ActiveState") == "active"


async def test_it_is_not_ready_and_says_why() -> None:
    answer = await get("/ready")

    assert answer.status == 503
    assert "/run/postgresql" in answer.body


async def test_a_call_says_what_is_the_case() -> None:
    text = await call("pg_query", sql="SELECT 7")

    assert "/run/postgresql" in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("unit", "sentence"),
    [
        pytest.param("pgmcp.service", "PostgreSQL is not ready, calls will say so", id="gateway"),
        pytest.param(PROVISION, "cannot", id="provisioning"),
    ],
)
def test_the_journal_says_it_in_one_line(unit: str, sentence: str) -> None:
    lines = Journal(after="").lines(unit, by="pgmcp")

    assert [line for line in lines if sentence in line] != []
    assert [line for line in lines if "Traceback" in line] == []


async def test_mended_everything_comes_by_itself() -> None:
    """Only PostgreSQL is started by hand, which mended it; provisioning follows, and the calls."""
    before = main_pid()
    MENDED.touch()
    systemctl("reset-failed", SERVER, "postgresql-setup.service")
    systemctl("start", "postgresql.target")

    await until(lambda: prop("Result", PROVISION) == "success", "roles", PROVISION_SECONDS)
    await until(lambda: answers("/ready"), "/ready answers 200")

    assert main_pid() == before
    assert (await call("pg_query", sql="SELECT 7")).startswith("?column?\n7\n")
