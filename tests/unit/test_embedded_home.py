"""Which directories a private cluster refuses to start on, and in which words."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pgmcp.connect import connect_lines
from pgmcp.embedded.demo import SHARED_BASE, choose_base
from pgmcp.embedded.home import Home, check, fits, living_postmaster, make_base, write_password
from pgmcp.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

as_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return the places of an empty home of a server of version 18."""
    return Home(base=tmp_path, major=18)


def make_data(home: Home, version: str = "18") -> None:
    """Make what initdb leaves behind, as far as the checks look."""
    (home.data / "global").mkdir(parents=True)
    (home.data / "global" / "pg_control").touch()
    (home.data / "PG_VERSION").write_text(f"{version}\n")
    write_password(home.password)


def test_empty_home_is_fine(home: Home) -> None:
    """The first start begins here."""
    check(home)

    assert not home.is_created()


def test_whole_data_directory_is_fine(home: Home) -> None:
    """The second start begins here."""
    make_data(home)

    check(home)

    assert home.is_created()


def test_interrupted_initdb_is_named_with_the_way_on(home: Home) -> None:
    """The directory is ours and holds nothing, but removing it is the operator's act."""
    home.unfinished.mkdir()

    with pytest.raises(Unavailable, match=f"holds no data. .*: rm -r {home.unfinished}"):
        check(home)


def test_missing_version_file_is_half_made(home: Home) -> None:
    """It may hold data, so the sentence does not advise to remove it."""
    home.data.mkdir()

    with pytest.raises(Unavailable, match=r"half-made: PG_VERSION is missing. Restore it"):
        check(home)


def test_missing_control_file_is_half_made(home: Home) -> None:
    """PostgreSQL writes PG_VERSION early and pg_control late."""
    make_data(home)
    (home.data / "global" / "pg_control").unlink()

    with pytest.raises(Unavailable, match=r"half-made: global/pg_control is missing"):
        check(home)


def test_data_of_another_major_is_not_passed_by(home: Home) -> None:
    """Beginning anew beside it would look like lost data."""
    make_data(Home(base=home.base, major=15), "15")

    with pytest.raises(Unavailable, match=r"data-15 is a cluster of PostgreSQL 15, and .* is 18"):
        check(home)


def test_data_directory_with_a_wrong_name_is_refused(home: Home) -> None:
    """The version inside counts, not the name."""
    make_data(home, "17")

    with pytest.raises(Unavailable, match=r"cluster of PostgreSQL 17.*PGMCP_PG_BIN"):
        check(home)


def test_missing_password_is_named(home: Home) -> None:
    """Without it the server would start and nobody could log in."""
    make_data(home)
    home.password.unlink()

    with pytest.raises(Unavailable, match=r"password is missing, so nobody can log in"):
        check(home)


def test_leftover_number_of_another_program_is_no_server(home: Home) -> None:
    """After a crash the number in postmaster.pid may belong to anything."""
    make_data(home)
    (home.data / "postmaster.pid").write_text(f"{os.getpid()}\n{home.data}\n")

    assert living_postmaster(home.data) is None


def test_password_is_for_its_owner_only(home: Home) -> None:
    """From the first byte on."""
    password = write_password(home.password)

    assert home.password.read_text() == password
    assert home.password.stat().st_mode & 0o777 == 0o600


def test_existing_directory_keeps_its_permissions(tmp_path: Path) -> None:
    """The launcher widens nobody's directory."""
    tmp_path.chmod(0o700)

    make_base(tmp_path, for_others=True)

    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_file_in_the_place_of_the_directory_is_named(tmp_path: Path) -> None:
    """The operating system's own words are passed on."""
    (tmp_path / "taken").touch()

    with pytest.raises(Unavailable, match="cannot be made: File exists"):
        make_base(tmp_path / "taken", for_others=False)


@as_user
def test_directory_of_somebody_else_is_named(tmp_path: Path) -> None:
    """No permission is one sentence, not a traceback."""
    tmp_path.chmod(0o500)

    with pytest.raises(Unavailable, match="is not writable for this user"):
        make_base(tmp_path, for_others=False)


def test_socket_path_has_a_limit(tmp_path: Path) -> None:
    """The kernel takes 107 bytes, of whatever letters."""
    assert fits(tmp_path / "s")
    assert not fits(tmp_path / ("ü" * 50))


@as_user
def test_state_directory_is_the_users_own(tmp_path: Path) -> None:
    """A relative XDG_STATE_HOME counts as not set, by its specification."""
    assert choose_base(state_home="/state", home=tmp_path).as_posix() == "/state/pgmcp/demo"
    assert choose_base(state_home="state", home=tmp_path) == tmp_path / ".local/state/pgmcp/demo"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
def test_roots_state_directory_is_reachable_for_the_server(tmp_path: Path) -> None:
    """Root's own home directory is closed to the account that the server runs as."""
    assert choose_base(state_home="/root/state", home=tmp_path) == SHARED_BASE


def test_connect_lines_name_the_url_for_each_client() -> None:
    """A form that nobody has run says so."""
    lines = connect_lines("http://127.0.0.1:3000/mcp")

    assert lines[0].endswith("claude mcp add --transport http pg http://127.0.0.1:3000/mcp")
    assert [line for line in lines if "http://127.0.0.1:3000/mcp" not in line] == []
    assert [line.split()[0] for line in lines if "not verified" in line] == ["Cline"]
