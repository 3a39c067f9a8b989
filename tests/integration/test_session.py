"""What a connection of pgmcp's own makes of the driver's private parts, on every version of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from pgmcp.database.codecs import Types
from pgmcp.database.session import Session, open_session
from pgmcp.logins import Account
from pgmcp.settings import Settings
from tests.cluster import ThrowawayCluster


@pytest.fixture
async def session(
    cluster: ThrowawayCluster, settings: Settings, database: str
) -> AsyncIterator[Session]:
    """Open a session as the superuser."""
    account = Account(user=settings.server.user, password=cluster.password)
    opened = await open_session(settings.server, database, account, Types(), {})
    yield opened
    await opened.close()


async def test_a_cursor_opens_in_a_transaction_that_sql_began(session: Session) -> None:
    """By itself asyncpg 0.31 opens one only where its own `transaction()` began it."""
    await session.execute("BEGIN")
    handle = await session.prepare("SELECT 'first'")

    cursor = await handle.cursor()
    records = await cursor.fetch(1)

    assert [record[0] for record in records] == ["first"]


async def test_a_cursor_does_not_open_after_the_transaction(session: Session) -> None:
    await session.execute("BEGIN")
    await session.execute("ROLLBACK")
    handle = await session.prepare("SELECT 'first'")

    with pytest.raises(asyncpg.NoActiveSQLTransactionError):
        await handle.cursor()
