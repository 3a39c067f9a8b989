"""Every error text is as the snapshot has it, on the newest PostgreSQL here."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from pgmcp.tools import query
from tests.asking import Asker, text_of
from tests.cluster import ThrowawayCluster
from tests.snapshots import ERRORS, texts
from tests.snapshots.world import shop


@pytest.fixture(scope="module")
async def asker(newest_cluster: ThrowawayCluster) -> AsyncIterator[Asker]:
    async with shop(newest_cluster) as made:
        yield made


@pytest.mark.parametrize("name", texts.NAMES)
async def test_an_error_is_worded_as_before(
    newest_cluster: ThrowawayCluster, asker: Asker, name: str
) -> None:
    """After a change on purpose: `make snapshots`, and look at the difference."""
    expected = (ERRORS / f"{name}.txt").read_text()

    assert await texts.text_of_case(newest_cluster, asker, name) == expected


def test_no_snapshot_is_left_of_a_case_that_is_gone() -> None:
    assert sorted(path.stem for path in ERRORS.glob("*.txt")) == texts.NAMES


@pytest.mark.parametrize("name", texts.NAMES)
def test_an_error_is_one_fact_a_line(name: str) -> None:
    """Continued lines are indented, so that what a value says is never a line of ours."""
    lines = (ERRORS / f"{name}.txt").read_text().splitlines()[1:]

    told = ("error", "detail: ", "at: ", "context: ", "hint: ", "transaction: ", "  ")
    starts = (*told, "lock: ", "in its way", "undo: ")
    assert [line for line in lines if not line.startswith(starts)] == []
    assert len("\n".join(lines)) < 2500


async def test_a_bug_shows_a_number_and_the_journal_the_rest(
    asker: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_call: object, _params: Any) -> Any:  # Any: a tool's own
        raise ZeroDivisionError("secret: hunter2")

    broken = Asker(asker.gateway)
    broken._tools["pg_query"] = replace(query.TOOL, run=fail)

    with caplog.at_level(logging.ERROR, "pgmcp.protocol"):
        text = text_of(await broken.ask(sql="SELECT 1"))

    assert "hunter2" not in text
    assert "Traceback" not in text
    (record,) = caplog.records
    assert str(record.getMessage()).split()[1] in text
    assert record.exc_info is not None
    assert await asker.text(sql="SELECT 1")
