"""
The settings by section, each with its default and its check.

Owns the names of all settings; reads nothing.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from pgmcp.settings.rules import AccessRule
from pgmcp.settings.section import Section
from pgmcp.settings.server import Provision, Server
from pgmcp.values import (
    Credential,
    Hosts,
    Origins,
    PublicUrl,
    Seconds,
    Truth,
    WholeNumber,
    is_loopback,
)


class Http(Section):
    """Where the gateway listens and whom it answers."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: WholeNumber = Field(3000, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    tcp: Truth | None = Field(
        None, description="Listen on TCP; not set: only where there is no Unix socket."
    )
    socket: Path | None = Field(
        None, description="Unix socket for this machine's own people; no header is believed there."
    )
    tailscale_socket: Path | None = Field(
        None, description="Unix socket for tailscaled alone, whose identity headers are believed."
    )
    trust_proxy_headers_on_tcp: Truth = Field(
        default=False,
        description="Believe Tailscale's headers on TCP too. Any local process could then claim "
        "to be anybody: only where no other account exists on this machine.",
    )
    allowed_origins: Origins = Field(
        (), description="Origins that pass the Origin check, such as https://pi.example.ts.net."
    )
    allowed_hosts: Hosts = Field(
        (), description="Host names answered besides loopback's and those of allowed_origins."
    )
    public_url: PublicUrl | None = Field(
        None,
        description="Where clients reach the gateway, such as https://pi.example.ts.net: shown on "
        "the page `/`, and its host and origin are answered.",
    )
    max_body_bytes: WholeNumber = Field(
        4 * 1024 * 1024, ge=1024, description="Largest request body."
    )
    max_header_bytes: WholeNumber = Field(
        32 * 1024, ge=4096, description="Largest head of a request: its URL and headers."
    )
    arrival: Seconds = Field(
        timedelta(seconds=60), description="Time in which a whole request must have arrived."
    )
    max_connections: WholeNumber = Field(
        1000, ge=10, description="HTTP connections at once; an idle one makes room for a new one."
    )
    requests_per_caller: WholeNumber = Field(
        400, ge=1, description="Requests of one caller under way at once, open streams included."
    )
    max_sessions: WholeNumber = Field(1000, ge=1, description="MCP sessions open at once.")
    sessions_per_caller: WholeNumber = Field(
        200, ge=1, description="MCP sessions of one caller open at once."
    )
    session_idle: Seconds = Field(
        timedelta(minutes=30), description="An MCP session unused for so long ends."
    )
    shutdown_grace: Seconds = Field(
        timedelta(seconds=3), description="Time that running calls get at shutdown."
    )

    @property
    def origins(self) -> tuple[str, ...]:
        """Return every origin that may call, the public one first."""
        own = (self.public_url,) if self.public_url else ()
        return tuple(dict.fromkeys((*own, *self.allowed_origins)))

    @property
    def endpoint(self) -> str | None:
        """Return the URL of MCP behind whatever publishes the gateway; None: nobody has said."""
        return f"{self.origins[0]}/mcp" if self.origins else None

    @property
    def has_tcp(self) -> bool:
        """Tell whether the gateway listens on TCP, unless systemd hands sockets over."""
        has_socket = self.socket is not None or self.tailscale_socket is not None
        return self.tcp if self.tcp is not None else not has_socket

    def exposure(self) -> str | None:
        """Return the warning that an address beyond loopback deserves, or None."""
        if not self.has_tcp or is_loopback(self.host):
            return None
        return (
            f"http.host {self.host!r} is not loopback: anybody who reaches that address may call. "
            "Listen on 127.0.0.1 and publish it with tailscale serve."
        )


class Limits(Section):
    """What one call may cost."""

    max_rows: WholeNumber = Field(
        200, ge=1, description="Rows of an answer unless the call says more."
    )
    max_rows_ceiling: WholeNumber = Field(
        5000, ge=1, description="The most rows a call may ask for."
    )
    max_bytes: WholeNumber = Field(24_000, ge=1000, description="Size of the rows in one answer.")
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
    max_statement_bytes: WholeNumber = Field(
        64_000, ge=1000, description="Longest SQL text in UTF-8."
    )
    running: WholeNumber = Field(16, ge=1, description="Statements of one caller running at once.")
    calls_per_minute: WholeNumber | None = Field(
        None, ge=1, description="Calls of one caller in a minute; none: as many as it likes."
    )


class Pools(Section):
    """How many connections the gateway may open to PostgreSQL."""

    per_database: WholeNumber = Field(3, ge=1, description="Connections of one database and level.")
    total: WholeNumber = Field(
        20, ge=2, description="Connections in all, open transactions included."
    )
    reserved: WholeNumber = Field(
        3, ge=0, description="The last connections of all are for callers that hold fewer."
    )
    wait: Seconds = Field(timedelta(seconds=5), description="Limit of one wait for a connection.")
    idle: Seconds = Field(timedelta(seconds=60), description="An unused connection is closed.")


class TransactionLimits(Section):
    """How long a transaction across calls may live."""

    idle: Seconds = Field(timedelta(minutes=5), description="Rolled back when unused so long.")
    idle_contended: Seconds = Field(
        timedelta(seconds=60), description="The same, once somebody waits for its locks."
    )
    total: Seconds = Field(timedelta(minutes=30), description="Rolled back at this age.")
    per_owner: WholeNumber = Field(8, ge=1, description="Open at once for one owner.")
    per_caller: WholeNumber = Field(
        12, ge=1, description="Open at once for one caller, all its MCP sessions together."
    )
    open_in_all: WholeNumber = Field(
        16, ge=1, description="Open at once in all; pools.total and per_database may allow fewer."
    )
    tombstone: Seconds = Field(
        timedelta(hours=1), description="How long a closed handle is remembered."
    )


class Backup(Section):
    """Where pg_admin action=backup writes, and with which program."""

    directory: Path | None = Field(None, description="Directory for dumps; none: no backups.")
    pg_dump: str = Field("pg_dump", description="The pg_dump program: a name on PATH or a path.")
    timeout: Seconds = Field(timedelta(hours=1), description="Limit of one dump.")


class Identity(Section):
    """How callers are told apart, beyond the listener that they come by."""

    capability: str | None = Field(
        None,
        pattern=r"^([\w-]+\.)+[\w-]+/[\w/-]+$",
        description="Tailscale capability whose grants are accepted: example.com/cap/pgmcp.",
    )
    keys_credential: Credential | None = Field(
        None, description="Name of the systemd credential that holds API keys' digests."
    )
    keys_file: Path | None = Field(
        None, description="File of API keys' digests; lines of `pgmcp key new`."
    )


class Settings(Section):
    """Hold every setting, with its default."""

    server: Server = Server()
    http: Http = Http()
    identity: Identity = Identity()
    access: tuple[AccessRule, ...] = ()
    limits: Limits = Limits()
    pools: Pools = Pools()
    transactions: TransactionLimits = TransactionLimits()
    backup: Backup = Backup()
    provision: Provision = Provision()
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least that is logged; info has a line for each call."
    )

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
        if self.http.trust_proxy_headers_on_tcp and not is_loopback(self.http.host):
            raise ValueError(
                f"http.trust_proxy_headers_on_tcp with http.host {self.http.host!r} lets everybody "
                "who reaches that address be anybody. Listen on 127.0.0.1"
            )
        if self.identity.keys_credential and self.identity.keys_file:
            raise ValueError("identity.keys_credential and identity.keys_file are both set")
        if self.provision.read_all and self.provision.excepted:
            raise ValueError(
                "provision.read_all opens every table, so provision.except could keep none closed. "
                "Give one of them"
            )
        return self

    @property
    def has_rules(self) -> bool:
        """Tell whether access is ruled; if not, every caller may do everything."""
        return bool(self.access) or self.identity.capability is not None
