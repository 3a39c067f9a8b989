"""pg_tx over real HTTP in both protocol eras, with the Python client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import pytest
from mcp import Client
from mcp.types import TextContent

from tests.cluster import ThrowawayCluster
from tests.witness import Witness, witnessing

ERAS = [pytest.param("legacy", id="2025-11-25"), pytest.param("auto", id="2026-07-28")]


@pytest.fixture(scope="module")
def cluster(newest_cluster: ThrowawayCluster) -> ThrowawayCluster:
    """Nothing here depends on PostgreSQL's version."""
    return newest_cluster


@pytest.fixture
async def witness(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Witness]:
    async with witnessing(cluster, database) as looking:
        await looking.connection.execute(
            "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY); TRUNCATE t"
        )
        yield looking
        await looking.no_transaction()  # each test clears up, and the server agrees


@dataclass(frozen=True, kw_only=True)
class User:
    """Call tools through one connected client."""

    client: Client
    database: str

    async def call(self, tool: str, /, **arguments: object) -> tuple[bool, str]:
        """Return whether the tool refused, and its text."""
        result = await self.client.call_tool(tool, arguments)
        content = result.content[0]
        assert isinstance(content, TextContent)
        return bool(result.is_error), content.text

    async def does(self, tool: str, /, **arguments: object) -> str:
        """Call a tool that has to succeed, and return its text."""
        refused, text = await self.call(tool, **arguments)
        assert not refused, text
        return text

    async def refused(self, tool: str, /, **arguments: object) -> str:
        """Call a tool that has to refuse, and return its text."""
        refused, text = await self.call(tool, **arguments)
        assert refused, text
        return text

    async def begin(self, **arguments: object) -> str:
        """Begin a transaction and return its handle, from the structured content."""
        arguments = {"database": self.database, **arguments}
        result = await self.client.call_tool("pg_tx", {"action": "begin", **arguments})
        assert result.structured_content is not None
        return str(result.structured_content["session_id"])


Join = Callable[[str], AbstractAsyncContextManager[User]]


@pytest.fixture
def join(gateway_url: str, database: str) -> Join:
    """Return a function that connects a user in the era that it is told."""

    @asynccontextmanager
    async def connect(mode: str) -> AsyncIterator[User]:
        async with Client(gateway_url, mode=mode) as client:
            yield User(client=client, database=database)

    return connect


@pytest.mark.parametrize("mode", ERAS)
async def test_begin_write_commit(join: Join, witness: Witness, mode: str) -> None:
    async with join(mode) as user:
        handle = await user.begin(mode="write")
        sql = "INSERT INTO t VALUES (1)"
        await user.does("pg_query", sql=sql, session_id=handle)
        meanwhile = (
            len(await witness.in_transaction()),
            await witness.value("SELECT count(*) FROM t"),
        )

        text = await user.does("pg_tx", action="commit", session_id=handle)

        assert meanwhile == (1, 0)
        assert text == f"committed {handle[:8]}…; what it changed is kept."
        assert await witness.value("SELECT count(*) FROM t") == 1


@pytest.mark.parametrize("mode", ERAS)
async def test_savepoints_list_and_rollback(join: Join, witness: Witness, mode: str) -> None:
    async with join(mode) as user:
        handle = await user.begin(mode="write")
        tx = {"session_id": handle}
        await user.does("pg_query", sql="INSERT INTO t VALUES (1)", **tx)
        await user.does("pg_tx", action="savepoint", name="s", **tx)

        failed = await user.refused("pg_query", sql="INSERT INTO t VALUES (1)", **tx)
        aborted = await user.refused("pg_query", sql="SELECT 1", **tx)
        listed = await user.does("pg_tx", action="list")
        await user.does("pg_tx", action="rollback_to", name="s", **tx)
        count = await user.does("pg_query", sql="SELECT count(*) FROM t", **tx)
        await user.does("pg_tx", action="release", name="s", **tx)
        gone = await user.refused("pg_tx", action="rollback_to", name="s", **tx)
        await user.does("pg_tx", action="rollback", **tx)

        assert failed.startswith("error 23505: duplicate key value violates unique constraint")
        assert f"transaction: {handle[:8]}… is aborted; only rollback or rollback_to" in failed
        assert "is aborted since: duplicate key" in aborted
        assert "\taborted\ts" in listed
        assert count.split("\n")[1] == "1"
        assert 'no savepoint "s". Set: none' in gone
        assert await witness.value("SELECT count(*) FROM t") == 0


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        pytest.param("legacy", "legacy", id="two sessions of 2025-11-25"),
        pytest.param("legacy", "auto", id="a session's seen from 2026-07-28"),
        pytest.param("auto", "legacy", id="2026-07-28's seen from a session"),
    ],
)
async def test_the_other_client_does_not_know_the_handle(
    join: Join, witness: Witness, mine: str, theirs: str
) -> None:
    async with join(mine) as ana, join(theirs) as bob:
        handle = await ana.begin(mode="write")

        answers = [
            await bob.refused("pg_query", sql="SELECT 1", session_id=handle),
            await bob.refused("pg_tx", action="commit", session_id=handle),
            await bob.refused("pg_tx", action="rollback", session_id=handle),
            await bob.refused("pg_tx", action="rollback", session_id=handle[:8]),
        ]
        listed = await bob.does("pg_tx", action="list")

        assert all("no open transaction of yours has session_id" in answer for answer in answers)
        assert handle[:8] not in listed
        assert len(await witness.in_transaction()) == 1
        await ana.does("pg_tx", action="rollback", session_id=handle)


async def test_clients_of_2026_07_28_share_a_principal_but_not_whole_handles(
    join: Join, witness: Witness
) -> None:
    """Whoever has the handle may use it; the list gives enough to clear up and no more."""
    async with join("auto") as ana, join("auto") as again:
        handle = await ana.begin()

        listed = await again.does("pg_tx", action="list")
        cleared = await again.does("pg_tx", action="rollback", session_id=handle[:8])

        assert handle not in listed
        assert f"\n{handle[:8]}\t" in listed
        assert "rolled back" in cleared
        await witness.no_transaction()
        assert "was rolled back by you" in await ana.refused(
            "pg_query", sql="SELECT 1", session_id=handle
        )


@pytest.mark.parametrize("mode", ERAS)
async def test_several_are_open_up_to_the_limit(join: Join, witness: Witness, mode: str) -> None:
    async with join(mode) as user:
        handles = [await user.begin() for _ in range(8)]

        ninth = await user.refused("pg_tx", action="begin", database=user.database)

        assert len(await witness.in_transaction()) == 8
        assert "8 transactions of yours are open, the most allowed" in ninth
        for handle in handles:
            await user.does("pg_tx", action="rollback", session_id=handle)


@pytest.mark.parametrize("mode", ERAS)
async def test_a_wrong_argument_of_pg_tx_has_its_sentence(join: Join, mode: str) -> None:
    async with join(mode) as user:
        assert "action=commit needs session_id" in await user.refused("pg_tx", action="commit")
        assert "action=list does not take name" in await user.refused(
            "pg_tx", action="list", name="x"
        )
        assert "Parameters: action, database, mode" in await user.refused("pg_tx", action="start")
        assert 'database "nope" does not exist' in await user.refused(
            "pg_tx", action="begin", database="nope"
        )
