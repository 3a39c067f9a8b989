"""
The TypeScript SDK's client as a Caller of the scenario, in a Node process of its own.

Owns that process: it has ended, by itself or by force, when the block ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from tests.scenario.reply import ProtocolRefused, Reply, ScenarioFailed
from tests.scenario.world import in_words

FOLDER = Path(__file__).parent / "ts"
LINE_BYTES = 4 << 20  # an answer is one line; the reader's default of 64 KiB is below our own limit
CALL_SECONDS = 70  # above the limit inside the client, so that its own words are seen
END_SECONDS = 10


class TypeScriptCaller:
    """
    Speak through one process that speaks through one session.

    Several calls may be under way at once; their answers find them by a number.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}  # Any: JSON
        self.asked = 0

    async def tool_names(self) -> list[str]:
        """Return the names in the order the gateway lists them."""
        answer = await self.ask({"list": True})
        return [str(name) for name in answer["names"]]

    async def call(self, tool: str, arguments: dict[str, object]) -> Reply:
        """Call *tool*; see `Caller`."""
        answer = await self.ask({"tool": tool, "arguments": arguments})
        if "refused" in answer:
            raise ProtocolRefused(answer["refused"])
        return Reply(
            asked=in_words(tool, arguments),
            text=answer["text"],
            structured=answer["structured"],
            is_error=answer["isError"],
        )

    async def ask(self, request: Mapping[str, object]) -> dict[str, Any]:  # Any: JSON
        """Send one line and return the line that answers it."""
        if self.process.stdin is None:
            raise ScenarioFailed("the TypeScript client has no standard input")
        self.asked += 1
        number = self.asked
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.waiting[number] = answer
        line = json.dumps({"id": number, **request})
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()
        async with asyncio.timeout(CALL_SECONDS):
            return await answer

    async def listen(self) -> None:
        """Hand answers to those who wait for them, until cancelled; a failure goes to all."""
        try:
            while True:
                answer = await self.next_line()
                self.waiting.pop(answer["id"]).set_result(answer)
        except ScenarioFailed as error:
            for waiting in self.waiting.values():
                waiting.set_exception(error)

    async def next_line(self) -> dict[str, Any]:  # Any: JSON
        """Return the next line that the process prints."""
        if self.process.stdout is None:
            raise ScenarioFailed("the TypeScript client has no standard output")
        line = await self.process.stdout.readline()
        if not line:
            errors = self.process.stderr
            said = (await errors.read()).decode() if errors else ""
            raise ScenarioFailed(f"the TypeScript client ended: {said.strip()[-2000:]}")
        answer: dict[str, Any] = json.loads(line)  # Any: JSON
        return answer


@contextlib.asynccontextmanager
async def connected(node: Path, url: str) -> AsyncIterator[TypeScriptCaller]:
    """Connect to *url* with revision 2025-11-25, the newest that this client knows."""
    process = await asyncio.create_subprocess_exec(
        node,
        FOLDER / "caller.mjs",
        url,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LINE_BYTES,
    )
    try:
        caller = TypeScriptCaller(process)
        async with asyncio.timeout(CALL_SECONDS):
            hello = await caller.next_line()
        if hello["revision"] != "2025-11-25":
            raise ScenarioFailed(f"the TypeScript client speaks {hello['revision']}")
        listening = asyncio.create_task(caller.listen())
        try:
            yield caller
        finally:
            listening.cancel()
            await asyncio.wait([listening])  # nobody else may read while it does
        await leave(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def leave(process: asyncio.subprocess.Process) -> None:
    """Close the input, on which the process ends its session and itself."""
    async with asyncio.timeout(END_SECONDS):
        _, errors = await process.communicate(b"")  # with no input at all it leaves it open
    if process.returncode:
        raise ScenarioFailed(f"the TypeScript client failed at its end: {errors.decode()[-2000:]}")
