"""
The directory of one private cluster: its data, password, log and socket.

Owns the layout and every check before a start; must never delete data.

    BASE/lock            held while a cluster runs from here
    BASE/data-18         the data directory; -18.unfinished until initdb is done
    BASE/password        of the superuser, for whoever started the cluster
    BASE/postgresql.log  the server's own words
    BASE/socket          where its Unix socket lies
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from pgmcp.errors import Unavailable

SOCKET_MAX_BYTES = 107  # sun_path of Linux without its closing NUL
SOCKET_NAME = ".s.PGSQL.65535"


@dataclass(frozen=True, kw_only=True)
class Home:
    """Name the places below *base* for a server of version *major*."""

    base: Path
    major: int

    @property
    def data(self) -> Path:
        """Return the data directory; a server of another major cannot open it."""
        return self.base / f"data-{self.major}"

    @property
    def unfinished(self) -> Path:
        """Return where initdb works before the data directory gets its name."""
        return self.base / f"data-{self.major}.unfinished"

    @property
    def password(self) -> Path:
        """Return the file with the superuser's password."""
        return self.base / "password"

    @property
    def log(self) -> Path:
        """Return the file that the server writes its messages to."""
        return self.base / "postgresql.log"

    @property
    def socket(self) -> Path:
        """Return the directory of the Unix socket, which may be too long; see `fits`."""
        return self.base / "socket"

    def is_created(self) -> bool:
        """Tell whether a finished data directory of this major is here."""
        return self.data.exists()


def fits(socket_directory: Path) -> bool:
    """Tell whether a Unix socket in *socket_directory* has a path the kernel accepts."""
    return len(os.fsencode(socket_directory / SOCKET_NAME)) <= SOCKET_MAX_BYTES


def make_base(base: Path, *, for_others: bool) -> None:
    """
    Create *base*; *for_others* lets a lesser account pass through it to what it owns.

    An existing directory keeps its permissions.

    Raises:
        Unavailable: the directory cannot be made, or not be written.
    """
    try:
        if not base.is_dir():
            base.mkdir(parents=True, mode=0o755 if for_others else 0o700)
            base.chmod(0o755 if for_others else 0o700)  # the umask may have taken bits away
    except OSError as error:
        raise Unavailable(
            f"{base} cannot be made: {error.strerror}. "
            "Make its parent writable, or choose another directory."
        ) from error
    if not os.access(base, os.W_OK | os.X_OK):
        raise Unavailable(
            f"{base} is not writable for this user. "
            "Run as its owner, make it writable, or choose another directory."
        )


def check(home: Home) -> None:
    """
    Refuse a directory that a server of this major must not start on.

    Raises:
        Unavailable: half-made, of another major, without its password, or in use.
    """
    if home.unfinished.exists():
        raise Unavailable(
            f"{home.unfinished} is half-made: initdb did not finish there, so it holds no data. "
            f"Remove it and start again: rm -r {home.unfinished}"
        )
    if not home.is_created():
        check_other_majors(home)
        return
    found = read_major(home.data)
    if found is None or not (home.data / "global" / "pg_control").exists():
        missing = "PG_VERSION" if found is None else "global/pg_control"
        raise Unavailable(
            f"{home.data} is half-made: {missing} is missing. "
            "Restore it, or move it away to start with new data."
        )
    if found != home.major:
        raise Unavailable(other_major(home, home.data, found))
    if not home.password.exists():
        raise Unavailable(
            f"{home.password} is missing, so nobody can log in to {home.data}. "
            "Restore it, or move both away to start with new data."
        )
    if (pid := living_postmaster(home.data)) is not None:
        raise Unavailable(
            f"{home.data} is in use by the PostgreSQL server with process id {pid}. "
            f"Stop whoever started it, or that server: kill -INT {pid}"
        )


def check_other_majors(home: Home) -> None:
    """Refuse to begin anew beside the data of another major, which would seem lost."""
    for path in sorted(home.base.glob("data-*")):
        numbers = re.fullmatch(r"data-(\d+)", path.name)
        if numbers:
            raise Unavailable(other_major(home, path, int(numbers[1])))


def other_major(home: Home, data: Path, found: int) -> str:
    """Return the sentence for a cluster that this server cannot open."""
    return (
        f"{data} is a cluster of PostgreSQL {found}, and the server found is {home.major}. "
        f"Set PGMCP_PG_BIN to the bin directory of PostgreSQL {found}, "
        "or move the directory away to start with new data."
    )


def read_major(data: Path) -> int | None:
    """Return the major version that *data* was made by, or None without PG_VERSION."""
    try:
        return int((data / "PG_VERSION").read_text().split(".")[0])
    except (FileNotFoundError, ValueError):
        return None


def living_postmaster(data: Path) -> int | None:
    """
    Return the process id of the server that runs on *data*, or None.

    A number that now belongs to another program is no server: a crash left that file.

    Source: PostgreSQL, src/include/utils/pidfile.h: the number is postmaster.pid's first line.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # alive, and somebody else's
    command = Path(f"/proc/{pid}/cmdline")
    try:
        is_server = b"postgres" in command.read_bytes()
    except OSError:
        is_server = not Path("/proc/self").exists()  # no /proc to ask on macOS: believe the file
    return pid if is_server else None


def write_password(path: Path) -> str:
    """Make a new password, keep it in *path* for its owner alone, and return it."""
    password = secrets.token_urlsafe(24)
    write_private(path, password)
    return password


def write_private(path: Path, text: str) -> None:
    """Write *text* to *path* that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR), "w") as file:
        file.write(text)
