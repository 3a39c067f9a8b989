"""Where settings come from, which source wins, and what is said of a wrong one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pgmcp.errors import CallerError
from pgmcp.settings import Http, Settings, load
from pgmcp.settings.load import ENVIRONMENT


def write(folder: Path, text: str, name: str = "pgmcp.toml") -> Path:
    """Write a configuration file."""
    path = folder / name
    path.write_text(text)
    return path


def test_without_any_source_the_defaults_hold() -> None:
    settings = load(environ={})

    assert settings == Settings()
    assert settings.server.database == "postgres"
    assert settings.http.port == 3000
    assert (settings.limits.max_rows, settings.limits.max_rows_ceiling) == (200, 5000)
    assert settings.limits.max_bytes == 24_000
    assert settings.limits.timeout == timedelta(seconds=30)
    assert settings.limits.timeout_ceiling == timedelta(minutes=10)
    assert settings.transactions.idle == timedelta(minutes=5)
    assert settings.transactions.idle_contended == timedelta(seconds=60)
    assert settings.transactions.total == timedelta(minutes=30)
    assert settings.transactions.per_owner == 8


def test_the_environment_of_the_users_document_is_understood() -> None:
    environ = {
        "PGHOST": "db.example",
        "PGPORT": "5433",
        "PGUSER": "postgres",
        "PGPASSWORD": "pass",
        "PGDATABASE": "shop",
        "PORT": "3001",
        "MCP_ALLOWED_ORIGINS": "https://pi.example.ts.net, https://b.example",
    }

    settings = load(environ=environ)

    server = settings.server
    assert (server.host, server.port, server.user) == ("db.example", "5433", "postgres")
    assert (server.password, server.database) == ("pass", "shop")
    assert settings.http.port == 3001
    assert settings.http.allowed_origins == ("https://pi.example.ts.net", "https://b.example")


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_an_empty_variable_counts_as_not_set(name: str) -> None:
    assert load(environ={name: ""}) == Settings()


def test_a_later_source_wins(tmp_path: Path) -> None:
    file = write(tmp_path, "[http]\nport = 1\nhost = 'a'\n[server]\ndatabase = 'file'\n")
    environ = {"PORT": "2", "PGDATABASE": "environment"}

    settings = load(environ=environ, file=file, flags={("http", "port"): 3, ("http", "host"): None})

    assert (settings.http.port, settings.http.host) == (3, "a")
    assert settings.server.database == "environment"


def test_a_bare_number_is_seconds(tmp_path: Path) -> None:
    settings = load(environ={}, file=write(tmp_path, "[transactions]\nidle = 90\ntotal = 100.5\n"))

    assert settings.transactions.idle == timedelta(seconds=90)
    assert settings.transactions.total == timedelta(seconds=100.5)


def test_a_json_file_is_read_by_its_name(tmp_path: Path) -> None:
    file = write(tmp_path, '{"http": {"port": 7}, "log_level": "debug"}', "pgmcp.json")

    settings = load(environ={}, file=file)

    assert (settings.http.port, settings.log_level) == (7, "debug")


def test_a_password_comes_from_a_credential(tmp_path: Path) -> None:
    (tmp_path / "pgpass").write_text("s3cret\n")
    file = write(tmp_path, "[server]\npassword_credential = 'pgpass'\n")

    settings = load(environ={"CREDENTIALS_DIRECTORY": str(tmp_path)}, file=file)

    assert settings.server.password == "s3cret"


def test_a_password_is_not_shown() -> None:
    settings = load(environ={"PGPASSWORD": "hunter2"})

    assert "hunter2" not in repr(settings)


def test_other_programs_get_the_same_connection() -> None:
    environ = {"PGHOST": "h", "PGUSER": "u", "PGPASSWORD": "p", "PGSSLMODE": "require"}

    found = load(environ=environ).server.libpq_environment("d")

    assert found["PGDATABASE"] == "d"
    assert (found["PGHOST"], found["PGUSER"], found["PGPASSWORD"]) == ("h", "u", "p")
    assert (found["PGSSLMODE"], found["PGCONNECT_TIMEOUT"]) == ("require", "5")
    assert "PGPASSFILE" not in found


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
    pytest.param({}, "http = 1\n", "Known here: server, http, identity", id="known sections"),
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
        "[limits]\ntimeout = '30s'\n",
        "limits.timeout: '30s' is no number of seconds. Write a number, such as 30.",
        id="no time",
    ),
    pytest.param({}, "[pools]\nidle = true\n", "pools.idle: True is no number", id="true time"),
    pytest.param({}, "[limits]\ntimeout = -1\n", "limits.timeout: -1 is out of", id="negative"),
    pytest.param({}, "[pools]\nwait = 0\n", "pools.wait: 0 is out of range", id="no time at all"),
    pytest.param({}, "[limits]\ntimeout = inf\n", "timeout: inf is out of range", id="endless"),
    pytest.param({}, "[limits]\ntimeout = nan\n", "timeout: nan is out of range", id="no number"),
    pytest.param({}, "[limits]\ntimeout = 1e300\n", "1e+300 is out of range", id="ages"),
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


def test_one_string_is_a_list_by_commas(tmp_path: Path) -> None:
    text = "[http]\nallowed_origins = 'https://A, http://b:8080'\nallowed_hosts = 'Db:1'\n"

    http = load(environ={}, file=write(tmp_path, text)).http

    assert http.allowed_origins == ("https://a", "http://b:8080")
    assert http.allowed_hosts == ("db:1",)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://Pi.example/", "https://pi.example"),
        ("https://pi.example:443", "https://pi.example"),
        ("http://pi.example:443", "http://pi.example:443"),
        ("http://[FD00::1]:80", "http://[fd00::1]"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(given: str, kept: str) -> None:
    assert load(environ={"MCP_ALLOWED_ORIGINS": given}).http.allowed_origins == (kept,)


def test_a_port_in_a_file_is_a_number_or_a_list(tmp_path: Path) -> None:
    one = load(environ={}, file=write(tmp_path, "[server]\nport = 5433\n"))
    two = load(environ={"PGHOST": "a,b", "PGPORT": "1, 2"})

    assert (one.server.port, two.server.port) == ("5433", "1,2")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_deserves_no_warning(host: str) -> None:
    assert Http(host=host).exposure() is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "pi.example", ""])  # noqa: S104
def test_another_address_deserves_a_warning(host: str) -> None:
    assert "anybody who reaches that address may call" in (Http(host=host).exposure() or "")
