"""
Which login role a level uses, and with which password.

Pure data: it reads no file and no environment, and never opens a connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, get_args

Login = Literal["read", "write", "ddl", "admin", "monitor", "backup"]
LOGINS: Final[tuple[Login, ...]] = get_args(Login)
# The roles that `pgmcp provision` makes; PostgreSQL's privileges on them are the boundary.
ROLE_OF: Final[Mapping[Login, str]] = MappingProxyType(
    {login: f"pgmcp_{login}" for login in LOGINS}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """
    Say as whom a connection is opened.

    *user* None is the settings' own account with its own password; with a *user*, *password*
    None means that none is sent and none may be looked up: peer authentication.
    """

    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Logins:
    """
    Map each login to an account.

    *mode* "shared": every login is the settings' one account. "roles": each is its own role,
    with its entry in *passwords* (by role's name), or without a password where it has none.
    """

    mode: Literal["shared", "roles"] = "shared"
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def are_roles(self) -> bool:
        """Tell whether PostgreSQL itself keeps the levels apart."""
        return self.mode == "roles"

    def account(self, login: Login) -> Account:
        """Return as whom the connections of *login* are opened."""
        if not self.are_roles:
            return Account()
        role = ROLE_OF[login]
        return Account(user=role, password=self.passwords.get(role))
