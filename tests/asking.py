"""
Calls as a client makes them, without HTTP: what comes back is what the client would read.

Owns one gateway for as long as the block runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp import types

from pgmcp.http import Gateway
from pgmcp.identity import LOCAL
from pgmcp.ledger import Owner
from pgmcp.protocol.answering import answer
from pgmcp.settings import Settings
from pgmcp.tools import tools


class Asker:
    """Call tools in the MCP session *session* of a direct caller."""

    def __init__(self, gateway: Gateway, session: str | None = "test") -> None:
        self.gateway = gateway
        self._tools = {tool.name: tool for tool in tools(gateway.settings)}
        owner = Owner(principal="local", session=session)
        self._call = gateway.make_call(LOCAL, owner, ignore_progress)

    async def ask(
        self,
        name: str = "pg_query",
        /,
        **arguments: Any,  # Any: JSON
    ) -> types.CallToolResult:
        """Return the result of a call, of a failed one as well."""
        result = await answer(self._tools[name], self._call, arguments)
        assert isinstance(result, types.CallToolResult)  # nobody is asked here
        return result

    async def text(self, name: str = "pg_query", /, **arguments: Any) -> str:  # Any: JSON
        """Return the text of a call that succeeds."""
        result = await self.ask(name, **arguments)
        assert not result.is_error, text_of(result)
        return text_of(result)

    async def refusal(self, name: str = "pg_query", /, **arguments: Any) -> str:  # Any: JSON
        """Return the text of a call that fails for a reason somebody can mend."""
        result = await self.ask(name, **arguments)
        assert result.is_error, text_of(result)
        assert "incident" not in text_of(result)
        return text_of(result)


async def ignore_progress(_done: float, _total: float | None, _message: str) -> None:
    """Take a progress notification that no client asked for."""


def text_of(result: types.CallToolResult) -> str:
    """Return the one text of a result."""
    (content,) = result.content
    assert isinstance(content, types.TextContent)
    return content.text


@asynccontextmanager
async def asking(settings: Settings) -> AsyncIterator[Asker]:
    """Run a gateway with *settings* and lend the way to call its tools."""
    gateway = Gateway(settings)
    async with gateway.running():
        yield Asker(gateway)
