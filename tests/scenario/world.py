"""
The stage of one performance: a client, a schema of its own, and ways to call a tool.

Owns what the steps share; knows no transport.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Protocol

from tests.scenario.reply import Reply

TOOLS = ["pg_admin", "pg_monitor", "pg_query", "pg_schema", "pg_tx"]
PREFIX = "pgmcp_scenario_"
PRINTED_CONFIRM = r'confirm\s*=\s*"([^"]+)"'
HANDLE = r"(tx_[A-Za-z0-9_-]{22})"


class Caller(Protocol):
    """A client of any make, connected to the gateway."""

    async def tool_names(self) -> list[str]:
        """Return the names in the order the gateway lists them."""
        ...

    async def call(self, tool: str, arguments: dict[str, object]) -> Reply:
        """
        Call *tool*; an answer with isError is an answer.

        Raises:
            ProtocolRefused: the gateway answered with a JSON-RPC error.
        """
        ...


def own_schema() -> str:
    """Return a schema name that nobody uses."""
    return PREFIX + secrets.token_hex(4)


@dataclass(frozen=True, kw_only=True)
class World:
    """Call tools and insist on success or refusal."""

    caller: Caller
    schema: str = field(default_factory=own_schema)

    async def call(self, tool: str, **arguments: object) -> Reply:
        """Call *tool* and take the answer as it comes."""
        return await self.caller.call(tool, arguments)

    async def does(self, tool: str, **arguments: object) -> Reply:
        """Call *tool*; it has to succeed."""
        reply = await self.call(tool, **arguments)
        if reply.is_error:
            raise reply.wrong("should succeed")
        return reply

    async def refuses(self, tool: str, *fragments: str, **arguments: object) -> Reply:
        """Call *tool*; it has to answer with an error that shows *fragments*."""
        reply = await self.call(tool, **arguments)
        if not reply.is_error:
            raise reply.wrong("should be refused")
        return reply.shows(*fragments)

    async def confirms(self, tool: str, wanted: str, **arguments: object) -> Reply:
        """Call *tool*: it is refused, prints the confirm value *wanted*, and obeys to it."""
        refusal = await self.refuses(tool, **arguments)
        printed = refusal.find(PRINTED_CONFIRM)
        if printed != wanted:
            raise refusal.wrong(f"should ask for confirm={wanted!r}")
        return await self.does(tool, **arguments, confirm=printed)

    async def query(self, sql: str, *params: object) -> Reply:
        """Read with pg_query."""
        more = {"params": list(params)} if params else {}
        return await self.does("pg_query", sql=self.named(sql), **more)

    async def write(self, sql: str, *params: object, **arguments: object) -> Reply:
        """Write with pg_query mode=write."""
        if params:
            arguments["params"] = list(params)
        return await self.does("pg_query", sql=self.named(sql), mode="write", **arguments)

    async def begin(self, **arguments: object) -> str:
        """Begin a transaction and return its handle; text and structure say the same of it."""
        reply = await self.does("pg_tx", action="begin", **arguments)
        told = reply.json()
        reply.shows(*(str(value) for value in told.values()))
        handle = reply.find(HANDLE)
        if told.get("session_id") != handle or told.get("mode") != arguments.get("mode"):
            raise reply.wrong("the structured content should have the handle and the mode")
        return handle

    def named(self, sql: str) -> str:
        """Return *sql* with the schema's name for every `~`."""
        return sql.replace("~", self.schema)


def in_words(tool: str, arguments: dict[str, object]) -> str:
    """Return a call as one line."""
    shown = (f"{name}={json.dumps(value)}" for name, value in arguments.items())
    return f"{tool} {' '.join(shown)}"
