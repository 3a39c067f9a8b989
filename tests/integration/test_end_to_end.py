"""From HTTP to PostgreSQL and back, in both protocol eras, through a real process."""

from __future__ import annotations

import pytest
from mcp import Client
from mcp.types import TextContent

ERAS = [pytest.param("legacy", id="2025-11-25"), pytest.param("auto", id="2026-07-28")]


@pytest.mark.parametrize("mode", ERAS)
async def test_a_query_comes_back_with_rows_and_a_receipt(gateway_url: str, mode: str) -> None:
    async with Client(gateway_url, mode=mode) as client:
        result = await client.call_tool("pg_query", {"sql": "SELECT 1 AS a, NULL AS b"})

    (content,) = result.content
    assert isinstance(content, TextContent)
    lines = content.text.splitlines()
    assert lines[:2] == ["a\tb", "1\t\\N"]
    assert lines[2].startswith("-- 1 row, ")
