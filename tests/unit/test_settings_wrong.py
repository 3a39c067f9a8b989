"""What is said of a setting that is wrong, and of a file that cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pgmcp.errors import CallerError
from pgmcp.settings import load
from tests.unit.test_settings import write

WRONG = [
    pytest.param({"PORT": "many"}, None, "PORT: 'many' is no whole number.", id="port"),
    pytest.param({"PORT": "70000"}, None, "PORT: 70000 is above 65535.", id="high port"),
    pytest.param(
        {"PGPORT": "abc"}, None, "PGPORT: 'abc' is no port. Write a number from 1", id="pgport"
    ),
    pytest.param({"PGPORT": "0"}, None, "PGPORT: '0' is no port.", id="port of nobody"),
    pytest.param({"PGPORT": "1,"}, None, "PGPORT: '' is no port.", id="half a port"),
    pytest.param({}, "[server]\nport = true\n", "server.port: 'True' is no port", id="true port"),
    pytest.param(
        {"PGHOST": "a,b,c", "PGPORT": "1,2"},
        None,
        "PGPORT: 2 ports for 3 hosts. Write one for all, or one for each.",
        id="ports and hosts",
    ),
    pytest.param(
        {"PGSSLMODE": "on"}, None, "PGSSLMODE: 'on' is not known. Write 'disable', ", id="sslmode"
    ),
    pytest.param(
        {"MCP_ALLOWED_ORIGINS": "pi.example"},
        None,
        "MCP_ALLOWED_ORIGINS: 'pi.example' is no origin. Write https://pi.example.",
        id="origin without scheme",
    ),
    pytest.param(
        {"MCP_ALLOWED_ORIGINS": "https://a/mcp"},
        None,
        "MCP_ALLOWED_ORIGINS: 'https://a/mcp' is no origin. Write https://a.",
        id="origin with a path",
    ),
    pytest.param(
        {"MCP_ALLOWED_ORIGINS": "*"}, None, "'*' would let every web page call.", id="any origin"
    ),
    pytest.param(
        {"MCP_ALLOWED_ORIGINS": "https://a:70000"}, None, "is no origin", id="origin's port"
    ),
    pytest.param(
        {},
        "[http]\nallowed_origins = ['https://b', '']\n",
        "http.allowed_origins.1: '' is no origin. Write https://pi.example.ts.net.",
        id="empty origin",
    ),
    pytest.param({}, "[http]\nport = 0.5\n", "http.port: 0.5 is no whole number.", id="half"),
    pytest.param(
        {}, "[http]\nallowed_hosts = 'http://a'\n", "'http://a' is no host name.", id="host name"
    ),
    pytest.param(
        {},
        "[pools]\ntotal = 3\n",
        "pools.per_database 3 is not below pools.total 3",
        id="pools",
    ),
    pytest.param(
        {},
        "[transactions]\ntotal = 10\n",
        "transactions.idle is above transactions.total.",
        id="idle above total",
    ),
    pytest.param(
        {}, "[http]\nprot = 1\n", "http.prot: no such setting. Known here: host, port", id="key"
    ),
    pytest.param(
        {}, "[htpp]\nport = 1\n", "htpp: no such setting. Known here: server, http", id="section"
    ),
    pytest.param({}, "port = 1\n", "has 'port' outside the sections", id="no section"),
    pytest.param({}, "prot = 1\n", "Known here: server, http, identity", id="known sections"),
    pytest.param({}, "[http\n", "does not parse", id="no TOML"),
    pytest.param(
        {}, "[server]\npassword = 'hunter2'\n", "A file names a systemd credential", id="password"
    ),
    pytest.param(
        {},
        "[server]\npassword_credential = 'nothing'\n",
        "server.password_credential names 'nothing', which systemd did not hand over",
        id="credential",
    ),
    pytest.param(
        {},
        "[limits]\nmax_rows = 9000\n",
        "limits.max_rows is above limits.max_rows_ceiling",
        id="rows",
    ),
    pytest.param(
        {},
        "[limits]\ntimeout = 9000\n",
        "limits.timeout is above limits.timeout_ceiling",
        id="time",
    ),
    pytest.param({}, "[limits]\nmax_bytes = 1\n", "limits.max_bytes: 1 is below 1000.", id="bytes"),
    pytest.param({}, "log_level = 'loud'\n", "log_level: 'loud' is not known.", id="log level"),
    pytest.param(
        {},
        "[limits]\ntimeout = '30 minutes'\n",
        "limits.timeout: '30 minutes' is no duration. Write seconds, such as 30, or a number and "
        "its unit: '5min'. Units are ms, s, min, h, d.",
        id="no time",
    ),
    pytest.param({}, "[pools]\nidle = true\n", "pools.idle: True is no duration", id="true time"),
    pytest.param({}, "[limits]\ntimeout = -1\n", "limits.timeout: -1 is out of", id="negative"),
    pytest.param({}, "[pools]\nwait = 0\n", "pools.wait: 0 is out of range", id="no time at all"),
    pytest.param({}, "[limits]\ntimeout = inf\n", "timeout: inf is out of range", id="endless"),
    pytest.param({}, "[limits]\ntimeout = nan\n", "timeout: nan is out of range", id="no number"),
    pytest.param({}, "[limits]\ntimeout = 1e300\n", "1e+300 is out of range", id="ages"),
    pytest.param({}, "[limits]\ntimeout = '99d'\n", "'99d' is out of range", id="days"),
    pytest.param({}, "[pools]\nidle = '-1s'\n", "'-1s' is no duration", id="negative unit"),
    pytest.param(
        {},
        "[http]\npublic_url = 'https://pi/mcp'\n",
        "http.public_url: 'https://pi/mcp' is no address of a gateway. Write scheme and host",
        id="public path",
    ),
    pytest.param({}, "[http]\npublic_url = 5\n", "5 is no text. Put it in quotes.", id="no text"),
    pytest.param({}, "[http]\ntcp = 'perhaps'\n", "is neither true nor false.", id="no boolean"),
    pytest.param({}, "access = [1]\n", "access rule 1: 1 is no rule. Write a table", id="no rule"),
    pytest.param({}, "[http]\nallowed_origins = 5\n", "5 is no list. Write one", id="no list"),
    pytest.param(
        {},
        "[provision]\nexcept = ['secret']\n",
        "provision.except.0: 'secret' names no schema. Write DATABASE.SCHEMA",
        id="pattern",
    ),
    pytest.param(
        {},
        "[provision]\nexcepted = ['a.b']\n",
        "provision.excepted: no such setting. Known here: except, read_all, superuser_admin, peer.",
        id="key with another name",
    ),
    pytest.param(
        {}, "[provision]\npeer = 'x y'\n", "provision.peer: 'x y' is no system user", id="peer"
    ),
    pytest.param(
        {},
        "[provision]\nexcept = ['a.b']\nread_all = true\n",
        "provision.read_all opens every table, so provision.except could keep none closed.",
        id="all and except",
    ),
]


@pytest.mark.parametrize(("environ", "text", "sentence"), WRONG)
def test_a_wrong_setting_is_named(
    tmp_path: Path, environ: dict[str, str], text: str | None, sentence: str
) -> None:
    file = write(tmp_path, text) if text is not None else None

    with pytest.raises(CallerError) as caught:
        load(environ=environ, file=file)

    assert sentence in caught.value.message
    assert "hunter2" not in caught.value.message


UNREADABLE = [
    pytest.param("missing.toml", None, "cannot read the configuration", id="missing"),
    pytest.param(".", None, "cannot read the configuration", id="a directory"),
    pytest.param("bytes.toml", b"\xff\xfe", "the configuration", id="no UTF-8"),
    pytest.param("list.json", b"[1]", "is not a table of sections", id="a list"),
    pytest.param("broken.json", b"{", "does not parse", id="no JSON"),
]


@pytest.mark.parametrize(("name", "content", "sentence"), UNREADABLE)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, name: str, content: Any, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content) if content is not None else None

    with pytest.raises(CallerError) as caught:
        load(environ={}, file=path)

    assert sentence in caught.value.message
    assert str(path) in caught.value.message


def test_a_wrong_flag_is_called_as_it_was_typed() -> None:
    with pytest.raises(CallerError, match=r"^--port: 70000 is above 65535\.$"):
        load(environ={"PORT": "3"}, flags={("http", "port"): 70000})
