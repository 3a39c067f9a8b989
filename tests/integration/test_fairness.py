"""One greedy caller cannot starve another: two hundred clients of the one, two of the other."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator

import pytest

from tests.callers import Callers, callers
from tests.cluster import ThrowawayCluster
from tests.crowd import Served, be_polite, be_polite_in_transactions, call, greedy_crowd
from tests.witness import eventually

SECONDS = 10.0
SETTLE = 1.5  # seconds in which the greedy ones take what they can get


@pytest.fixture(scope="module")
def crowded(newest_cluster: ThrowawayCluster) -> Iterator[Callers]:
    """Run a gateway with the default limits."""
    with callers(newest_cluster.environment()) as found:
        yield found


async def test_a_polite_caller_is_served_beside_two_hundred_greedy_clients(
    crowded: Callers, newest_cluster: ThrowawayCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    await newest_cluster.execute("CREATE TABLE IF NOT EXISTS fairness (n int)")
    served = Served()
    async with greedy_crowd(crowded) as heard:
        await asyncio.sleep(SETTLE)
        until = time.monotonic() + SECONDS
        await asyncio.gather(
            be_polite(crowded.polite, served, until=until),
            be_polite_in_transactions(crowded.polite, served, until=until),
        )
        live = await crowded.polite.request("GET", "/live")

    with capsys.disabled():
        sys.stdout.write(f"\n{served}\ngreedy: {heard.answers.most_common(12)}\n")
    log = crowded.process.log.read_text()
    assert served.failed == []
    assert all(len(times) >= 10 for times in served.seconds.values())
    assert live.status == 200
    assert "incident" not in log
    assert "Traceback" not in log
    assert heard.answers["ok"] > 0
    assert any("most allowed" in told for told in heard.answers)


async def test_afterwards_the_greedy_caller_is_served_again(crowded: Callers) -> None:
    """Nothing that was counted stays counted."""

    async def look() -> list[str]:
        asked = (call(crowded.greedy, "pg_query", sql="SELECT 1") for _ in range(10))
        return [answer.body for answer in await asyncio.gather(*asked)]

    await eventually(look, lambda bodies: all("-- 1 row" in body for body in bodies), within=30)
