"""What pg_hba.conf and pg_ident.conf let in: logins without passwords, and those refused."""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pgmcp.errors import Unavailable
from pgmcp.provision import Options
from tests.conftest import MAJORS
from tests.integration.provisioning import Server, server, unprovisioned
from tests.people import Person, gateway_with


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


async def test_peer_without_the_map_is_told_as_what_it_is(fresh: Server) -> None:
    """Provisioning again, as for a missing role, would mend nothing."""
    hba = Path(str(await fresh.value("SHOW hba_file")))
    before = hba.read_text()
    await fresh.provision()
    hba.write_text("local all pgmcp_read peer\n" + before)
    await fresh.value("SELECT pg_reload_conf()")

    async with gateway_with(fresh.settings()) as gateway:
        with pytest.raises(Unavailable) as caught:
            await Person(gateway).query("SELECT 1")

    hba.write_text(before)
    await fresh.value("SELECT pg_reload_conf()")
    assert 'Peer authentication failed for user "pgmcp_read"' in caught.value.message
    assert "In pg_hba.conf no line for the gateway's roles comes before" in caught.value.message
