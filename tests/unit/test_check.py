"""pgmcp check: one sentence for what is wrong, one line for what is weak, no machine needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgmcp.cli import main
from tests.process import run_command

RULE = "[[access]]\nwho = 'ana@example.com'\npermissions = 'admin'\n"
CREDENTIALS = (
    "[server]\npassword_credential = 'db'\n[identity]\nkeys_credential = 'api-keys'\n"
    "[[access]]\nwho = 'key:ci'\npermissions = 'read'\n"
)


@pytest.fixture(autouse=True)
def _nothing_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check as at a build: no credentials, no home, no PostgreSQL."""
    for name in ("CREDENTIALS_DIRECTORY", "STATE_DIRECTORY", "PGHOST", "PGPASSWORD", "PGPORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/homeless-shelter")


def check(folder: Path, text: str) -> int:
    """Check a configuration of *text*."""
    file = folder / "pgmcp.toml"
    file.write_text(text)
    return main(["check", "--config", str(file)])


def test_a_sound_configuration_has_no_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "[server]\nhost = '/run/postgresql'\nroles = 'peer'\n[provision]\npeer = 'pgmcp'\n"

    status = check(tmp_path, text + RULE)

    shown = capsys.readouterr()
    assert (status, shown.err) == (0, "")
    assert shown.out.startswith("ok: PostgreSQL at /run/postgresql port 5432, database postgres;")


def test_credentials_need_not_be_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = check(tmp_path, CREDENTIALS)

    assert (status, capsys.readouterr().err) == (0, "")


def test_passwords_of_this_machine_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "localhost-5432.pgpass").mkdir()  # which no reader could read
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))

    assert check(tmp_path, f"[server]\nroles = 'required'\n{RULE}") == 0


WEAK = [
    pytest.param(
        "", "no access rules: every caller has every permission; write a rule", id="rules"
    ),
    pytest.param(
        f"[server]\nroles = 'shared'\n{RULE}",
        "one login serves every level: only the gateway keeps readers from writing; pgmcp provis",
        id="one login",
    ),
    pytest.param(
        f"[server]\nhost = 'db.example'\nroles = 'peer'\n{RULE}",
        "server.roles is \"peer\", but server.host 'db.example' is no socket directory",
        id="peer over TCP",
    ),
    pytest.param(
        f"[provision]\npeer = 'pgmcp'\n{RULE}",
        "provision.peer is 'pgmcp', so the roles have no passwords, but server.roles is \"auto\"; ",
        id="peer half way",
    ),
    pytest.param(
        f"[identity]\nkeys_file = '/nowhere/keys'\n{RULE}",
        "cannot read the API keys /nowhere/keys: No such file or directory. Let the gateway's",
        id="keys",
    ),
    pytest.param(
        "[[access]]\nwho = 'key:ci'\npermissions = 'read'\n",
        "rules name key:ci, but no keys are configured; pgmcp key new",
        id="key without keys",
    ),
    pytest.param(
        "[[access]]\nwho = 'tag:ci'\npermissions = 'read'\n",
        "rules name tag:ci, but only grants of the tailnet tell who has a tag; identity.capab",
        id="tag without capability",
    ),
    pytest.param(
        f"[http]\ntrust_proxy_headers_on_tcp = true\n{RULE}",
        "every local process can claim to be anybody: http.trust_proxy_headers_on_tcp; publish",
        id="believed headers",
    ),
]


@pytest.mark.parametrize(("text", "warning"), WEAK)
def test_what_is_weak_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, warning: str
) -> None:
    status = check(tmp_path, text)

    shown = capsys.readouterr().err
    assert status == 0
    assert shown.startswith(f"warning: {warning}")
    assert shown.count("\n") == 1


def test_what_is_wrong_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = check(tmp_path, RULE.replace("admin", "write-all"))

    shown = capsys.readouterr()
    assert (status, shown.out) == (1, "")
    assert shown.err == (
        "pgmcp: access rule 1: permissions: 'write-all' is no permission. Write one of read, "
        "write, ddl, admin; each contains those before it.\n"
    )


MISSING = [
    pytest.param("server.password", "pgpass", "[server]\npassword_credential", id="password"),
    pytest.param("identity.keys", "keys", "[identity]\nkeys_credential", id="keys"),
]
DIRECTORIES = [pytest.param(False, id="no directory"), pytest.param(True, id="no file in it")]


@pytest.mark.parametrize("is_set", DIRECTORIES)
@pytest.mark.parametrize(("setting", "name", "key"), MISSING)
def test_serve_names_a_credential_that_is_missing(
    tmp_path: Path, setting: str, name: str, key: str, *, is_set: bool
) -> None:
    file = tmp_path / "pgmcp.toml"
    file.write_text(f"{key} = '{name}'\n[http]\nport = 0\n")
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)} if is_set else {}

    ran = run_command(["serve", "--config", str(file)], environment)

    lines = [line for line in ran.stderr.splitlines() if "WARNING" not in line]
    assert ran.returncode == 1
    assert len(lines) == 1
    assert lines[0].startswith(f"pgmcp: {setting}_credential names '{name}', which systemd did not")
    assert lines[0].endswith(f"Add LoadCredential={name}:FILE to the unit.")
