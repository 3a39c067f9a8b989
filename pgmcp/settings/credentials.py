"""
Secrets and where they are: systemd's credentials, and the passfile of the login roles.

Reads their files; never keeps a secret in a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pgmcp.errors import CallerError
from pgmcp.logins import ROLE_OF
from pgmcp.settings.server import Server
from pgmcp.values import is_credential

PASSFILE_FIELDS = 5  # host:port:database:user:password
LOOPBACK = ("127.0.0.1", "::1")  # other spellings of localhost
WITH_PASSFILE = ("auto", "required")  # the values of server.roles that look for one


def fill_password(
    merged: dict[str, Any],  # Any: the sources' own values
    environ: Mapping[str, str],
    *,
    is_needed: bool,
) -> None:
    """
    Read the password that systemd handed over as server.password_credential.

    Raises:
        CallerError: it did not, and *is_needed*.
    """
    name = merged.get("server", {}).get("password_credential")
    if not is_credential(name) or merged["server"].get("password"):
        return
    directory = environ.get("CREDENTIALS_DIRECTORY")
    reason = "CREDENTIALS_DIRECTORY is not set"
    if directory:
        path = Path(directory) / str(name)
        try:
            merged["server"]["password"] = path.read_text(encoding="utf-8").rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = f"{path}: {getattr(error, 'strerror', None) or 'it is not UTF-8'}"
        else:
            return
    if is_needed:
        raise CallerError(
            f"server.password_credential names {name!r}, which systemd did not hand over "
            f"({reason}). Add LoadCredential={name}:FILE to the unit."
        )


def fill_keys(
    merged: dict[str, Any],  # Any: the sources' own values
    environ: Mapping[str, str],
) -> None:
    """Name the file of identity.keys_credential where it was handed over; who opens it asks."""
    identity, directory = merged.get("identity", {}), environ.get("CREDENTIALS_DIRECTORY")
    name = identity.get("keys_credential")
    if not (is_credential(name) and directory) or identity.get("keys_file"):
        return
    if (path := Path(directory) / str(name)).exists():
        rest = {key: value for key, value in identity.items() if key != "keys_credential"}
        merged["identity"] = {**rest, "keys_file": path}


def passfile_path(environ: Mapping[str, str], host: str, port: str) -> Path:
    """Return where `pgmcp provision` keeps the passwords of the login roles of one server."""
    home = Path(environ.get("HOME") or "/nonexistent")
    state = environ.get("XDG_STATE_HOME") or home / ".local" / "state"
    # systemd joins several directories by colons; the first is the gateway's own.
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    directory = Path(given or Path(state) / "pgmcp")
    hosts = [part.strip() for part in host.split(",")]
    name = ",".join("localhost" if part in LOOPBACK else part for part in hosts)
    return directory / f"{quote(name, safe=',')}-{port}.pgpass"


def fill_passwords(
    merged: dict[str, Any],  # Any: the sources' own values
    environ: Mapping[str, str],
) -> None:
    """Read the login roles' passwords where provision has left some and server.roles asks."""
    server = merged.get("server", {})
    if server.get("roles", "auto") not in WITH_PASSFILE:
        return
    host, port = str(server.get("host", "localhost")), str(server.get("port", "5432"))
    path = passfile_path(environ, host, port)
    found = passwords_in(path)
    if found is not None or server.get("roles") == "required":
        server |= {"passwords": found or {}, "roles_passfile": path}
        merged["server"] = server


def passwords_in(path: Path) -> dict[str, str] | None:
    """
    Return the passwords of the login roles in provision's passfile, by role; None without a file.

    Raises:
        CallerError: the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CallerError(
            f"cannot read the passfile {path}: {reason}. It was made by pgmcp provision; let the "
            "gateway's user own it, or set server.roles to shared."
        ) from error
    return _passwords_of(text)


def _passwords_of(passfile: str) -> dict[str, str]:
    """Return the passwords of the login roles in a file of libpq's format, by role."""
    fields = [line.split(":") for line in passfile.splitlines() if not line.startswith("#")]
    # Host and database may hold escaped colons; the last two never do, as provision writes them.
    found = {line[-2]: line[-1] for line in fields if len(line) >= PASSFILE_FIELDS}
    return {role: password for role, password in found.items() if role in ROLE_OF.values()}


def renewed(server: Server) -> Server:
    """
    Return *server* with the passwords that its passfile holds now: provision may have set new ones.

    A file that is gone or cannot be read changes nothing, so that roles never fall away.
    """
    if server.roles_passfile is None or not server.logins.are_roles:
        return server
    try:
        found = passwords_in(server.roles_passfile) or {}
    except CallerError:
        return server
    return server.model_copy(update={"passwords": {**server.passwords, **found}})


def require_roles(server: Server) -> None:
    """
    Refuse to start without the login roles where the operator has said that they must be there.

    Raises:
        CallerError: says where the passwords should be, and which command puts them there.
    """
    if server.roles == "required" and not server.logins.are_roles:
        raise CallerError(
            'server.roles is "required", but no passwords of the login roles are in '
            f"{server.roles_passfile}. Run pgmcp provision with the same PGHOST and PGPORT, as the "
            "user that runs the gateway."
        )
