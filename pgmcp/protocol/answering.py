"""
One call from its arguments to its result: checked, run, every failure in words, recorded.

Owns the sentences about arguments and the incident numbers; never asks a human.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any

import mcp_types as types
from pydantic import ValidationError

from pgmcp.audit import Record, write
from pgmcp.errors import CallerError, PgmcpError
from pgmcp.protocol.asking import Asking, Conversation
from pgmcp.tools.base import Answer, Call, Tool, run_in_turn

log = logging.getLogger("pgmcp.protocol")
SHOWN = 60  # characters of a caller's word in a sentence
FAULTS = 5  # told of one call
SURROGATE = re.compile("[\ud800-\udfff]")
NO_ANSWER = Answer(text="")


async def answer(
    tool: Tool, call: Call, arguments: Mapping[str, Any], conversation: Conversation | None = None
) -> types.CallToolResult | types.InputRequiredResult:
    """
    Run the tool; every failure that somebody can mend becomes a result with isError.

    Through *conversation*, where there is one, the tool's questions reach the client's human.
    """
    started = time.perf_counter()
    outcome, sqlstate, found = "cancelled", "", NO_ANSWER
    call.record.transaction = _text(arguments.get("session_id"))
    try:
        call.quota.count(call.access)
        params = _validate(tool, arguments)
        found = await (conversation.run if conversation else run_in_turn)(tool, call, params)
        outcome = "ok"
        return _result(found)
    except Asking as asking:
        outcome = "asked"
        return asking.result
    except PgmcpError as error:
        outcome, sqlstate = type(error).__name__, error.sqlstate
        return _failure("\n".join(error.lines()))
    except Exception:  # the last place that can answer: anything else is a bug
        outcome = incident = secrets.token_hex(4)
        log.exception("incident %s in %s", incident, tool.name)
        return _failure(
            f"error: pgmcp failed (incident {incident}). This is a bug, not your call's fault: "
            "the operator finds the incident in the journal. Whether anything was done is unknown."
        )
    finally:
        write(
            Record(
                caller=call.caller.principal,
                address=call.caller.address,
                tool=tool.name,
                action=_text(arguments.get("action")),
                draft=call.record,
                rows=found.rows,
                size=len(found.text.encode(errors="replace")) if outcome == "ok" else None,
                milliseconds=(time.perf_counter() - started) * 1000,
                outcome=outcome,
                sqlstate=sqlstate,
            )
        )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _validate(tool: Tool, arguments: Mapping[str, Any]) -> Any:  # Any: the tool's own Params
    for name, value in arguments.items():
        # These two have sentences of their own, which tell the place.
        if name not in ("sql", "params") and (fault := _fault_of(value)) is not None:
            raise CallerError(
                f"{tool.name}: {_plain(name)} holds a {fault}, which PostgreSQL's text cannot. "
                "Remove it."
            )
    try:
        return tool.params.model_validate(arguments)
    except ValidationError as error:
        fields = tool.params.model_fields.items()
        names = [field.alias or name for name, field in fields]
        known = ", ".join(name for name in names if name not in tool.hidden)
        raise CallerError(f"{tool.name}: {_explain(error)} Parameters: {known}.") from error


def _fault_of(value: object) -> str | None:
    """Name what keeps a text, or one in a list, from being PostgreSQL's."""
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str) and "\0" in text:
            return "NUL"
        if isinstance(text, str) and not text.isascii() and SURROGATE.search(text):
            return "lone surrogate"
    return None


def _plain(name: str) -> str:
    """Return a caller's word for a sentence: as it is, or quoted and cut where it is odd."""
    return name if name.isidentifier() and len(name) <= SHOWN else repr(name[:SHOWN])


def _explain(error: ValidationError) -> str:
    parts = []
    for item in error.errors():
        name = _plain(str(item["loc"][0])) if item["loc"] else "arguments"
        place = "".join(f"[{part}]" for part in item["loc"][1:] if isinstance(part, int))
        if item["type"] == "extra_forbidden":
            parts.append(f"there is no parameter {name}.")
        elif item["type"] == "value_error" and not item["loc"]:
            parts.append(f"{item['msg'].removeprefix('Value error, ')}.")
        elif item["type"] == "missing":
            parts.append(f"{name} is missing.")
        else:
            given = repr(item["input"])
            shown = given if len(given) <= SHOWN else given[:SHOWN] + "…"
            parts.append(f"{name}{place}: {shown}: {item['msg']}.")
    different = list(dict.fromkeys(parts))
    if len(different) > FAULTS:
        different[FAULTS:] = [f"And {len(different) - FAULTS} more."]
    return " ".join(different)


def _result(answer: Answer) -> types.CallToolResult:
    structured = dict(answer.structured) if answer.structured is not None else None
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=answer.text)],
        structured_content=structured,
        is_error=False,
    )


def _failure(text: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)
