"""
The record of a call that reached no tool: an unknown tool, a request that is no call.

Owns what the SDK refuses by itself; what a tool refuses is recorded with the call.
"""

from __future__ import annotations

from typing import Any

from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from pydantic import ValidationError

from pgmcp.audit import Draft, Record, write

Context = Any  # Any: the SDK's ServerRequestContext, generic over a lifespan that is not used


async def record_refused(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Pass a message on; write down a tools/call that comes back as the caller's mistake."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError) as error:
        is_mistake = isinstance(error, ValidationError) or error.code == INVALID_PARAMS
        if is_mistake and ctx.method == "tools/call":
            _record(ctx)
        raise


def _record(context: Context) -> None:
    caller = context.request.state.caller
    given = context.params or {}
    arguments = given.get("arguments")
    action = arguments.get("action") if isinstance(arguments, dict) else None
    write(
        Record(
            caller=caller.principal,
            address=caller.address,
            tool=given["name"] if isinstance(given.get("name"), str) else "",
            action=action if isinstance(action, str) else "",
            draft=Draft(),
            outcome="CallerError",
        )
    )
