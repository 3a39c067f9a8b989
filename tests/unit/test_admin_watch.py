"""Watching a long command: news while it runs, and nothing of the watcher afterwards."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from pgmcp.tools.admin.watch import watched

OFTEN = timedelta(milliseconds=1)


async def test_news_is_told_until_the_command_ends() -> None:
    told = asyncio.Event()

    async def look() -> None:
        told.set()

    async def command() -> str:
        await told.wait()
        return "done"

    assert await watched(command(), look, every=OFTEN) == "done"


async def test_a_look_that_hangs_does_not_hold_the_command_up() -> None:
    hanging = asyncio.Event()

    async def look() -> None:
        hanging.set()
        await asyncio.Event().wait()

    async def command() -> str:
        await hanging.wait()
        return "done"

    async with asyncio.timeout(5):
        assert await watched(command(), look, every=OFTEN) == "done"


async def test_a_cancelled_watch_cancels_the_command() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def command() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def look() -> None:
        pass

    task = asyncio.create_task(watched(command(), look))
    await started.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
