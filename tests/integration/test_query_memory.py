"""What a result costs the gateway's process does not depend on how much is behind it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mcp import Client

from tests.asking import text_of
from tests.cluster import ThrowawayCluster
from tests.process import GatewayProcess

DATABASE = "test_query_memory"
SETUP = """
CREATE TABLE sink (id integer);
CREATE FUNCTION shout(n integer) RETURNS integer LANGUAGE plpgsql
    AS $$ BEGIN FOR i IN 1..n LOOP RAISE NOTICE 'a line of notice %', i; END LOOP; RETURN n; END $$;
"""
# What the page itself, its JSON and the transport may take; a leak or a whole result is far more.
ALLOWANCE = 24 << 20
HALF_LINE = "repeat(md5(n::text), 300)"

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux tells a process's peak memory"
)


@pytest.fixture(scope="module", autouse=True)
async def tables(newest_cluster: ThrowawayCluster) -> AsyncIterator[None]:
    await newest_cluster.drop_database(DATABASE)
    await newest_cluster.create_database(DATABASE)
    await newest_cluster.execute(SETUP, database=DATABASE)
    yield
    await newest_cluster.drop_database(DATABASE)


def memory(process: GatewayProcess, name: str) -> int:
    """Return VmRSS, or VmHWM, the peak since `forget_peak`, in bytes."""
    status = Path(f"/proc/{process.process.pid}/status").read_text()
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def forget_peak(process: GatewayProcess) -> None:
    """Let the peak begin at what is resident now."""
    Path(f"/proc/{process.process.pid}/clear_refs").write_text("5")


LARGE = [
    pytest.param("SELECT generate_series(1, 100000000)", {}, id="100 million rows"),
    pytest.param(
        "SELECT generate_series(1, 100000000)::text", {"max_rows": 5000}, id="100 million texts"
    ),
    pytest.param(
        f"SELECT n{f', {HALF_LINE}' * 20} FROM generate_series(1, 5000) AS n",
        {"max_rows": 5000},
        id="5000 rows of 20 long texts",
    ),
    pytest.param("SELECT FROM generate_series(1, 3000000)", {}, id="3 million rows of no column"),
    pytest.param("SELECT repeat('x', 100000000)", {}, id="a cell of 100 MB"),
    pytest.param("SELECT repeat('x', 2000000)::int", {}, id="an error of 2 MB"),
    pytest.param(
        "INSERT INTO sink SELECT generate_series(1, 300000) RETURNING id, 'a text', now()",
        {"mode": "write"},
        id="300 thousand rows returned by an INSERT",
    ),
    pytest.param("SELECT shout(100000)", {}, id="100 thousand notices"),
]


@pytest.mark.parametrize(("sql", "more"), LARGE)
async def test_a_large_result_costs_no_more_than_a_small_one(
    gateway_process: GatewayProcess, sql: str, more: dict[str, object]
) -> None:
    small = {"sql": "SELECT generate_series(1, 500)::text", "database": DATABASE}
    async with Client(gateway_process.url) as client:
        await client.call_tool("pg_query", small)
        before = memory(gateway_process, "VmRSS")
        forget_peak(gateway_process)

        result = await client.call_tool("pg_query", {"sql": sql, "database": DATABASE, **more})

    assert len(text_of(result)) < 30_000
    assert memory(gateway_process, "VmHWM") - before < ALLOWANCE
