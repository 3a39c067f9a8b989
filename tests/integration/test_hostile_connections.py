"""Slow, unfinished and dropped requests: nobody waits for them, and the process lives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from tests import raw
from tests.integration.hostile import QUERY, surviving
from tests.process import GatewayProcess


@pytest.fixture(autouse=True)
async def survivor(gateway_process: GatewayProcess) -> AsyncIterator[None]:
    async with surviving(gateway_process):
        yield


async def test_a_slow_body_keeps_nobody_waiting(gateway_url: str) -> None:
    parts = urlsplit(gateway_url)
    body = raw.call_body("pg_query", {"sql": "SELECT 5 AS slow"})
    request = raw.request_of(gateway_url, body, QUERY)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request[:-10])
    await writer.drain()

    others = await asyncio.gather(
        *(raw.call(gateway_url, "pg_query", {"sql": "SELECT 1"}) for _ in range(5))
    )
    writer.write(request[-10:])
    reply = await raw.read_reply(reader)
    writer.close()

    assert [other.status for other in others] == [200] * 5
    assert "slow" in reply.text


async def test_a_hundred_unfinished_requests_keep_nobody_waiting(gateway_url: str) -> None:
    parts = urlsplit(gateway_url)
    head = raw.request_of(gateway_url, b"x" * 1000, QUERY)[:-900]
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(100):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
            stack.callback(writer.close)
            writer.write(head)

        reply = await raw.call(gateway_url, "pg_query", {"sql": "SELECT 1"})

    assert reply.status == 200


async def test_requests_in_a_row_on_one_connection_are_all_answered(gateway_url: str) -> None:
    parts = urlsplit(gateway_url)
    bodies = [raw.call_body("pg_query", {"sql": f"SELECT {number} AS n"}) for number in range(5)]
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)

    writer.write(b"".join(raw.request_of(gateway_url, body, QUERY) for body in bodies))
    replies = [await raw.read_reply(reader) for _ in bodies]
    writer.close()

    texts = [reply.message["result"]["content"][0]["text"] for reply in replies]
    assert [text.split("\n")[1] for text in texts] == ["0", "1", "2", "3", "4"]


async def test_a_dropped_request_leaves_the_others_alone(gateway_url: str) -> None:
    parts = urlsplit(gateway_url)
    body = raw.call_body("pg_query", {"sql": "SELECT pg_sleep(20)"})
    for _ in range(10):
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(raw.request_of(gateway_url, body, QUERY))
        await writer.drain()
        writer.transport.abort()

    reply = await raw.call(gateway_url, "pg_query", {"sql": "SELECT 1"})

    assert reply.message["result"]["isError"] is False
