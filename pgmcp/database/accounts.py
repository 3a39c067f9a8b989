"""
As whom connections are opened: the login roles' accounts, with passwords that may change.

Owns the passwords in use; the file that they are in is read by `settings`.
"""

from __future__ import annotations

import logging

from pgmcp.database.backend import Backend, open_backend
from pgmcp.database.borrower import Borrower
from pgmcp.database.codecs import Types
from pgmcp.errors import Retryable, Unavailable
from pgmcp.logins import Account, Login
from pgmcp.settings import Server, renewed

log = logging.getLogger("pgmcp.database")
WRONG_PASSWORD = "28P01"  # noqa: S105 — an SQLSTATE


class Accounts:
    """
    Open connections as the accounts of one server.

    `pgmcp provision` may set new passwords while the gateway runs. The first that PostgreSQL
    refuses sends us to the passfile; *path* is every session's search_path, where it is set.
    """

    def __init__(self, server: Server, *, path: str | None = None) -> None:
        self._server = server
        self._path = path
        self.failures = 0  # connections that PostgreSQL, or its absence, has refused

    def of(self, login: Login) -> Account:
        """Return as whom *login* connects now."""
        return self._server.account(login)

    def renew(self) -> bool:
        """Read the passfile again; tell whether anything in it is new."""
        server = renewed(self._server)
        has_changed = server.passwords != self._server.passwords
        self._server = server
        return has_changed

    async def connect(
        self, database: str, login: Login, types: Types, borrower: Borrower
    ) -> Backend:
        """
        Connect to *database*; a password that was replaced meanwhile is looked up once.

        Raises:
            PgmcpError: the translated reason; nothing is left open.
        """
        used = self.of(login)
        try:
            return await self._open_as(used, database, types, borrower)
        except Unavailable as error:
            if error.sqlstate != WRONG_PASSWORD:
                raise
            if self.renew():
                log.info("new passwords of the login roles were read from the passfile")
            if self.of(login) == used:  # compared with what was tried: another call may have read
                raise
        return await self._open_as(self.of(login), database, types, borrower)

    async def _open_as(
        self, account: Account, database: str, types: Types, borrower: Borrower
    ) -> Backend:
        try:
            return await open_backend(
                self._server, database, account, types, borrower, path=self._path
            )
        except (Unavailable, Retryable):
            self.failures += 1
            raise
