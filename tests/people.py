"""
Gateways with other settings, and the people who call them, in this process.

Owns nothing that lasts; every gateway ends with its block.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pgmcp.clock import Clock
from pgmcp.errors import PgmcpError
from pgmcp.http import Gateway
from pgmcp.identity import Caller
from pgmcp.ledger import Owner
from pgmcp.settings import Settings
from pgmcp.tools import tools
from pgmcp.tools.base import Answer


def adjusted(settings: Settings, **sections: Mapping[str, object]) -> Settings:
    """Return *settings* with single values replaced: pools={"wait": 0.3}; numbers are seconds."""
    changed = {}
    for name, values in sections.items():
        section = getattr(settings, name)
        changed[name] = section.model_validate({**section.model_dump(), **values})
    return settings.model_copy(update=changed)


@asynccontextmanager
async def gateway_with(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Gateway]:
    """
    Hold a gateway in this process and close it afterwards as a stop does.

    Its background tasks do not run, so that every connection on the server is a test's own.
    """
    made = Gateway(settings, clock)
    try:
        yield made
    finally:
        await made.transactions.close()
        await made.databases.close()
        made.parser.close()


def lent(gateway: Gateway) -> int:
    """Return how many connections the gateway believes to be in use."""
    return gateway.databases._slots.busy


async def refusal(work: Awaitable[object]) -> str:
    """Return what the client reads of a call that has to fail."""
    with pytest.raises(PgmcpError) as caught:
        await work
    return "\n".join(caught.value.lines())


class Person:
    """Call tools as one owner, the way the protocol does."""

    def __init__(
        self, gateway: Gateway, principal: str = "local", session: str | None = "one"
    ) -> None:
        self.owner = Owner(principal=principal, session=session)
        self._call = gateway.make_call(Caller(principal=principal), self.owner, _ignore)
        self._tools = {tool.name: tool for tool in tools(gateway.settings)}

    async def call(self, tool_name: str, /, **arguments: Any) -> Answer:  # Any: JSON
        """Call a tool; a refusal is raised."""
        tool = self._tools[tool_name]
        return await tool.run(self._call, tool.params.model_validate(arguments))

    async def query(self, sql: str, **arguments: Any) -> Answer:  # Any: JSON
        """Call pg_query."""
        return await self.call("pg_query", sql=sql, **arguments)

    async def write(self, sql: str, **arguments: Any) -> Answer:  # Any: JSON
        """Call pg_query with mode=write."""
        return await self.call("pg_query", sql=sql, mode="write", **arguments)

    async def cell(self, sql: str, **arguments: Any) -> str:  # Any: JSON
        """Return the first cell of the first row that pg_query answers."""
        answer = await self.query(sql, **arguments)
        return answer.text.split("\n")[1].split("\t")[0]

    async def tx(self, action: str, /, **arguments: Any) -> Answer:  # Any: JSON
        """Call pg_tx."""
        return await self.call("pg_tx", action=action, **arguments)

    async def begin(self, **arguments: Any) -> str:  # Any: JSON
        """Begin a transaction and return its handle."""
        answer = await self.tx("begin", **arguments)
        assert answer.structured is not None
        return str(answer.structured["session_id"])


async def _ignore(_done: float, _total: float | None, _message: str) -> None:
    """Take a progress notification that no client asked for."""
