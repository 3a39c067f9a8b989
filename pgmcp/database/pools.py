"""
Who gets which connection: small pools, one for each database and login, under one cap.

Owns every connection that is not in a transaction across calls; closes the least recently used.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

import asyncpg

from pgmcp.database.accounts import Accounts
from pgmcp.database.backend import Backend
from pgmcp.database.borrower import GATEWAY, Borrower, Loan, Place
from pgmcp.database.codecs import Types
from pgmcp.database.failures import TRANSLATED, translate
from pgmcp.database.lease import Lease, StalePlan, fate_unknown
from pgmcp.database.slots import Slots
from pgmcp.errors import ConnectionLost, StatementTimeout
from pgmcp.journal import described
from pgmcp.logins import Login
from pgmcp.settings import Settings

log = logging.getLogger("pgmcp.database")
T = TypeVar("T")
GRACE = timedelta(seconds=5)  # the server's own limit acts first; this one catches a dead server
# Two are left for people: psql must get in when the gateway is busy.
ADMITTED = """
SELECT pg_catalog.current_setting('max_connections')::integer
       - pg_catalog.current_setting('superuser_reserved_connections')::integer - 2
"""
CLEAN_LIMIT = 5.0  # seconds in which a borrowed connection must be clean again


class Databases:
    """
    Lend connections and take them back clean.

    `read` may run its work twice; `write` and `bare` never do. *path* is every session's
    search_path, where it must not be the role's own.
    """

    def __init__(self, settings: Settings, *, path: str | None = None) -> None:
        self._settings = settings
        self._accounts = Accounts(settings.server, path=path)
        self._slots = Slots(settings.pools, settings.transactions.open_in_all)
        self._types: dict[str, Types] = {}
        self._fitted = False
        self._cleaning: set[asyncio.Task[None]] = set()

    @property
    def default(self) -> str:
        """Return the database of calls that name none."""
        return self._settings.server.database

    @property
    def failures(self) -> int:
        """Return how many connections could not be opened so far."""
        return self._accounts.failures

    def own_pids(self) -> set[int]:
        """Return the process ids of all backends that serve this gateway."""
        return self._slots.pids()

    async def read(
        self,
        database: str | None,
        work: Callable[[Lease], Awaitable[T]],
        *,
        timeout: timedelta | None = None,
        login: Login = "read",
        borrower: Borrower = GATEWAY,
    ) -> T:
        """
        Run *work* in a READ ONLY transaction that is always rolled back.

        A connection that broke, or a plan gone stale, is replaced and *work* runs once more.
        """
        loan = self._loan(database, timeout, login, borrower)
        try:
            return await self._read_once(loan, work)
        except (ConnectionLost, StalePlan) as error:
            log.info("read repeated: %s", described(error))
            if isinstance(error, ConnectionLost):
                self._slots.drop_idle(loan.database)
            return await self._read_once(loan, work, again=True)

    async def _read_once(
        self, loan: Loan, work: Callable[[Lease], Awaitable[T]], *, again: bool = False
    ) -> T:
        async with self._borrowed(loan, "BEGIN READ ONLY") as backend:
            if again:  # this one's plans may be as stale as the first one's
                backend.forget_all()
            return await work(Lease(backend, is_read_only=True, in_transaction=True))

    async def attempt(
        self,
        database: str | None,
        work: Callable[[Lease], Awaitable[T]],
        *,
        timeout: timedelta | None = None,
        login: Login = "write",
        borrower: Borrower = GATEWAY,
    ) -> T:
        """Run *work* once in a READ WRITE transaction that is rolled back, whatever it did."""
        loan = self._loan(database, timeout, login, borrower)
        async with self._borrowed(loan, "BEGIN READ WRITE") as backend:
            backend.needs_sweep = True
            return await work(Lease(backend, is_read_only=False, in_transaction=True))

    @asynccontextmanager
    async def write(
        self,
        database: str | None,
        *,
        timeout: timedelta | None = None,
        login: Login = "write",
        borrower: Borrower = GATEWAY,
    ) -> AsyncIterator[Lease]:
        """Lend a connection in a transaction: COMMIT at the end, ROLLBACK when the block raises."""
        ending = False
        loan = self._loan(database, timeout, login, borrower)
        try:
            async with self._borrowed(loan, "BEGIN READ WRITE") as backend:
                backend.needs_sweep = True
                yield Lease(backend, is_read_only=False, in_transaction=True)
                ending = True
                await _commit(backend)
        except (ConnectionLost, StatementTimeout) as error:
            if ending:
                fate_unknown(error)
            else:
                error.fate = "PostgreSQL rolled it back: nothing was changed."
            raise

    @asynccontextmanager
    async def bare(
        self,
        database: str | None,
        *,
        timeout: timedelta | None = None,
        login: Login = "admin",
        borrower: Borrower = GATEWAY,
    ) -> AsyncIterator[Lease]:
        """Lend a connection outside transactions, for what PostgreSQL runs only there."""
        loan = self._loan(database, timeout, login, borrower)
        async with self._borrowed(loan, "") as backend:
            backend.needs_sweep = True
            yield Lease(backend, is_read_only=False, in_transaction=False)

    async def dedicate(
        self, database: str | None, *, login: Login = "write", borrower: Borrower = GATEWAY
    ) -> Backend:
        """Open a connection for one transaction across calls; `release` takes it back."""
        name = database or self.default
        return await self._slots.open_dedicated(
            lambda: self._open(name, login, borrower), borrower.principal
        )

    def _loan(
        self, database: str | None, timeout: timedelta | None, login: Login, borrower: Borrower
    ) -> Loan:
        limit = self._settings.limits.timeout if timeout is None else timeout
        return Loan(database=database or self.default, limit=limit, login=login, borrower=borrower)

    async def _open(self, database: str, login: Login, borrower: Borrower = GATEWAY) -> Backend:
        types = self._types.get(database) or Types()
        backend = await self._accounts.connect(database, login, types, borrower)
        self._types[database] = types  # not before: callers make up names of databases
        if not self._fitted:
            self._fitted = True
            try:
                await self._fit(backend)
            except BaseException:  # nobody knows of it yet, so a cancelled call would leak it
                backend.connection.terminate()
                raise
        return backend

    async def _fit(self, backend: Backend) -> None:
        """Learn at the first connection how many the server admits."""
        try:
            admitted = int(await backend.connection.fetchval(ADMITTED))
        except TRANSLATED as error:
            log.warning("max_connections could not be read: %s", described(error))
            return
        if self._slots.fit(admitted):
            log.warning(
                "pools.total=%s is more than PostgreSQL admits (max_connections); using %s",
                self._settings.pools.total,
                admitted,
            )

    async def release(self, backend: Backend) -> None:
        """Close a dedicated connection; PostgreSQL rolls back what is open on it."""
        try:
            await backend.close()
        finally:
            self._slots.forget(backend)

    @asynccontextmanager
    async def _borrowed(self, loan: Loan, begin: str) -> AsyncIterator[Backend]:
        limit = loan.limit
        backend = await self._take(loan, loan.opening(begin, self._settings.limits.lock_timeout))
        deadline = asyncio.timeout((limit + GRACE).total_seconds())
        try:
            async with deadline:
                yield backend
        except BaseException as error:  # a cancellation, too: the connection must come back
            # The statement may still be running: the caller need not wait for its end.
            self._spawn(self._recycle(backend))
            if isinstance(error, TimeoutError) and deadline.expired():
                backend.connection.terminate()  # it does not answer, so it would not reset either
                raise StatementTimeout(
                    f"PostgreSQL gave no answer for {(limit + GRACE).total_seconds():.0f} s, "
                    "longer than its own limit. The connection was given up.",
                    hint="See the server's state: pg_monitor action=health.",
                ) from error
            raise
        await self._recycle(backend)

    async def _take(self, loan: Loan, first: str) -> Backend:
        """
        Lend a connection on which *first* has run.

        It tells whether the connection still lives. As nothing else has been done yet, another
        may take its place; those that lay idle beside a dead one are not trusted either.
        """
        try:
            return await self._take_once(loan, first)
        except ConnectionLost:
            self._slots.drop_idle(loan.database)
            return await self._take_once(loan, first)

    async def _take_once(self, loan: Loan, first: str) -> Backend:
        place = Place(loan.database, self._accounts.of(loan.login).user)
        backend = await self._slots.take(
            place, lambda: self._open(loan.database, loan.login), loan.borrower.principal
        )
        try:
            await backend.connection.execute(first, timeout=CLEAN_LIMIT)
        except TRANSLATED as error:
            backend.connection.terminate()
            self._slots.forget(backend)
            raise translate(error) from error
        except BaseException:  # a cancellation: the connection must come back clean
            self._spawn(self._recycle(backend))
            raise
        return backend

    async def _recycle(self, backend: Backend) -> None:
        """Give *backend* back clean, or not at all."""
        clean = False
        try:
            if backend.is_open:
                await backend.reset(limit=CLEAN_LIMIT)
                clean = not backend.is_unwanted
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.info("connection pid=%s given up: %s", backend.pid, described(error))
        finally:
            if clean:
                self._slots.give(backend)
            else:
                backend.connection.terminate()
                self._slots.forget(backend)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._cleaning.add(task)
        task.add_done_callback(self._cleaning.discard)

    async def drain(self, database: str) -> None:
        """Close the idle connections to *database*, which DROP DATABASE would trip over."""
        self._types.pop(database, None)
        await self._slots.drain(database)

    async def expire_idle(self) -> None:
        """Close what has not been used for the settings' time."""
        await self._slots.expire(time.monotonic() - self._settings.pools.idle.total_seconds())

    async def close(self) -> None:
        """Wait for clean-up under way, then close every connection."""
        if self._cleaning:
            await asyncio.wait(self._cleaning, timeout=CLEAN_LIMIT)
        await self._slots.close()


async def _commit(backend: Backend) -> None:
    try:
        await backend.connection.execute("COMMIT")
    except TRANSLATED as error:
        raise translate(error) from error
