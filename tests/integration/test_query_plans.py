"""Plans: shown without running, undone after running, and unchanged by how rows are fetched."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from tests.asking import Asker
from tests.cluster import ThrowawayCluster
from tests.integration.big_table import asking_big, one


@pytest.fixture(scope="module")
async def asker(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Asker]:
    async with asking_big(cluster, database) as made:
        yield made


PARALLEL = [
    pytest.param("SELECT count(*), sum(id) FROM big", id="integers"),
    pytest.param("SELECT count(*), max(pad), min(pad) FROM big", id="texts"),
    pytest.param("SELECT sum(id)" + ", sum(id * 1.5)" * 8 + " FROM big", id="numerics"),
]
EXPLAINED = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "min_parallel_table_scan_size": "0",
    "parallel_setup_cost": "0",
    "parallel_tuple_cost": "0",
}


@pytest.fixture
async def explained(asker: Asker, cluster: ThrowawayCluster) -> AsyncIterator[None]:
    """Let the server's log tell how each statement was run."""
    database = asker.gateway.databases.default
    alter = f"ALTER DATABASE {database}"
    await cluster.execute(
        ";".join(f"{alter} SET {name} = {value!r}" for name, value in EXPLAINED.items())
    )
    await asker.gateway.databases.drain(database)
    yield
    await cluster.execute(f"{alter} RESET ALL")
    await asker.gateway.databases.drain(database)


@pytest.mark.usefixtures("explained")
@pytest.mark.parametrize("sql", PARALLEL)
async def test_parallel_workers_are_still_used(
    asker: Asker, cluster: ThrowawayCluster, sql: str
) -> None:
    """A cursor would forbid them."""
    before = cluster.log.stat().st_size

    await asker.text(sql=sql)

    with cluster.log.open() as log:
        log.seek(before)
        assert re.search(r"Workers Launched: [12]", log.read())


PLANS = [
    pytest.param("SELECT id FROM big WHERE id = $1", {}, id="SELECT"),
    pytest.param("UPDATE big SET pad = 'y' WHERE id = $1", {}, id="UPDATE without mode"),
    pytest.param("DELETE FROM big WHERE id = $1", {"mode": "read"}, id="DELETE in mode read"),
    pytest.param("DELETE FROM big WHERE id = $1", {"mode": "write"}, id="DELETE"),
]


@pytest.mark.parametrize(("sql", "more"), PLANS)
async def test_a_plan_is_shown_without_running(
    asker: Asker, sql: str, more: dict[str, object]
) -> None:
    text = await asker.text(sql=sql, params=[5], explain="plan", **more)

    assert "Scan on public.big" in text
    assert "actual" not in text


async def test_a_plan_in_json_is_json(asker: Asker) -> None:
    answer = await asker.ask(sql="SELECT 1", explain="plan", format="json")

    assert answer.structured_content is not None
    assert '"Node Type": "Result"' in answer.structured_content["rows"][0][0]


async def test_an_analyzed_change_is_undone(asker: Asker) -> None:
    sql = "DELETE FROM big WHERE id = 1"

    text = await asker.text(sql=sql, mode="write", explain="analyze")

    assert "actual" in text
    assert await one(asker, "SELECT count(*) FROM big WHERE id = 1") == "1"


@pytest.mark.parametrize("explain", ["plan", "analyze"])
async def test_a_plans_error_points_into_the_callers_text(asker: Asker, explain: str) -> None:
    refusal = await asker.refusal(sql="SELECT nope", explain=explain)

    assert "at: SELECT ⟨nope⟩" in refusal


async def test_what_has_no_plan_says_so(asker: Asker) -> None:
    refusal = await asker.refusal(sql="SHOW work_mem", explain="plan")

    assert "SHOW has no plan. explain is for SELECT, INSERT, UPDATE, DELETE and MERGE." in refusal
