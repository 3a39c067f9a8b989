"""A wrong configuration: one clear line, no other harm, and right again once it is mended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot.inside.gateway import answers, configuration
from tests.boot.inside.machine import Journal, drop_in, prop, run, until

WRONG = Path("/run/wrong.json")


@pytest.fixture
def journal() -> Iterator[Journal]:
    """Restart the gateway with a limit that no setting allows."""
    WRONG.write_text(json.dumps({**configuration(), "limits": {"max_rows": 0}}))
    journal = Journal()
    command = f"/opt/pgmcp/bin/pgmcp serve --config {WRONG}"
    with drop_in(f"[Service]\nExecStart=\nExecStart={command}\n"):
        run("systemctl", "restart", "pgmcp.service", check=False)
        yield journal


async def test_a_wrong_setting_is_one_clear_line_and_mended_it_starts(journal: Journal) -> None:
    said = [line for line in journal.lines(by="pgmcp") if "max_rows" in line]

    assert said[0] == "pgmcp: limits.max_rows: 0 is below 1."
    assert not journal.has("Traceback")
    assert prop("ActiveState", "pgmcp.socket") == "active"

    WRONG.write_text(json.dumps(dict(configuration())))
    await until(answers, "it comes back by itself", seconds=30)
