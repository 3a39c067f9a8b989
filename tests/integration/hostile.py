"""
What the tests of hostile requests insist on: the process lives, was not replaced, and answers.

Owns nothing; the process is the run's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests import raw
from tests.process import GatewayProcess

QUERY = raw.call_headers("pg_query")


@asynccontextmanager
async def surviving(gateway: GatewayProcess) -> AsyncIterator[None]:
    """Insist at the end that the gateway answers still, and met no bug."""
    yield
    assert gateway.process.poll() is None
    reply = await raw.call(gateway.url, "pg_query", {"sql": "SELECT 42"})
    assert "\n42\n" in reply.message["result"]["content"][0]["text"]
    assert "incident" not in gateway.log.read_text()


def with_arguments(arguments: str) -> bytes:
    """Return a tools/call of pg_query whose arguments are *arguments*, word for word."""
    return raw.call_body("pg_query", "HERE").replace(b'"HERE"', arguments.encode())
