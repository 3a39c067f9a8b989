"""
Serve the fixture registry through the gateway's own transport, middleware and security.

Run as `python -m tests.conformance.fixture_server PORT`; owns the process and nothing else.
"""

from __future__ import annotations

import sys
import warnings

import uvicorn
from mcp.shared.exceptions import MCPDeprecationWarning

from pgmcp.http import build_app
from pgmcp.settings import Settings
from tests.conformance.fixture_registry import build_server


async def nothing_to_wait_for() -> None:
    """Tell that the fixtures are ready: they need no PostgreSQL."""


async def nothing_to_end(_session: str) -> None:
    """End nothing: the fixtures keep nothing for a session."""


def main(port: int) -> None:
    """Serve until a signal ends the process."""
    # What the revision of 2026 retires is what the scenarios of 2025 ask for.
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    app, _ = build_app(
        build_server(),
        Settings(),
        why_not_ready=nothing_to_wait_for,
        end_session=nothing_to_end,
    )
    # The parser and the loop that the gateway itself is served with.
    uvicorn.run(app, port=port, http="httptools", loop="uvloop", log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]))
