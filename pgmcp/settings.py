"""
What the operator has set, from defaults, a file, the environment and flags, in that order.

The only module that reads files or the environment; it opens no connection.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from pgmcp.errors import CallerError
from pgmcp.values import Hosts, Origins, Seconds, SslMode, is_loopback, ports

APPLICATION_NAME = "pgmcp"


class Section(BaseModel):
    """Refuse unknown keys: a misspelt limit must not be silently the default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Server(Section):
    """Where PostgreSQL is and who connects; the words are libpq's."""

    host: str = Field("localhost", description="Host or socket directory; several by commas.")
    port: str = Field("5432", description="Port; one for all hosts or one each, by commas.")
    user: str | None = Field(
        None, description="Login role; without it the operating system's user."
    )
    password: str | None = Field(None, repr=False, description="From PGPASSWORD only.")
    password_credential: str | None = Field(
        None, description="Name of the systemd credential that holds the password."
    )
    passfile: Path | None = Field(None, description="A password file in libpq's format.")
    sslmode: SslMode | None = Field(None, description="libpq's sslmode.")
    database: str = Field("postgres", description="The database of calls that name none.")
    connect_timeout: Seconds = Field(timedelta(seconds=5), description="Limit of one connect.")

    @field_validator("port", mode="before")
    @classmethod
    def _ports(cls, value: object, info: ValidationInfo) -> object:
        return ports(value, hosts=str(info.data.get("host", "")).count(",") + 1)

    def libpq_environment(self, database: str) -> dict[str, str]:
        """Return the PG* variables with which libpq's programs reach *database* as we do."""
        given = {
            "PGHOST": self.host,
            "PGPORT": self.port,
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGPASSFILE": str(self.passfile) if self.passfile else None,
            "PGSSLMODE": self.sslmode,
            "PGDATABASE": database,
            "PGAPPNAME": APPLICATION_NAME,
            "PGCONNECT_TIMEOUT": str(max(1, round(self.connect_timeout.total_seconds()))),
        }
        return {name: value for name, value in given.items() if value}


class Http(Section):
    """Where the gateway listens and whom it answers."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(3000, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    socket: Path | None = Field(None, description="Unix socket to listen on instead of TCP.")
    allowed_origins: Origins = Field(
        (), description="Origins that pass the Origin check, such as https://pi.example.ts.net."
    )
    allowed_hosts: Hosts = Field(
        (), description="Host names answered besides loopback's and those of allowed_origins."
    )
    max_body_bytes: int = Field(4 * 1024 * 1024, ge=1024, description="Largest request body.")
    max_sessions: int = Field(1000, ge=1, description="MCP sessions open at once.")
    session_idle: Seconds = Field(
        timedelta(minutes=30), description="An MCP session unused for so long ends."
    )
    shutdown_grace: Seconds = Field(
        timedelta(seconds=3), description="Time that running calls get at shutdown."
    )

    def exposure(self) -> str | None:
        """Return the warning that an address beyond loopback deserves, or None."""
        if self.socket is not None or is_loopback(self.host):
            return None
        return (
            f"http.host {self.host!r} is not loopback: anybody who reaches that address may call. "
            "Listen on 127.0.0.1 and publish it with tailscale serve."
        )


class Limits(Section):
    """What one call may cost."""

    max_rows: int = Field(200, ge=1, description="Rows of an answer unless the call says more.")
    max_rows_ceiling: int = Field(5000, ge=1, description="The most rows a call may ask for.")
    max_bytes: int = Field(24_000, ge=1000, description="Size of the rows in one answer.")
    timeout: Seconds = Field(timedelta(seconds=30), description="Limit of one statement.")
    timeout_ceiling: Seconds = Field(
        timedelta(seconds=600), description="The longest limit that a call may ask for."
    )
    maintenance_timeout: Seconds = Field(
        timedelta(hours=1), description="Limit of VACUUM, ANALYZE, REINDEX and CONCURRENTLY."
    )
    lock_timeout: Seconds = Field(
        timedelta(seconds=10), description="Limit of one wait for a lock; DDL waits 3 s at most."
    )
    max_statement_bytes: int = Field(64_000, ge=1000, description="Longest SQL text in UTF-8.")


class Pools(Section):
    """How many connections the gateway may open to PostgreSQL."""

    per_database: int = Field(3, ge=1, description="Connections of one database and level.")
    total: int = Field(20, ge=2, description="Connections in all, open transactions included.")
    wait: Seconds = Field(timedelta(seconds=5), description="Limit of one wait for a connection.")
    idle: Seconds = Field(timedelta(seconds=60), description="An unused connection is closed.")


class TransactionLimits(Section):
    """How long a transaction across calls may live."""

    idle: Seconds = Field(timedelta(minutes=5), description="Rolled back when unused so long.")
    idle_contended: Seconds = Field(
        timedelta(seconds=60), description="The same, once somebody waits for its locks."
    )
    total: Seconds = Field(timedelta(minutes=30), description="Rolled back at this age.")
    per_owner: int = Field(8, ge=1, description="Open at once for one owner.")
    tombstone: Seconds = Field(
        timedelta(hours=1), description="How long a closed handle is remembered."
    )


class Backup(Section):
    """Where pg_admin action=backup writes, and with which program."""

    directory: Path | None = Field(None, description="Directory for dumps; none: no backups.")
    pg_dump: str = Field("pg_dump", description="The pg_dump program: a name on PATH or a path.")
    timeout: Seconds = Field(timedelta(hours=1), description="Limit of one dump.")


class Settings(Section):
    """Hold every setting, with its default."""

    server: Server = Server()
    http: Http = Http()
    limits: Limits = Limits()
    pools: Pools = Pools()
    transactions: TransactionLimits = TransactionLimits()
    backup: Backup = Backup()
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _fit(self) -> Settings:
        limits = self.limits
        if limits.max_rows > limits.max_rows_ceiling:
            raise ValueError("limits.max_rows is above limits.max_rows_ceiling")
        if limits.timeout > limits.timeout_ceiling:
            raise ValueError("limits.timeout is above limits.timeout_ceiling")
        if self.pools.per_database >= self.pools.total:
            raise ValueError(
                f"pools.per_database {self.pools.per_database} is not below pools.total "
                f"{self.pools.total}: one database would take every connection"
            )
        if self.transactions.idle > self.transactions.total:
            raise ValueError("transactions.idle is above transactions.total")
        return self


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
        if not isinstance(value, dict) and key != "log_level":
            raise CallerError(
                f"the configuration {file} has {key!r} outside the sections"
                f"{_siblings(('',))}; all but log_level are sections such as [http]."
            )
    if "password" in parsed.get("server", {}):
        raise CallerError(
            f"the configuration {file} holds server.password. A file names a systemd credential: "
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


def _explain(error: ValidationError, sources: Mapping[tuple[int | str, ...], str]) -> str:
    parts = []
    for item in error.errors():
        where = sources.get(item["loc"][:2]) or ".".join(str(part) for part in item["loc"])
        limits = item.get("ctx", {})
        said = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            said = f"no such setting{_siblings(item['loc'])}"
        elif item["type"] in ("int_parsing", "int_type", "int_from_float"):
            said = f"{item['input']!r} is no whole number"
        elif item["type"] == "literal_error":
            said = f"{item['input']!r} is not known. Write {limits['expected']}"
        elif item["type"] in ("greater_than_equal", "less_than_equal"):
            said = f"{item['input']} is " + (
                f"below {limits['ge']}" if "ge" in limits else f"above {limits['le']}"
            )
        parts.append((f"{where}: {said}" if where else said).removesuffix("."))
    return "; ".join(parts) + "."


def _siblings(loc: tuple[int | str, ...]) -> str:
    model: Any = Settings  # Any: a class or a field's annotation on the way down
    for part in loc[:-1]:
        model = model.model_fields[str(part)].annotation
    return ". Known here: " + ", ".join(model.model_fields)
