"""Where settings come from, and which source wins."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("5min", 300), ("1.5 h", 5400), (" 2d ", 172_800)],
)
def test_a_duration_has_postgresqls_units(tmp_path: Path, given: str, seconds: float) -> None:
    settings = load(environ={}, file=write(tmp_path, f"[transactions]\ntombstone = '{given}'\n"))

    assert settings.transactions.tombstone == timedelta(seconds=seconds)


def test_a_repeated_flag_adds_to_the_file_and_the_others_override_it(tmp_path: Path) -> None:
    file = write(tmp_path, "[provision]\nexcept = 'a.b'\npeer = 'pgmcp'\nsuperuser_admin = true\n")
    flags = {
        ("provision", "except"): ["c.d", "e.f"],
        ("provision", "peer"): "",
        ("provision", "superuser_admin"): False,
        ("provision", "read_all"): None,
    }

    found = load(environ={}, file=file, flags=flags).provision

    assert found.excepted == ("a.b", "c.d", "e.f")
    assert (found.peer, found.superuser_admin, found.read_all) == (None, False, False)


def test_the_public_address_comes_before_the_allowed_origins(tmp_path: Path) -> None:
    text = (
        "[http]\npublic_url = 'https://Pi.example/'\nallowed_origins = ['https://a', 'https://b']\n"
    )

    http = load(environ={}, file=write(tmp_path, text)).http

    assert http.endpoint == "https://pi.example/mcp"
    assert http.origins == ("https://pi.example", "https://a", "https://b")
    assert (Http().endpoint, Http(allowed_origins="https://a").endpoint) == (None, "https://a/mcp")


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
