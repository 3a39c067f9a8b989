"""
Makes the data directory of a private cluster.

Owns the one call of initdb; must never leave a half-made directory under the final name.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from pgmcp.embedded.home import write_password, write_private
from pgmcp.embedded.postmaster import ENVIRONMENT, last_line
from pgmcp.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from pgmcp.embedded.account import Account
    from pgmcp.embedded.binaries import Binaries
    from pgmcp.embedded.home import Home

SUPERUSER = "postgres"
INITDB_SECONDS = 120  # under one second here; a small board on an SD card needs many
FIRST_WITH_BUILTIN_LOCALE = 17


def create(home: Home, binaries: Binaries, account: Account, *, durable: bool) -> None:
    """
    Make the data directory and the superuser's password.

    initdb works under another name and the last step is a rename, so that what bears the
    final name is whole. The server's account reads the password from a file of its own,
    which is gone afterwards.

    Raises:
        Unavailable: initdb failed; carries its last words.
    """
    password = write_password(home.password)
    handed = home.base / "password.initdb"
    home.unfinished.mkdir(mode=0o700)
    try:
        account.give(home.unfinished)
        write_private(handed, password)
        account.give(handed)
        run_initdb(home, binaries, account, handed, durable=durable)
    except BaseException:
        shutil.rmtree(home.unfinished)  # made above, and no server ever ran on it
        raise
    finally:
        handed.unlink(missing_ok=True)
    home.unfinished.rename(home.data)


def run_initdb(
    home: Home, binaries: Binaries, account: Account, password: Path, *, durable: bool
) -> None:
    """Run initdb on the unfinished directory, as *account*."""
    arguments = [
        *("-D", home.unfinished, "-U", SUPERUSER, "-E", "UTF8", "-A", "scram-sha-256"),
        *("--pwfile", password, "--no-instructions", *locale_arguments(binaries.major)),
        *(() if durable else ("--no-sync",)),
    ]
    try:
        subprocess.run(  # type: ignore[call-overload]  # noqa: S603 - run_as fits
            [binaries.bin / "initdb", *arguments],
            env=ENVIRONMENT,
            check=True,
            capture_output=True,
            cwd="/",
            timeout=INITDB_SECONDS,
            start_new_session=True,  # Ctrl-C is for us, who then finish in order
            **account.run_as(),
        )
    except subprocess.CalledProcessError as error:
        said = last_line(error.stderr.decode(errors="replace"), "initdb: ")
        raise Unavailable(
            f"initdb failed in {home.base}: {said or error}. Mend that and start again."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(
            f"initdb did not finish in {home.base} within {INITDB_SECONDS} seconds. "
            "Choose a directory on a faster disk and start again."
        ) from error


def locale_arguments(major: int) -> list[str]:
    """Return how initdb makes a cluster that knows Unicode's letters and sorts by code point."""
    if major >= FIRST_WITH_BUILTIN_LOCALE:
        return ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"] if sys.platform == "linux" else ["--no-locale"]
