"""Each level is its own login role, by peer authentication, and nobody else comes in so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.boot.inside.gateway import begin, call
from tests.boot.inside.machine import Journal, main_pid, prop, psql, run, systemctl

ROLES = ["pgmcp_read", "pgmcp_write", "pgmcp_ddl", "pgmcp_admin", "pgmcp_monitor", "pgmcp_backup"]
WHO = "SELECT session_user"
CAME_IN = re.compile(r'\[(\d+)\] LOG:  connection authenticated: identity="([^"]+)" method=(\w+)')
AUTHORIZED = re.compile(r"\[(\d+)\] LOG:  connection authorized: user=(\w+)")


@pytest.fixture(scope="module")
def journal() -> Journal:
    """Start anew, so that whoever comes in does it now."""
    journal = Journal()
    systemctl("restart", "pgmcp.service")
    return journal


def came_in(journal: Journal) -> set[tuple[str, str, str]]:
    """Return who came in since: the system's name for it, the method, the role."""
    lines = journal.lines("postgresql.service")
    identities = {m[1]: (m[2], m[3]) for line in lines if (m := CAME_IN.search(line))}
    roles = [(m[1], m[2]) for line in lines if (m := AUTHORIZED.search(line))]
    return {(*identities[pid], role) for pid, role in roles if pid in identities}


async def test_a_reader_is_its_own_role(journal: Journal) -> None:
    text = await call("pg_query", sql=WHO)

    assert "pgmcp_read" in text
    assert ("pgmcp-gateway", "peer", "pgmcp_read") in came_in(journal)


async def test_a_writer_is_its_own_role(journal: Journal) -> None:
    text = await call("pg_query", sql=WHO, mode="write")

    assert "pgmcp_write" in text
    assert ("pgmcp-gateway", "peer", "pgmcp_write") in came_in(journal)


async def test_who_defines_is_its_own_role(journal: Journal) -> None:
    handle = await begin("ddl")
    text = await call("pg_query", sql=WHO, session_id=handle)
    await call("pg_tx", action="rollback", session_id=handle)

    assert "pgmcp_ddl" in text
    assert ("pgmcp-gateway", "peer", "pgmcp_ddl") in came_in(journal)


async def test_who_administers_is_its_own_role(journal: Journal) -> None:
    await call("pg_admin", action="create_role", name="made_here")
    await call("pg_admin", action="drop_role", name="made_here", confirm="made_here")

    assert ("pgmcp-gateway", "peer", "pgmcp_admin") in came_in(journal)


async def test_who_watches_is_its_own_role(journal: Journal) -> None:
    await call("pg_monitor", action="activity")

    assert ("pgmcp-gateway", "peer", "pgmcp_monitor") in came_in(journal)


async def test_a_dump_is_made_by_a_role_of_its_own(journal: Journal) -> None:
    text = await call("pg_admin", action="backup")

    assert "/var/lib/pgmcp/backup" in text
    assert ("pgmcp-gateway", "peer", "pgmcp_backup") in came_in(journal)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_has_a_password(role: str) -> None:
    found = psql(f"SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = '{role}'")

    assert found == "t\n"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("person", ["member", "stranger"])
def test_nobody_else_of_this_machine_comes_in_as_a_role(role: str, person: str) -> None:
    said = psql("SELECT 1", person=person, role=role)

    assert f'Peer authentication failed for user "{role}"' in said


def test_the_systems_user_exists_only_while_the_gateway_runs() -> None:
    user = prop("User")
    uid = Path(f"/proc/{main_pid()}/status").read_text().split("Uid:\t")[1].split("\t")[0]

    assert run("id", "--user", user) == f"{uid}\n"
    assert int(uid) >= 61184  # systemd's range of dynamic users
    assert f"{user}:" not in Path("/etc/passwd").read_text()


def test_root_may_ask_as_each_role_what_it_may_do() -> None:
    """The ident map lets root in too, for `doctor`; nothing of the gateway runs as root."""
    text = run("/opt/pgmcp/bin/pgmcp", "doctor", "--config", "/etc/pgmcp.json", check=False)

    assert "pgmcp_read" in text
    assert "Peer authentication failed" not in text
