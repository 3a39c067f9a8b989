"""
The operating system account that a private server runs as.

Owns the choice; must never create an account or change who may enter a parent directory.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgmcp.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

PREFERRED = ("postgres", "nobody")  # the second isolates weakly, enough for a demo and tests


@dataclass(frozen=True, kw_only=True)
class Account:
    """Name the account of the server; *is_dropped* when it is not the caller's own."""

    name: str
    uid: int
    gid: int
    is_dropped: bool

    def run_as(self) -> dict[str, object]:
        """Return the arguments with which `subprocess` takes on this account."""
        if not self.is_dropped:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Hand *path*, which we made, to this account."""
        if self.is_dropped:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, path: Path) -> bool:
        """Tell whether this account reaches *path* through all its parents, and may run it."""
        if not self.is_dropped:
            return os.access(path, os.X_OK)
        # Only the kernel knows every rule (access lists, mount options), so it is asked.
        asked = subprocess.run(  # noqa: S603 - a fixed program
            ["/bin/sh", "-c", 'test -x "$1"', "sh", path],
            check=False,
            cwd="/",
            user=self.uid,
            group=self.gid,
            extra_groups=[],
        )
        return asked.returncode == 0


def choose_account() -> Account:
    """
    Return the account a server may run as: the caller's own, or for root a lesser one.

    Source: PostgreSQL manual, "Creating a Database Cluster": initdb and postgres refuse root,
    and initdb refuses a user id without a name.

    Raises:
        Unavailable: no account of this system fits.
    """
    uid = os.geteuid()
    if uid != 0:
        try:
            own = pwd.getpwuid(uid)
        except KeyError as error:
            raise Unavailable(
                f"user id {uid} has no name on this system, and PostgreSQL needs one. "
                "Run as a user that /etc/passwd lists."
            ) from error
        return Account(name=own.pw_name, uid=own.pw_uid, gid=own.pw_gid, is_dropped=False)
    for name in PREFERRED:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=found.pw_uid, gid=found.pw_gid, is_dropped=True)
    raise Unavailable(
        "PostgreSQL refuses to run as root, and there is no user postgres or nobody. "
        "Run as an ordinary user."
    )
