"""
The passfile: the login roles' passwords of one server, in libpq's format.

Owns the file; it is replaced as a whole, and only its owner can read it.
"""

from __future__ import annotations

import hmac
import os
import tempfile
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pgmcp.errors import CallerError, Unavailable
from pgmcp.passwords import scram_verifier
from pgmcp.settings import Server, passwords_in

HEADER = "# Made by pgmcp provision; the next run replaces it."
PRIVATE_DIRECTORY = 0o700


def read_passwords(path: Path) -> dict[str, str]:
    """Return the passwords in the file, by role; none where there is no file."""
    try:
        return passwords_in(path) or {}
    except CallerError as error:
        raise _unusable(path, error.__cause__ or error) from error


def check_place(path: Path) -> None:
    """
    Make the file's directory, and see that it can be written, before any password changes.

    Raises:
        Unavailable: it cannot.
    """
    try:
        path.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _unusable(path, error) from error


def write_passwords(path: Path, server: Server, passwords: Mapping[str, str]) -> None:
    """
    Replace the file by one for *server* that only its owner reads.

    Made by root, it belongs to the owner of its directory: the user that runs the gateway.
    """
    lines = [HEADER]
    hosts = [host.strip() for host in server.host.split(",")]
    ports = server.port.split(",")
    for number, host in enumerate(hosts):
        port = ports[number % len(ports)]
        lines += [
            f"{_escaped(host)}:{port}:*:{role}:{password}" for role, password in passwords.items()
        ]
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".pgmcp-")  # mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
                file.flush()
                os.fsync(file.fileno())
                if os.geteuid() == 0:
                    place = path.parent.stat()
                    os.fchown(file.fileno(), place.st_uid, place.st_gid)
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise _unusable(path, error) from error


def remove_passwords(path: Path) -> bool:
    """Remove the file, whose passwords no longer open anything; tell whether there was one."""
    # Asked first: where the directory cannot be written, unlink fails even without a file.
    if not os.path.exists(path):  # noqa: PTH110 — Path.exists raises where it may not look
        return False
    try:
        path.unlink()
    except OSError as error:
        raise _unusable(path, error) from error
    return True


def fits(password: str, verifier: str | None) -> bool:
    """Tell whether PostgreSQL, which keeps *verifier*, would take *password*."""
    # SCRAM-SHA-256$iterations:salt$stored key:server key
    scheme, _, rest = (verifier or "").partition("$")
    setting, _, _keys = rest.partition("$")
    iterations, _, salt = setting.partition(":")
    if scheme != "SCRAM-SHA-256" or not password.isascii() or not iterations.isdigit():
        return False
    try:
        made = scram_verifier(password, b64decode(salt, validate=True), int(iterations))
    except (Base64Error, ValueError, OverflowError):
        return False
    return hmac.compare_digest(made, verifier or "")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")


def _unusable(path: Path, error: BaseException) -> Unavailable:
    reason = getattr(error, "strerror", None) or str(error)
    return Unavailable(
        f"the passfile {path} cannot be used: {reason}. Run as the user that runs pgmcp serve, or "
        "set STATE_DIRECTORY to a directory of that user's."
    )
