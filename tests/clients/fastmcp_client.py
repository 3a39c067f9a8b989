"""
fastmcp's client as a Caller of the scenario.

Owns the translation between its results and Reply.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import fastmcp
from mcp.shared.exceptions import MCPError
from mcp.types import TextContent

from tests.scenario.reply import ProtocolRefused, Reply
from tests.scenario.world import in_words


class FastmcpCaller:
    """Speak through one connected client."""

    def __init__(self, client: fastmcp.Client[Any]) -> None:  # Any: its transport
        self.client = client

    async def tool_names(self) -> list[str]:
        """Return the names in the order the gateway lists them."""
        return [tool.name for tool in await self.client.list_tools()]

    async def call(self, tool: str, arguments: dict[str, object]) -> Reply:
        """Call *tool*; see `Caller`."""
        try:
            result = await self.client.call_tool(tool, arguments, raise_on_error=False)
        except MCPError as error:
            raise ProtocolRefused(str(error)) from error
        texts = [part.text for part in result.content if isinstance(part, TextContent)]
        return Reply(
            asked=in_words(tool, arguments),
            text="\n".join(texts),
            structured=result.structured_content,
            is_error=result.is_error,
        )


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[FastmcpCaller]:
    """Connect to *url* in the era that the client chooses by itself."""
    async with fastmcp.Client(url) as client:
        yield FastmcpCaller(client)
