"""CONCURRENTLY through pg_schema: alone, patient, and honest about what it leaves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from pgmcp.settings import Limits
from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.schema_shop import SHOP, ask, cells, refusal
from tests.integration.watching import eventually, session


@pytest.fixture(scope="module", autouse=True)
async def shop(cluster: ThrowawayCluster, database: str) -> str:
    """Fill the module's database."""
    await cluster.execute(SHOP, database=database)
    return database


@pytest.fixture
def hasty(call: Call) -> Call:
    """Return a call that waits 200 ms for a lock."""
    limits = Limits.model_validate({"lock_timeout": timedelta(milliseconds=200)})
    return replace(call, settings=call.settings.model_copy(update={"limits": limits}))


CONCURRENT = "CREATE INDEX CONCURRENTLY c1 ON shop.orders (placed)"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        pytest.param({"sql": f"{CONCURRENT}; {CONCURRENT}"}, "stands alone", id="with another"),
        pytest.param({"session_id": "tx_x"}, "Leave session_id out", id="in a transaction"),
        pytest.param({"dry_run": True}, "Leave dry_run out", id="dry run"),
    ],
)
async def test_concurrently_stands_alone(call: Call, more: dict[str, object], words: str) -> None:
    """PostgreSQL runs it outside transactions only."""
    assert words in await refusal(call, "create", **{"sql": CONCURRENT, **more})


async def test_concurrently_waits_for_older_transactions(
    hasty: Call, cluster: ThrowawayCluster, database: str
) -> None:
    """That wait blocks nobody, so lock_timeout does not end it."""
    async with session(cluster, database) as other, session(cluster, database) as watcher:
        await other.execute("BEGIN; UPDATE shop.orders SET note = 'x' WHERE id = 1")
        building = asyncio.create_task(ask(hasty, "create", sql=CONCURRENT))
        await eventually(
            lambda: watcher.connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'virtualxid'"
                " AND clock_timestamp() - query_start > '400 ms'"
            )
        )
        await other.execute("COMMIT")

        text = await building

    assert text.startswith("-- CREATE INDEX, ")
    dropped = await ask(hasty, "drop", sql="DROP INDEX CONCURRENTLY shop.c1", confirm="shop.c1")
    assert dropped.startswith("-- DROP INDEX, ")


async def test_failed_concurrently_names_the_invalid_index(call: Call) -> None:
    """It stays behind, useless and costly; the error says how to drop it, and that works."""
    sql = "CREATE UNIQUE INDEX CONCURRENTLY ON shop.orders (customer_id)"

    text = await refusal(call, "create", sql=sql)
    name = "shop.orders_customer_id_idx"
    await ask(call, "drop", sql=f"DROP INDEX CONCURRENTLY {name}", confirm=name)

    assert "23505" in text
    assert f"{name} is left behind INVALID" in text
    assert f'sql="DROP INDEX CONCURRENTLY {name}" confirm="{name}"' in text
    assert not cells(await ask(call, "list", kind="index", pattern="orders_customer_id_idx"))


async def test_failed_concurrently_without_ruins_says_so(call: Call) -> None:
    """Refused before it began."""
    text = await refusal(call, "create", sql="CREATE INDEX CONCURRENTLY ON shop.orders (nosuch)")

    assert "left nothing behind" in text
