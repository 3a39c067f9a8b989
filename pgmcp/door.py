"""
PostgreSQL as one caller may reach it: access checked, login chosen, caller named.

Owns nothing: every connection is `database`'s. A tool has no other way to PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TypeVar

from pgmcp.access import Access
from pgmcp.database import Borrower, Databases, Lease
from pgmcp.kinds import Level
from pgmcp.logins import Login

T = TypeVar("T")


class Door:
    """
    Lend connections to one caller; the methods are those of `Databases`.

    Each needs a level in the database and borrows with that level's login; *what* names the
    tool in the refusal.
    """

    def __init__(self, databases: Databases, access: Access, what: str) -> None:
        self._databases = databases
        self._access = access
        self._what = what
        self._borrower = Borrower(principal=access.caller.principal)

    @property
    def default(self) -> str:
        """Return the database of calls that name none."""
        return self._databases.default

    def own_pids(self) -> set[int]:
        """Return the process ids of all backends that serve this gateway."""
        return self._databases.own_pids()

    def require(self, level: Level, database: str | None, what: str | None = None) -> None:
        """
        Refuse unless the caller has *level* in *database*.

        Raises:
            AccessDenied: says what the caller has and who can change it.
        """
        self._access.require(level, database or self.default, what or self._what)

    async def read(
        self,
        database: str | None,
        work: Callable[[Lease], Awaitable[T]],
        *,
        timeout: timedelta | None = None,
        login: Login = "read",
        level: Level = "read",
    ) -> T:
        """Run *work* in a READ ONLY transaction that is always rolled back; maybe twice."""
        self.require(level, database)
        return await self._databases.read(
            database, work, timeout=timeout, login=login, borrower=self._borrower
        )

    async def attempt(
        self,
        database: str | None,
        work: Callable[[Lease], Awaitable[T]],
        *,
        timeout: timedelta | None = None,
        level: Level = "write",
    ) -> T:
        """Run *work* once in a READ WRITE transaction that is rolled back, whatever it did."""
        self.require(level, database)
        return await self._databases.attempt(
            database, work, timeout=timeout, login=level, borrower=self._borrower
        )

    def write(
        self, database: str | None, *, timeout: timedelta | None = None, level: Level = "write"
    ) -> AbstractAsyncContextManager[Lease]:
        """Lend a connection in a transaction: COMMIT at the end, ROLLBACK when the block raises."""
        self.require(level, database)
        return self._databases.write(
            database, timeout=timeout, login=level, borrower=self._borrower
        )

    def bare(
        self, database: str | None, *, timeout: timedelta | None = None, level: Level = "admin"
    ) -> AbstractAsyncContextManager[Lease]:
        """Lend a connection outside transactions, for what PostgreSQL runs only there."""
        self.require(level, database)
        return self._databases.bare(database, timeout=timeout, login=level, borrower=self._borrower)

    async def drain(self, database: str) -> None:
        """Close the idle connections to *database*, which DROP DATABASE would trip over."""
        await self._databases.drain(database)
