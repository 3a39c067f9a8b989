"""
PostgreSQL's side of the settings: where it is, who logs in, and how databases are opened to them.

Owns these two sections; connects to nothing.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from pgmcp.logins import Account, Login, Logins
from pgmcp.settings.section import Section
from pgmcp.values import Credential, Seconds, SslMode, Truth, ports

APPLICATION_NAME = "pgmcp"
USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")  # stands in pg_ident.conf without quotes


class Server(Section):
    """Where PostgreSQL is and who connects; the words are libpq's."""

    host: str = Field("localhost", description="Host or socket directory; several by commas.")
    port: str = Field("5432", description="Port; one for all hosts or one each, by commas.")
    user: str | None = Field(
        None, description="Login role; without it the operating system's user."
    )
    password: str | None = Field(None, repr=False, description="From PGPASSWORD only.")
    password_credential: Credential | None = Field(
        None, description="Name of the systemd credential that holds the password."
    )
    passfile: Path | None = Field(None, description="A password file in libpq's format.")
    sslmode: SslMode | None = Field(None, description="libpq's sslmode.")
    database: str = Field("postgres", description="The database of calls that name none.")
    roles: Literal["auto", "required", "peer", "shared"] = Field(
        "auto",
        description="auto: the roles of `pgmcp provision` where its passfile is; required: the "
        "same, and no start without it; peer: these roles without passwords; shared: one "
        "login for every level.",
    )
    passwords: dict[str, str] = Field({}, repr=False, description="From provision's passfile.")
    roles_passfile: Path | None = Field(None, description="Where `passwords` were read.")
    connect_timeout: Seconds = Field(timedelta(seconds=5), description="Limit of one connect.")

    @field_validator("port", mode="before")
    @classmethod
    def _ports(cls, value: object, info: ValidationInfo) -> object:
        return ports(value, hosts=str(info.data.get("host", "")).count(",") + 1)

    @property
    def logins(self) -> Logins:
        """Return which role each login is."""
        finds_roles = self.roles in ("auto", "required") and bool(self.passwords)
        has_roles = self.roles == "peer" or finds_roles
        return Logins(mode="roles" if has_roles else "shared", passwords=self.passwords)

    def account(self, login: Login) -> Account:
        """Return as whom *login* connects; a user None is libpq's default."""
        found = self.logins.account(login)
        return found if found.user else Account(user=self.user, password=self.password)

    def libpq_environment(self, database: str, login: Login = "backup") -> dict[str, str]:
        """Return the PG* variables with which libpq's programs reach *database* as *login*."""
        account = self.account(login)
        given = {
            "PGHOST": self.host,
            "PGPORT": self.port,
            "PGUSER": account.user,
            "PGPASSWORD": account.password,
            "PGPASSFILE": str(self.passfile) if self.passfile else None,
            "PGSSLMODE": self.sslmode,
            "PGDATABASE": database,
            "PGAPPNAME": APPLICATION_NAME,
            "PGCONNECT_TIMEOUT": str(max(1, round(self.connect_timeout.total_seconds()))),
        }
        return {name: value for name, value in given.items() if value}


def _relation_pattern(value: str) -> str:
    parts = value.split(".")
    if len(parts) > 1 and all(parts):
        return value
    missing = "schema" if len(parts) < 3 or not parts[1] else "table"  # noqa: PLR2004
    raise ValueError(
        f"{value!r} names no {missing}. Write DATABASE.SCHEMA or DATABASE.SCHEMA.TABLE; "
        "* and ? match"
    )


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _system_user(value: str) -> str:
    if USER.fullmatch(value):
        return value
    raise ValueError(f"{value!r} is no system user. Write its name, such as pgmcp")


RelationPatterns = Annotated[
    tuple[Annotated[str, AfterValidator(_relation_pattern)], ...], BeforeValidator(_listed)
]


class Provision(Section):
    """How databases are opened to the login roles: `pgmcp provision`, `create_database`, doctor."""

    excepted: RelationPatterns = Field(
        (),
        alias="except",
        description="DATABASE.SCHEMA or DATABASE.SCHEMA.TABLE that reading and writing never get; "
        "* and ? match.",
    )
    read_all: Truth = Field(
        default=False,
        description="pg_read_all_data in place of grants: reads everything, password verifiers "
        "as well.",
    )
    superuser_admin: Truth = Field(
        default=False, description="pgmcp_admin is a superuser: an admin may do anything."
    )
    peer: Annotated[str, AfterValidator(_system_user)] | None = Field(
        None, description="System user that logs in as the roles without passwords."
    )
