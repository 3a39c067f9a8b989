"""
How the tests of limits act: narrow limits, calls that meet them, and another who is served.

Owns nothing; the process is `callers`'s.
"""

from __future__ import annotations

from tests.callers import Callers
from tests.wire import LegacySession, Received, Wire

SECTIONS = """
[http]
arrival = 1
max_connections = 60
requests_per_caller = 20
sessions_per_caller = 4
max_body_bytes = 20000
max_header_bytes = 8000
[pools]
wait = 0.5
[transactions]
per_caller = 3
"""


async def call(wire: Wire | LegacySession, tool: str, **arguments: object) -> Received:
    """Call a tool and return the answer."""
    pending = await (wire.modern if isinstance(wire, Wire) else wire.call)(tool, **arguments)
    return await pending.answer()


async def serves(callers: Callers) -> bool:
    """Tell whether the other caller is served, by the process that was started."""
    answer = await call(callers.polite, "pg_query", sql="SELECT 41 + 1 AS n")
    return callers.process.process.poll() is None and "\n42\n" in answer.text
