"""
Reading the settings: defaults, a file, the environment and flags, in that order.

The only module that reads files or the environment; it opens no connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import TypeAdapter, ValidationError

from pgmcp.errors import CallerError
from pgmcp.settings.credentials import fill_keys, fill_password, fill_passwords
from pgmcp.settings.parse import parse
from pgmcp.settings.sections import Settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

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
    "int_type": f"{INPUT} is no whole number. Write it in digits alone, without quotes",
    "bool_type": f"{INPUT} is neither true nor false. Write one of these words, without quotes",
    **dict.fromkeys(("string_type", "path_type"), f"{INPUT} is no text. Put it in quotes"),
    "tuple_type": f"{INPUT} is no list. Write one in brackets",
    "model_type": f"{INPUT} is no rule. Write a table with who and permissions",
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
    needs_credentials: bool = True,
) -> Settings:
    """
    Merge the sources into Settings; a later one wins.

    A number or a boolean must be one in the file; the environment and flags hold text.
    *flags* are (section, key) pairs from the command line; None values count as not given, and
    a list adds to the file's.
    Without *needs_credentials* a password that systemd has not handed over and those of the login
    roles are left out, so that a configuration can be checked on another machine.

    Raises:
        CallerError: a source has an unknown key or a value out of range; names it.
    """
    merged: dict[str, Any] = _read_file(file) if file else {}  # Any: the file's own values
    sources: dict[tuple[int | str, ...], str] = {}  # what a wrong value is called
    for name, (section, key) in ENVIRONMENT.items():
        if environ.get(name):
            merged.setdefault(section, {})[key] = _from_text(section, key, environ[name])
            sources[section, key] = name
    for (section, key), value in (flags or {}).items():
        if value is not None:
            given = merged.setdefault(section, {})
            one = _from_text(section, key, value)
            given[key] = [*_listed(given.get(key)), *one] if isinstance(one, list) else one
            sources[section, key] = f"--{key.replace('_', '-')}"
    fill_password(merged, environ, is_needed=needs_credentials)
    fill_keys(merged, environ)
    if needs_credentials:
        fill_passwords(merged, environ)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise CallerError(_explain(error, sources)) from error


def _from_text(section: str, key: str, given: object) -> object:
    """
    Return what the text of a variable or flag stands for, or itself if it stands for nothing.

    An empty one takes a value off that need not be there.
    """
    model: Any = Settings.model_fields[section].annotation  # Any: a class of sections
    field = model.model_fields.get(key)
    if field is None or not isinstance(given, str):
        return given
    if not given and field.default is None:
        return None
    if field.annotation not in (int, bool):
        return given
    try:
        return TypeAdapter[object](field.annotation).validate_python(given)
    except ValidationError:
        return given  # the section says what is wrong with it


def _listed(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _read_file(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CallerError(f"cannot read the configuration {file}: {reason}.") from error
    try:
        parsed = parse(text, is_json=file.suffix == ".json")
    except ValueError as error:
        raise CallerError(f"the configuration {file} does not parse: {error}.") from error
    if not isinstance(parsed, dict):
        raise CallerError(f"the configuration {file} is not a table of sections such as [http].")
    for key, value in parsed.items():
        if isinstance(value, dict) or key in ("log_level", "access"):
            continue
        if key in Settings.model_fields:
            raise CallerError(
                f"the configuration {file} has {value!r} as {key}, which is no section. Write "
                f"[{key}] and its keys below it; in JSON, an object."
            )
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
    fields = model.model_fields.items()
    return ". Known here: " + ", ".join(field.alias or name for name, field in fields)
