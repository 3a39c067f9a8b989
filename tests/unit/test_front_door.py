"""What a person meets before any call: the command's first words, the socket, the page."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pgmcp.cli import main
from pgmcp.connect import connect_lines
from pgmcp.database import Databases
from pgmcp.errors import CallerError
from pgmcp.http import Gateway
from pgmcp.listeners import listen
from pgmcp.readiness import Readiness
from pgmcp.settings import Http, Settings

ROOT = Path(__file__).resolve().parents[2]


def test_check_warns_of_an_address_beyond_loopback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pgmcp.toml"
    file.write_text("[http]\nhost = '0.0.0.0'\n")

    status = main(["check", "--config", str(file)])

    shown = capsys.readouterr()
    assert status == 0
    assert shown.out.startswith("ok: ")
    assert shown.err.startswith("warning: http.host '0.0.0.0' is not loopback: anybody")


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_wrong_port_of_postgresql_is_a_sentence(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PGPORT", "abc")

    status = main([command])

    assert status == 1
    assert "PGPORT: 'abc' is no port." in capsys.readouterr().err


def test_ctrl_c_while_modules_are_imported_shows_no_traceback() -> None:
    """The hook stands for a Ctrl-C in the middle of an import, which no test can time."""
    program = (
        "import os, runpy, signal, sys\n"
        "def at_import(event, args):\n"
        "    if event == 'import' and args[0] == 'pydantic':\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.addaudithook(at_import)\n"
        "sys.argv = ['pgmcp', 'check']\n"
        "runpy.run_module('pgmcp', run_name='__main__')\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False, timeout=20
    )

    assert (ended.returncode, ended.stderr) == (128 + signal.SIGINT, b"")


@pytest.mark.parametrize(("kind", "make"), [("file", Path.touch), ("directory", Path.mkdir)])
def test_a_socket_never_takes_the_place_of_anything_else(
    tmp_path: Path, kind: str, make: object
) -> None:
    path = tmp_path / "taken"
    assert callable(make)
    make(path)

    with pytest.raises(CallerError, match=f"taken is a {kind}, not a socket: choose another path"):
        listen(Http(socket=path))

    assert path.exists()


def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))

    (listener,) = listen(Http(socket=path))
    with listener.socket as opened:
        assert opened.getsockname() == str(path)


def test_the_line_for_cursor_is_the_one_in_the_readme() -> None:
    lines = connect_lines("https://pi.example.ts.net/mcp")
    readme = (ROOT / "README.md").read_text()

    cursor = next(line for line in lines if line.startswith("Cursor"))

    assert '{"mcpServers": {"pg": {"url": "https://pi.example.ts.net/mcp"}}} ' in cursor
    assert '{"mcpServers": {"pg": {"url": "https://pi.example.ts.net/mcp"}}}`' in readme
    assert "(not verified)" in next(line for line in lines if line.startswith("Cline"))
    assert "(not verified)" in next(
        line for line in readme.splitlines() if line.startswith("| Cline")
    )


class Broken(Databases):
    """Be databases with a bug."""

    async def read(self, *_args: Any, **_named: Any) -> Any:  # Any: whatever the method takes
        """Fail as no failure of PostgreSQL does."""
        raise ValueError("a bug")


async def test_a_bug_in_the_first_look_does_not_end_the_gateway(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gateway = Gateway(Settings())
    gateway.readiness = Readiness(Settings(), Broken(Settings()))

    async with gateway.running():
        await asyncio.sleep(0)  # lets the first look begin

    assert "in a look at PostgreSQL" in caplog.text
