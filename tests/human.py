"""
A gateway over real HTTP in this process, and the humans whom its clients ask.

Owns the server until the block ends; what is answered, and when, is a test's to say.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from mcp import Client, types

from pgmcp.clock import Clock
from pgmcp.http import build_gateway
from pgmcp.questions import LIMIT, Questions
from pgmcp.settings import Settings
from tests.asking import text_of
from tests.conftest import HandClock
from tests.wire import ACCEPT, ENVELOPE, LEGACY, MODERN, Received, Wire

CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
FORM: Mapping[str, object] = {"elicitation": {"form": {}}}
YES = {"action": "accept", "content": {"confirm": True}}
NO = {"action": "decline"}
PATIENCE = 10.0  # seconds
Act = Callable[[], Awaitable[object]]


@dataclass(frozen=True, kw_only=True)
class Served:
    """Hold a gateway's address and its open questions; *clock* moves their time."""

    url: str
    questions: Questions
    clock: HandClock


class Quiet(uvicorn.Server):
    """Leave the signals to pytest."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing."""
        yield


@asynccontextmanager
async def serving(settings: Settings, *, limit: float | None = None) -> AsyncIterator[Served]:
    """Run a gateway on a free port; *limit* is how many seconds a question stays open."""
    clock = HandClock()
    seconds = LIMIT if limit is None else type(LIMIT)(seconds=limit)
    questions = Questions(clock.clock, limit=seconds)
    listening = socket.create_server(("127.0.0.1", 0))
    app = build_gateway(settings, Clock(), questions)
    config = uvicorn.Config(app, lifespan="on", log_config=None, timeout_graceful_shutdown=1)
    server = Quiet(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await until(lambda: server.started)
        port = listening.getsockname()[1]
        yield Served(url=f"http://127.0.0.1:{port}/mcp", questions=questions, clock=clock)
    finally:
        server.should_exit = True
        await task
        listening.close()


async def until(claim: Callable[[], object]) -> None:
    """Wait until *claim* holds."""
    async with asyncio.timeout(PATIENCE):
        while not claim():  # noqa: ASYNC110 — nobody tells when it holds
            await asyncio.sleep(0.01)


@dataclass(kw_only=True)
class Human:
    """Answer questions, one after the other, and remember them; *meanwhile* is done before each."""

    answers: list[Mapping[str, Any]]  # Any: JSON
    meanwhile: list[Act] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def __call__(
        self, context: object, params: types.ElicitRequestParams
    ) -> types.ElicitResult:
        """Be the client's elicitation callback."""
        del context
        self.asked.append(params.message)
        if self.meanwhile:
            await self.meanwhile.pop(0)()
        return types.ElicitResult.model_validate(self.answers.pop(0))


def human(*answers: Mapping[str, Any], meanwhile: Act | None = None) -> Human:  # Any: JSON
    """Return somebody who answers so; *meanwhile* happens while the first question is open."""
    return Human(answers=list(answers), meanwhile=[meanwhile] if meanwhile else [])


@dataclass(frozen=True, kw_only=True)
class Person:
    """Call tools with a real client, in one era, with or without somebody who can be asked."""

    url: str
    mode: str
    asked: Human | None = None

    async def call(
        self,
        tool: str = "pg_query",
        /,
        **arguments: Any,  # Any: JSON
    ) -> types.CallToolResult:
        """Return the result of one call."""
        async with Client(self.url, mode=self.mode, elicitation_callback=self.asked) as client:
            return await client.call_tool(tool, arguments)

    async def text(self, tool: str = "pg_query", /, **arguments: Any) -> str:  # Any: JSON
        """Return the text of a call that succeeds."""
        result = await self.call(tool, **arguments)
        assert not result.is_error, text_of(result)
        return text_of(result)

    async def refusal(self, tool: str = "pg_query", /, **arguments: Any) -> str:  # Any: JSON
        """Return the text of a call that fails for a reason somebody can mend."""
        result = await self.call(tool, **arguments)
        assert result.is_error, text_of(result)
        assert "incident" not in text_of(result)
        return text_of(result)


@dataclass(frozen=True, kw_only=True)
class Talk:
    """Call tools within one session of a client that stays connected."""

    client: Client

    async def text(self, tool: str = "pg_query", /, **arguments: Any) -> str:  # Any: JSON
        """Return the text of a call, of a failed one as well."""
        return text_of(await self.client.call_tool(tool, arguments))

    async def begin(self) -> str:
        """Begin a transaction that writes, and return its handle."""
        begun = await self.client.call_tool("pg_tx", {"action": "begin", "mode": "write"})
        assert begun.structured_content is not None
        return str(begun.structured_content["session_id"])


@asynccontextmanager
async def talking(person: Person) -> AsyncIterator[Talk]:
    """Connect a person's client until the block ends."""
    async with Client(person.url, mode=person.mode, elicitation_callback=person.asked) as client:
        yield Talk(client=client)


@dataclass(frozen=True, kw_only=True)
class Hand:
    """Speak 2026-07-28 by hand: what a client that lies can send."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    capabilities: Mapping[str, object] = field(default_factory=lambda: FORM)
    path: str = "/mcp"

    async def call(
        self,
        arguments: Mapping[str, object],
        *,
        tool: str = "pg_query",
        state: str | None = None,
        answer: Mapping[str, object] | None = None,
    ) -> Received:
        """Call *tool*, with an answer to a question where one is given."""
        lines = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": tool}
        params: dict[str, object] = {"name": tool, "arguments": arguments}
        params["_meta"] = {**ENVELOPE, CAPABILITIES: self.capabilities}
        if state is not None:
            params["requestState"] = state
        if answer is not None:
            params["inputResponses"] = {"confirm": answer}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return await Wire(self.url, self.headers).request(
            "POST", self.path, headers={**ACCEPT, **lines}, body=json.dumps(message).encode()
        )

    async def state(self, arguments: Mapping[str, object], *, tool: str = "pg_query") -> str:
        """Return the name of the question that a call is answered with."""
        result = (await self.call(arguments, tool=tool)).message["result"]
        assert result["resultType"] == "input_required", result
        return str(result["requestState"])


async def open_session(wire: Wire, capabilities: Mapping[str, object]) -> Mapping[str, str]:
    """Open a session of 2025-11-25 with *capabilities*; return the headers of its requests."""
    params = {
        "protocolVersion": LEGACY,
        "capabilities": capabilities,
        "clientInfo": {"name": "hand", "version": "1"},
    }
    answer = await (await wire.post("initialize", params, {})).answer()
    headers = {"Mcp-Session-Id": answer.headers["mcp-session-id"], "MCP-Protocol-Version": LEGACY}
    await (await wire.post("notifications/initialized", {}, headers)).answer()
    return headers
