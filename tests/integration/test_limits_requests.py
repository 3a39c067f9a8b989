"""Requests and connections that are too large, too slow or too many, over real HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgmcp.connection import OTHER_FILES
from tests.callers import Callers, callers
from tests.cluster import ThrowawayCluster
from tests.integration.limiting import SECTIONS, call, serves
from tests.wire import ACCEPT, MODERN


@pytest.fixture(scope="module")
def narrow(newest_cluster: ThrowawayCluster) -> Iterator[Callers]:
    """Run a gateway with narrow limits for everybody."""
    with callers(newest_cluster.environment(), SECTIONS) as found:
        yield found


BODIES = [
    pytest.param({"Content-Length": "20001"}, b"", id="length"),
    pytest.param(
        {"Transfer-Encoding": "chunked"},
        b"4e20\r\n" + b"x" * 20000 + b"\r\n2\r\nxx\r\n",
        id="chunks",
    ),
]


@pytest.mark.parametrize(("headers", "body"), BODIES)
async def test_a_body_that_is_too_large(
    narrow: Callers, headers: dict[str, str], body: bytes
) -> None:
    reader, writer = await asyncio.open_connection(narrow.greedy.host, narrow.greedy.port)
    await send_head(narrow, writer, {**ACCEPT, **headers})
    writer.write(body)

    answer = await asyncio.wait_for(reader.readuntil(b"Request body too large"), 5)

    writer.close()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert await serves(narrow)


async def send_head(
    callers: Callers, writer: asyncio.StreamWriter, headers: dict[str, str], *, end: str = "\r\n"
) -> None:
    """Send the head of a POST, or its beginning."""
    lines = {"Host": f"127.0.0.1:{callers.greedy.port}", **callers.headers["greedy"], **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"POST /mcp HTTP/1.1\r\n{head}{end}".encode("latin-1"))
    await writer.drain()


UNFINISHED = [
    pytest.param("POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", "", id="half a head"),
    pytest.param("\r\n", "\r\n", id="empty lines"),
]


@pytest.mark.parametrize(("first", "then"), UNFINISHED)
async def test_a_request_that_does_not_arrive_is_given_up(
    narrow: Callers, first: str, then: str
) -> None:
    reader, writer = await asyncio.open_connection(narrow.greedy.host, narrow.greedy.port)
    began = time.monotonic()
    writer.write(first.encode())
    await asyncio.sleep(0.3)
    writer.write(then.encode())

    answer = await asyncio.wait_for(reader.read(), 5)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(b"The request has not arrived within 1 s. Send it again.\n")
    assert time.monotonic() - began < 3
    writer.close()


async def test_slow_bodies_are_given_up_and_hold_nothing_meanwhile(narrow: Callers) -> None:
    async with contextlib.AsyncExitStack() as stack:
        readers = []
        for _ in range(19):
            reader, writer = await asyncio.open_connection(narrow.greedy.host, narrow.greedy.port)
            stack.callback(writer.close)
            headers = {**ACCEPT, "MCP-Protocol-Version": MODERN, "Content-Length": "5000"}
            await send_head(narrow, writer, headers)
            writer.write(b"x" * 4000)
            readers.append(reader)
        meanwhile = await asyncio.gather(*(serves(narrow) for _ in range(5)))
        answers = [await asyncio.wait_for(reader.read(), 5) for reader in readers]

    assert all(meanwhile)
    assert {answer[:13] for answer in answers} == {b"HTTP/1.1 408 "}
    assert "-- 1 row" in (await call(narrow.greedy, "pg_query", sql="SELECT 1")).text


async def test_bodies_of_one_caller_fill_no_memory(narrow: Callers) -> None:
    """Eight times the largest body is all that a caller's requests may hold together."""
    headers = {**ACCEPT, "MCP-Protocol-Version": MODERN, "Content-Length": "19000"}
    async with contextlib.AsyncExitStack() as stack:
        readers = []
        for _ in range(12):
            reader, writer = await asyncio.open_connection(narrow.greedy.host, narrow.greedy.port)
            stack.callback(writer.close)
            await send_head(narrow, writer, headers)
            writer.write(b"x" * 18_999)
            readers.append(reader)
        answers = [await asyncio.wait_for(reader.read(), 5) for reader in readers]

    told = [answer for answer in answers if answer.startswith(b"HTTP/1.1 429 ")]
    assert len(told) == 4
    assert b"the bodies of your requests under way are above 160000 bytes together" in told[0]
    assert await serves(narrow)


async def test_an_answer_that_takes_longer_than_a_request_may_is_not_given_up(
    narrow: Callers,
) -> None:
    answer = await call(narrow.greedy, "pg_query", sql="SELECT pg_sleep(1.5)")

    assert "-- 1 row" in answer.text


HEADS = [
    pytest.param({"X-Long": "y" * 9000}, "\r\n", id="at once"),
    pytest.param({f"X-Many-{number}": "y" * 50 for number in range(200)}, "\r\n", id="many"),
    pytest.param({"X-Long": "y" * 9000}, "X-More: ", id="without an end"),
]


@pytest.mark.parametrize(("headers", "end"), HEADS)
async def test_a_head_that_is_too_large(narrow: Callers, headers: dict[str, str], end: str) -> None:
    reader, writer = await asyncio.open_connection(narrow.greedy.host, narrow.greedy.port)
    await send_head(narrow, writer, headers, end=end)

    answer = await asyncio.wait_for(reader.read(), 5)

    writer.close()
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert answer.endswith(
        b"The request's URL and headers are above 8000 bytes. Send fewer or shorter ones.\n"
    )
    assert await serves(narrow)


async def test_idle_connections_make_room_for_new_ones(narrow: Callers) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(150):
            _, writer = await asyncio.open_connection(narrow.greedy.host, narrow.greedy.port)
            stack.callback(writer.close)

        assert await serves(narrow)


async def test_where_no_connection_is_idle_a_new_one_is_told(
    newest_cluster: ThrowawayCluster,
) -> None:
    sections = "[http]\nmax_connections = 10"
    with callers(newest_cluster.environment(), sections) as found:
        query = {"sql": "SELECT pg_sleep(1)"}
        pending = [await found.greedy.modern("pg_query", **query) for _ in range(10)]
        await asyncio.sleep(0.2)
        reader, writer = await asyncio.open_connection(found.greedy.host, found.greedy.port)

        answer = await asyncio.wait_for(reader.read(), 5)

        writer.close()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"10 connections are open, the most allowed at once. Try again" in answer
        for each in pending:
            assert (await each.answer()).status == 200
        assert await serves(found)


def test_the_process_may_open_as_many_files_as_connections(narrow: Callers) -> None:
    lines = Path(f"/proc/{narrow.process.process.pid}/limits").read_text().splitlines()

    soft = next(int(line.split()[3]) for line in lines if line.startswith("Max open files"))

    assert soft >= 60 + OTHER_FILES
