"""The login roles in the settings: where their passwords are, and what is done without them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgmcp.errors import CallerError
from pgmcp.http import Gateway
from pgmcp.logins import ROLE_OF
from pgmcp.provision.passfile import write_passwords
from pgmcp.settings import Server, Settings, load, passfile_path, renewed

OLD = {role: f"old-{role}" for role in ROLE_OF.values()}
NEW = {role: f"new-{role}" for role in ROLE_OF.values()}


def environment(folder: Path, host: str = "localhost") -> dict[str, str]:
    """Return the environment of a gateway whose state is in *folder*."""
    return {"STATE_DIRECTORY": str(folder), "PGHOST": host}


def provisioned(folder: Path, passwords: dict[str, str] = OLD) -> Path:
    """Write the passfile of localhost."""
    path = passfile_path(environment(folder), "localhost", "5432")
    write_passwords(path, Server(), passwords)
    return path


def required(folder: Path) -> Settings:
    """Return the settings of a gateway that must have the roles."""
    flags = {("server", "roles"): "required"}
    return load(environ=environment(folder), flags=flags)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_every_spelling_of_localhost_finds_the_roles(tmp_path: Path, host: str) -> None:
    provisioned(tmp_path)

    server = load(environ=environment(tmp_path, host)).server

    assert (server.host, server.passwords) == (host, OLD)
    assert server.logins.are_roles


@pytest.mark.parametrize(
    ("host", "name"),
    [
        pytest.param("127.0.0.1, db", "localhost,db-5432.pgpass", id="several"),
        pytest.param("127.0.0.10", "127.0.0.10-5432.pgpass", id="another address"),
        pytest.param("/run/pg", "%2Frun%2Fpg-5432.pgpass", id="socket"),
    ],
)
def test_a_passfile_is_named_by_the_host(tmp_path: Path, host: str, name: str) -> None:
    assert passfile_path(environment(tmp_path), host, "5432") == tmp_path / name


def test_the_first_of_several_state_directories_holds_the_passfile(tmp_path: Path) -> None:
    """The unit has a second one, for backups, and systemd joins them by colons."""
    environ = {"STATE_DIRECTORY": f"{tmp_path}:{tmp_path}/backup"}

    assert passfile_path(environ, "localhost", "5432").parent == tmp_path


def test_required_roles_that_are_there_are_used(tmp_path: Path) -> None:
    provisioned(tmp_path)

    assert required(tmp_path).server.account("write").user == "pgmcp_write"


def test_a_gateway_does_not_start_without_the_roles_it_requires(tmp_path: Path) -> None:
    path = passfile_path(environment(tmp_path), "localhost", "5432")
    settings = required(tmp_path)  # provision reads them too, and must not be refused

    with pytest.raises(CallerError) as caught:
        Gateway(settings)

    assert f"no passwords of the login roles are in {path}." in caught.value.message
    assert "Run pgmcp provision with the same PGHOST and PGPORT" in caught.value.message


def test_a_file_without_any_role_is_not_enough(tmp_path: Path) -> None:
    provisioned(tmp_path, {"somebody": "word"})

    with pytest.raises(CallerError, match="no passwords of the login roles"):
        Gateway(required(tmp_path))


@pytest.mark.parametrize("name", ["passwords", "roles_passfile"])
def test_no_configuration_holds_what_provision_keeps(tmp_path: Path, name: str) -> None:
    file = tmp_path / "pgmcp.toml"
    file.write_text(f"[server]\n{name} = 'x'\n")

    with pytest.raises(CallerError, match=f"holds server.{name}"):
        load(environ={}, file=file)


def test_new_passwords_are_read_again(tmp_path: Path) -> None:
    provisioned(tmp_path)
    server = load(environ=environment(tmp_path)).server
    provisioned(tmp_path, NEW)

    environ = renewed(server).libpq_environment("app")

    assert (environ["PGUSER"], environ["PGPASSWORD"]) == ("pgmcp_backup", "new-pgmcp_backup")


def test_roles_never_fall_away_with_their_file(tmp_path: Path) -> None:
    path = provisioned(tmp_path)
    server = load(environ=environment(tmp_path)).server

    path.unlink()
    without = renewed(server)
    path.mkdir()
    unreadable = renewed(server)

    assert without == unreadable == server
    assert without.logins.are_roles


def test_one_login_does_not_become_the_roles_on_the_way(tmp_path: Path) -> None:
    server = load(environ=environment(tmp_path)).server
    provisioned(tmp_path)

    assert renewed(server) == server
