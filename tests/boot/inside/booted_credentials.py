"""The file of a credential is missing, comes, changes: only the unit reads it, nothing shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from pgmcp.keys import new_key
from tests.boot.inside.gateway import LOCAL, answers, get, is_ready, wire
from tests.boot.inside.machine import Journal, main_pid, prop, run, systemctl, until
from tests.wire import Received

SOURCE = Path("/run/agenix/pgmcp-keys")  # as the module names it
HANDED = Path("/run/credentials/pgmcp.service/pgmcp-keys")
KEY, LINE = new_key("ci")
OTHER_KEY, OTHER_LINE = new_key("ci")
DIGEST = LINE.split()[-1]
START_SECONDS = 70  # its longest pause is a minute


def write_secret(line: str) -> None:
    """Do what agenix does: a file that root alone can read."""
    SOURCE.parent.mkdir(mode=0o751, exist_ok=True)
    SOURCE.touch(mode=0o400)
    SOURCE.chmod(0o400)
    SOURCE.write_text(f"{line}\n")


async def who(key: str, socket: str = LOCAL) -> str:
    """Return whom the gateway takes the holder of *key* for."""
    answer = await wire(socket=socket, Authorization=f"Bearer {key}").request("GET", "/")
    return answer.body


def test_without_the_file_the_gateway_does_not_start_and_the_journal_names_it() -> None:
    lines = Journal(after="").lines()

    assert prop("ActiveState") == "activating"
    assert [line for line in lines if "pgmcp-keys" in line] != []


@pytest.mark.parametrize("socket", ["pgmcp.socket", "pgmcp-local.socket"])
async def test_the_sockets_stay_however_often_somebody_knocks(socket: str) -> None:
    knocks = [asyncio.create_task(get("/live", socket=LOCAL)) for _ in range(30)]
    await asyncio.sleep(1)

    assert prop("ActiveState", socket) == "active"
    assert prop("Result", socket) == "success"
    await give_up(knocks)


async def give_up(knocks: Sequence[asyncio.Task[Received]]) -> None:
    """Hang up."""
    for knock in knocks:
        knock.cancel()
    await asyncio.gather(*knocks, return_exceptions=True)


async def test_once_the_file_is_there_it_starts_by_itself() -> None:
    write_secret(LINE)

    await until(lambda: prop("ActiveState") == "active", "it starts", START_SECONDS)
    await until(answers, "it answers")


async def test_the_key_of_the_file_opens() -> None:
    await is_ready()

    assert "key:ci" in await who(KEY)


async def test_another_key_does_not() -> None:
    answer = await wire(socket=LOCAL, Authorization=f"Bearer {OTHER_KEY}").request("GET", "/")

    assert answer.status == 401


@pytest.mark.parametrize("path", [SOURCE, HANDED], ids=["source", "handed over"])
@pytest.mark.parametrize("person", ["member", "stranger", "postgres"])
def test_nobody_but_root_and_the_unit_reads_it(path: Path, person: str) -> None:
    """Root reads every file, the secret's own too: from it nothing can be hidden."""
    assert "Permission denied" in run("cat", str(path), person=person, check=False)
    assert DIGEST in run("cat", str(path))


def test_the_units_own_copy_is_of_memory_and_read_only() -> None:
    text = run("findmnt", "--noheadings", "--output", "FSTYPE,OPTIONS", str(HANDED.parent))

    assert text.split()[0] in ("ramfs", "tmpfs")
    assert text.split()[1].startswith("ro,")


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(("systemctl", "show", "pgmcp.service"), id="what systemd shows"),
        pytest.param(("cat", "/proc/{pid}/environ"), id="the environment"),
        pytest.param(("cat", "/proc/{pid}/cmdline"), id="the command line"),
        pytest.param(("grep", "-r", "", "/nix/store", "--include=*pgmcp*"), id="the store"),
        pytest.param(("journalctl", "--boot", "--no-pager"), id="the journal"),
    ],
)
def test_nothing_shows_it(place: tuple[str, ...]) -> None:
    text = run(*(part.replace("{pid}", str(main_pid())) for part in place))

    assert "pgmcp" in text
    assert DIGEST not in text
    assert KEY not in text


async def test_after_a_rotation_and_a_restart_the_new_key_opens_and_the_old_does_not() -> None:
    write_secret(OTHER_LINE)

    systemctl("restart", "pgmcp.service")

    assert "key:ci" in await who(OTHER_KEY)
    answer = await wire(socket=LOCAL, Authorization=f"Bearer {KEY}").request("GET", "/")
    assert answer.status == 401
