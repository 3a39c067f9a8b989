"""
Reading the settings: defaults, a file, the environment and flags, in that order.

The only module that reads files or the environment; it opens no connection.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import quote

from pydantic import ValidationError

from pgmcp.errors import CallerError
from pgmcp.logins import ROLE_OF
from pgmcp.settings.sections import Server, Settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

PASSFILE_FIELDS = 5  # host:port:database:user:password
LOOPBACK = ("127.0.0.1", "::1")  # other spellings of localhost
ENVIRONMENT = {
    "PGHOST": ("server", "host"),
    "PGPORT": ("server", "port"),
    "PGUSER": ("server", "user"),
    "PGPASSWORD": ("server", "password"),
    "PGPASSFILE": ("server", "passfile"),
    "PGSSLMODE": ("server", "sslmode"),
    "PGDATABASE": ("server", "database"),
    "PORT": ("http", "port"),
    "MCP_ALLOWED_ORIGINS": ("http", "allowed_origins"),
    "PGMCP_BACKUP_DIRECTORY": ("backup", "directory"),
}

INPUT = "<input>"
# What pydantic says in words of its own; the one pattern is that of identity.capability.
SENTENCES = {
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), f"{INPUT} is no whole number"),
    "missing": "is missing",
    "too_short": "is empty. Name at least one",
    "string_pattern_mismatch": f"{INPUT} is no capability. Write a domain of yours, a slash and a "
    "path: example.com/cap/pgmcp",
}


def load(
    *,
    environ: Mapping[str, str],
    file: Path | None = None,
    flags: Mapping[tuple[str, str], object] | None = None,
) -> Settings:
    """
    Merge the sources into Settings; a later one wins.

    *flags* are (section, key) pairs from the command line; None values count as not given.

    Raises:
        CallerError: a source has an unknown key or a value out of range; names it.
    """
    merged: dict[str, Any] = _read_file(file) if file else {}  # Any: the file's own values
    sources: dict[tuple[int | str, ...], str] = {}  # what a wrong value is called
    for name, (section, key) in ENVIRONMENT.items():
        if environ.get(name):
            merged.setdefault(section, {})[key] = environ[name]
            sources[section, key] = name
    for (section, key), value in (flags or {}).items():
        if value is not None:
            merged.setdefault(section, {})[key] = value
            sources[section, key] = f"--{key}"
    _fill_credential(merged, environ)
    _fill_keys(merged, environ)
    _fill_passwords(merged, environ)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise CallerError(_explain(error, sources)) from error


def _read_file(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CallerError(f"cannot read the configuration {file}: {reason}.") from error
    try:
        parsed = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise CallerError(f"the configuration {file} does not parse: {error}.") from error
    if not isinstance(parsed, dict):
        raise CallerError(f"the configuration {file} is not a table of sections such as [http].")
    for key, value in parsed.items():
        if not isinstance(value, dict) and key not in ("log_level", "access"):
            raise CallerError(
                f"the configuration {file} has {key!r} outside the sections"
                f"{_siblings(('',))}; all but log_level are sections such as [http]."
            )
    for name in ("password", "passwords", "roles_passfile"):
        if name in parsed.get("server", {}):
            raise CallerError(
                f"the configuration {file} holds server.{name}. A file names a systemd credential: "
                "write server.password_credential, or set PGPASSWORD or PGPASSFILE."
            )
    return parsed


def _fill_credential(merged: dict[str, Any], environ: Mapping[str, str]) -> None:
    name = merged.get("server", {}).get("password_credential")
    if not name or merged["server"].get("password"):
        return
    directory = environ.get("CREDENTIALS_DIRECTORY")
    path = Path(directory or "/nonexistent") / str(name)
    try:
        merged["server"]["password"] = path.read_text(encoding="utf-8").rstrip("\n")
    except OSError as error:
        raise CallerError(
            f"server.password_credential names {name!r}, which systemd did not hand over "
            f"({path}: {error.strerror}). Add LoadCredential={name}:FILE to the unit."
        ) from error


def _fill_keys(merged: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Name the file of a credential that was handed over; `check` needs none to be there."""
    identity, directory = merged.get("identity", {}), environ.get("CREDENTIALS_DIRECTORY")
    name = identity.get("keys_credential")
    if name and directory and not identity.get("keys_file"):
        rest = {key: value for key, value in identity.items() if key != "keys_credential"}
        merged["identity"] = {**rest, "keys_file": Path(directory) / str(name)}


def passfile_path(environ: Mapping[str, str], host: str, port: str) -> Path:
    """Return where `pgmcp provision` keeps the passwords of the login roles of one server."""
    home = Path(environ.get("HOME") or "/nonexistent")
    state = environ.get("XDG_STATE_HOME") or home / ".local" / "state"
    directory = Path(environ.get("STATE_DIRECTORY") or Path(state) / "pgmcp")
    hosts = [part.strip() for part in host.split(",")]
    name = ",".join("localhost" if part in LOOPBACK else part for part in hosts)
    return directory / f"{quote(name, safe=',')}-{port}.pgpass"


def _fill_passwords(merged: dict[str, Any], environ: Mapping[str, str]) -> None:
    server = merged.get("server", {})
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


def _explain(error: ValidationError, sources: Mapping[tuple[int | str, ...], str]) -> str:
    parts = []
    for item in error.errors():
        where, said = sources.get(item["loc"][:2]) or _place(item["loc"]), _said(item)
        link = " " if said.startswith("is ") else ": "
        parts.append((f"{where}{link}{said}" if where else said).removesuffix("."))
    return "; ".join(parts) + "."


def _place(loc: tuple[int | str, ...]) -> str:
    """Name a rule by its number from 1, as refusals do; what is in its lists, the sentence says."""
    if len(loc) > 1 and loc[0] == "access":
        return ": ".join([f"access rule {int(loc[1]) + 1}", *(str(key) for key in loc[2:3])])
    return ".".join(str(part) for part in loc)


def _said(item: ErrorDetails) -> str:
    kind, given, limits = item["type"], item["input"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return f"no such setting{_siblings(item['loc'])}"
    if kind == "tuple_type" and item["loc"] == ("access",):
        return "is no list of rules. Write [[access]] with two brackets, once for each rule"
    if kind == "literal_error":
        return f"{given!r} is not known. Write {limits['expected']}"
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = f"below {limits['ge']}" if "ge" in limits else f"above {limits['le']}"
        return f"{given} is {bound}"
    if kind in SENTENCES:
        return SENTENCES[kind].replace(INPUT, repr(given))
    return item["msg"].removeprefix("Value error, ")


def _siblings(loc: tuple[int | str, ...]) -> str:
    model: Any = Settings  # Any: a class or a field's annotation on the way down
    for part in loc[:-1]:
        # A number stands for one of a list of sections, such as [[access]].
        inner = isinstance(part, int)
        model = get_args(model)[0] if inner else model.model_fields[str(part)].annotation
    return ". Known here: " + ", ".join(model.model_fields)
