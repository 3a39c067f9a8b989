"""The parts of pgmcp provision that need no server: passwords, names, words."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgmcp.errors import PgmcpError
from pgmcp.logins import LOGINS, ROLE_OF, Account, Logins
from pgmcp.passwords import make_password
from pgmcp.provision.capabilities import PARAMETERS
from pgmcp.provision.excepted import is_excepted, meant_for, unmatched
from pgmcp.provision.passfile import check_place, fits, read_passwords, write_passwords
from pgmcp.provision.script import connect_argument
from pgmcp.provision.step import Options, Outcome, Step, listed, shown
from pgmcp.settings import Server
from pgmcp.tools.admin.guarded import refusal

PASSWORDS = {role: f"word-{role}" for role in ROLE_OF.values()}


def test_nothing_is_handed_over_that_pg_admin_refuses() -> None:
    assert [name for name in PARAMETERS if refusal(name)] == []
    assert sorted(set(PARAMETERS)) == list(PARAMETERS)


def test_a_shared_login_is_the_settings_own() -> None:
    assert Logins().account("read") == Account()
    assert not Logins().are_roles


def test_each_login_has_its_role_and_password() -> None:
    logins = Logins(mode="roles", passwords=PASSWORDS)

    assert [logins.account(name).user for name in LOGINS] == list(ROLE_OF.values())
    assert logins.account("ddl").password == "word-pgmcp_ddl"
    assert "word" not in repr(logins) + repr(logins.account("ddl"))
    assert Logins(mode="roles").account("read") == Account(user="pgmcp_read")


def test_a_password_is_checked_against_what_the_server_keeps() -> None:
    password, other = make_password(), make_password()

    assert fits(password.clear, password.verifier)
    assert not fits(other.clear, password.verifier)


@pytest.mark.parametrize(
    "verifier",
    [
        None,
        "",
        "md5d41d8cd98f00b204e9800998ecf8427e",
        "SCRAM-SHA-256$",
        "SCRAM-SHA-256$4096:%%$a:b",
        "SCRAM-SHA-256$0:AAAA$a:b",
        "SCRAM-SHA-256$99999999999999999999:AAAA$a:b",
        "SCRAM-SHA-256$-1:AAAA$a:b",
    ],
)
def test_another_form_of_verifier_fits_no_password(verifier: str | None) -> None:
    assert not fits("word", verifier)


def test_the_passfile_holds_a_line_for_every_host(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x.pgpass"
    check_place(path)

    write_passwords(path, Server(host="db1, fd7a::1,/run/pg\\x", port="5432,5433,5434"), PASSWORDS)

    assert path.read_text().splitlines()[1] == "db1:5432:*:pgmcp_read:word-pgmcp_read"
    assert "fd7a\\:\\:1:5433:*:pgmcp_read:word-pgmcp_read" in path.read_text()
    assert "/run/pg\\\\x:5434:*:pgmcp_read:word-pgmcp_read" in path.read_text()
    assert read_passwords(path) == PASSWORDS
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_passfile_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """Who reads the old one goes on reading the old one."""
    path = tmp_path / "x.pgpass"
    write_passwords(path, Server(), PASSWORDS)
    with path.open() as old:
        write_passwords(path, Server(), {"pgmcp_read": "new"})

        assert "word-pgmcp_read" in old.read()
    assert read_passwords(path) == {"pgmcp_read": "new"}


def test_a_passfile_that_is_a_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(PgmcpError, match="cannot be used: Is a directory"):
        read_passwords(tmp_path)


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("app", "app"),
        ("App.1", "App.1"),
        ("two words", "-reuse-previous=on \"dbname='two words'\""),
        ("it's", "-reuse-previous=on \"dbname='it\\'s'\""),
        ('a"b', '-reuse-previous=on "dbname=\'a""b\'"'),
        ("a=b\\", "-reuse-previous=on \"dbname='a=b\\\\'\""),
    ],
)
def test_psql_connects_to_any_name(name: str, argument: str) -> None:
    assert connect_argument(name) == argument


def test_a_name_stays_on_its_line() -> None:
    assert shown("app") == "app"
    assert shown("two words") == '"two words"'
    assert shown('a"\nb\u2028c') == '"a""\\x0ab\\x2028c"'
    assert listed([f"t{number}" for number in range(10)]).endswith("t7 and 2 more")


@pytest.mark.parametrize(
    ("pattern", "closed"),
    [
        ("app.secret", True),
        ("app.secret.keys", True),
        ("*.secret.*", True),
        ("app.*", True),
        ("app.secret.key", False),
        ("other.secret", False),
        ("app.Secret", False),
    ],
)
def test_a_pattern_closes_what_it_names(pattern: str, *, closed: bool) -> None:
    options = Options(excepted=(pattern,))

    assert is_excepted(options, "app", "secret", "keys") is closed


def test_a_pattern_that_names_nothing_is_told_once_it_could_have_been_seen() -> None:
    options = Options(excepted=("app.a", "*.b", "other.c"))
    only = Options(excepted=options.excepted, databases=("app",))

    assert [line.split("'")[1] for line in unmatched(options, {"app.a"}, ["app"])] == [
        "*.b",
        "other.c",
    ]
    assert [line.split("'")[1] for line in unmatched(only, {"app.a"}, ["app"])] == ["*.b"]
    assert meant_for(options, "app") == {"app.a", "*.b"}


def test_an_outcome_reads_as_sentences() -> None:
    step = Step(sql="GRANT a TO b", what="grant a to b")
    outcome = Outcome(done=(step.done,), failed=("grant c to d: no",), notes=("odd",))

    assert outcome.lines() == ["granted a to b", "could not grant c to d: no", "note: odd"]
    assert outcome.status == 1
    assert Outcome(done=(step.done, step.done)).lines() == ["granted a to b (2 times)"]
    assert Outcome(notes=("odd",)).lines() == ["nothing to do; --dry-run shows 1 note"]
    assert Outcome(warnings=("odd",)).lines() == ["nothing to do", "warning: odd"]
    assert Outcome().status == 0
