"""
The official Python client as a Caller of the scenario, in either era.

Owns the translation between the SDK's results and Reply.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Literal

import mcp
from mcp.shared.exceptions import MCPError
from mcp.types import TextContent

from tests.scenario.reply import ProtocolRefused, Reply, ScenarioFailed
from tests.scenario.world import in_words

type_of_era = Literal["2025-11-25", "2026-07-28"]

CALL_SECONDS = 60  # far above any call of the scenario


class PythonCaller:
    """Speak through one connected client."""

    def __init__(self, client: mcp.Client) -> None:
        self.client = client

    async def tool_names(self) -> list[str]:
        """Return the names in the order the gateway lists them."""
        listed = await self.client.list_tools()
        return [tool.name for tool in listed.tools]

    async def call(self, tool: str, arguments: dict[str, object]) -> Reply:
        """Call *tool*; see `Caller`."""
        try:
            result = await self.client.call_tool(tool, arguments, read_timeout_seconds=CALL_SECONDS)
        except MCPError as error:
            raise ProtocolRefused(str(error)) from error
        texts = [part.text for part in result.content if isinstance(part, TextContent)]
        return Reply(
            asked=in_words(tool, arguments),
            text="\n".join(texts),
            structured=result.structured_content,
            is_error=bool(result.is_error),
        )


@contextlib.asynccontextmanager
async def connected(url: str, era: type_of_era) -> AsyncIterator[PythonCaller]:
    """Connect to *url* in *era* and make sure that the gateway agreed to it."""
    # "auto" asks server/discover first, as a client that knows both does.
    mode = "legacy" if era == "2025-11-25" else "auto"
    async with mcp.Client(url, mode=mode) as client:
        if client.protocol_version != era:
            raise ScenarioFailed(f"the gateway speaks {client.protocol_version} instead of {era}")
        yield PythonCaller(client)
