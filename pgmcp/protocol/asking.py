"""
A human's yes before something is destroyed, in both protocol eras.

Owns the question's words and its way to the client; what needs one is the tools' to say, and
which answers count is `questions`'.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from pgmcp.clock import words
from pgmcp.errors import CallerError, ConfirmationNeeded, Declined, visible
from pgmcp.questions import Asked, Questions
from pgmcp.tools.base import Answer, Call, Confirmation, Params, Tool, run_in_turn

Context = Any  # Any: the SDK's ServerRequestContext, generic over a lifespan that is not used
KEY = "confirm"  # the question's name, and its one field's
FORM: dict[str, Any] = {  # Any: JSON
    "type": "object",
    "properties": {KEY: {"type": "boolean", "title": "Run it?", "default": False}},
    "required": [KEY],
}
SHOWN = 300  # characters of the statement
WHO = 200  # characters of a principal
ROUNDS = 5  # questions in one call
CHANGED = "What would happen has changed since you were asked. It would now be:"


class Asking(Exception):
    """Carry the question that a client of 2026-07-28 gets for its call."""

    def __init__(self, result: types.InputRequiredResult) -> None:
        super().__init__("asked")
        self.result = result


def can_ask(context: Context) -> bool:
    """
    Tell whether the client can show its human a form.

    A client that declares elicitation without saying how means forms. Source: MCP 2025-11-25,
    client/elicitation, "Capabilities".
    """
    declared = context.session.client_capabilities
    elicitation = None if declared is None else declared.elicitation
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        return False
    return _is_modern(context) or context.session.can_send_request


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """Run one call, with its human's answers in between; nothing is held while a person thinks."""

    context: Context
    questions: Questions
    request: types.CallToolRequestParams

    async def run(self, tool: Tool, call: Call, params: Params) -> Answer:
        """
        Run the tool; where it needs a yes, ask for it and run it again.

        Raises:
            Asking: the client has to bring the answer in another call.
            Declined: the human did not say yes; nothing was done.
            CallerError: an answer to no open question; nothing was done.
        """
        agreed = self._answer_brought(tool, call)
        asks = call.confirmation.asks or agreed != ""
        for _ in range(ROUNDS):
            current = replace(call, confirmation=Confirmation(asks=asks, agreed=agreed))
            try:
                return await run_in_turn(tool, current, params)
            except ConfirmationNeeded as needed:
                if not asks:
                    raise
                text = question_of(needed, tool, call, self.request.arguments or {}, again=agreed)
                try:
                    agreed = await self._ask(needed, tool, call, text)
                except NoBackChannelError:
                    asks = False
                except CallerError as error:
                    error.fate = needed.fate
                    raise
        raise Declined(
            f"what would happen changed {ROUNDS} times while your human was asked. Nothing was "
            "done. Call again when it is quiet."
        )

    def _answer_brought(self, tool: Tool, call: Call) -> str:
        """Return the seal that the human has agreed to in an earlier call; "" without an answer."""
        state, answers = self.request.request_state, self.request.input_responses or {}
        answer = answers.get(KEY)
        if state is None or answer is None:
            return ""
        bound = digest(self.request.arguments or {})
        seal = self.questions.take(state, owner=call.owner, tool=tool.name, call=bound)
        _require_yes(answer)
        return seal

    async def _ask(self, needed: ConfirmationNeeded, tool: Tool, call: Call, text: str) -> str:
        """Ask, and return the seal of what the human has agreed to."""
        bound = digest(self.request.arguments or {})
        asked = Asked(owner=call.owner, tool=tool.name, call=bound, seal=needed.seal)
        name = self.questions.put(asked)
        if _is_modern(self.context):
            form = types.ElicitRequestFormParams(message=text, requested_schema=FORM)
            requests: types.InputRequests = {KEY: types.ElicitRequest(params=form)}
            raise Asking(types.InputRequiredResult(input_requests=requests, request_state=name))
        try:
            answer = await self._ask_now(text)
            # Too late, or too many others: then it counts no more than a stranger's.
            seal = self.questions.take(name, owner=call.owner, tool=tool.name, call=bound)
        finally:
            self.questions.drop(name)
        _require_yes(answer)
        return seal

    async def _ask_now(self, text: str) -> types.ElicitResult:
        """Ask on the stream of this call, and wait for the answer as long as it counts."""
        limit = self.questions.limit
        session, number = self.context.session, self.context.request_id
        try:
            async with asyncio.timeout(limit.total_seconds()):
                found: types.ElicitResult = await session.elicit_form(
                    text, FORM, related_request_id=number
                )
        except TimeoutError as error:
            raise Declined(
                f"your human was asked and did not answer within {words(limit)}. Nothing was "
                "done. Repeat the call to ask again."
            ) from error
        except NoBackChannelError:
            raise
        except (MCPError, ValidationError) as error:
            reason = visible(str(error))[:SHOWN]
            raise CallerError(
                f"your client declares elicitation and could not ask its human: {reason}. Nothing "
                "was done. Repeat the call; where that does not help, the client has to be mended."
            ) from error
        return found


def digest(arguments: Mapping[str, Any]) -> str:
    """Return what stands for exactly these arguments."""
    return hashlib.sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()


def question_of(
    needed: ConfirmationNeeded,
    tool: Tool,
    call: Call,
    arguments: Mapping[str, Any],
    *,
    again: str = "",
) -> str:
    """Return the question: what would happen first, a line each, then who asks for what."""
    lines = (
        CHANGED if again else "Run this? Nothing has been done yet.",
        *needed.would,
        *needed.facts,
        f"statement: {_statement_of(arguments)}",
        f"database: {needed.database}",
        f"asked by: {call.caller.principal[:WHO]}, with {tool.name}",
    )
    return "\n".join(map(visible, lines))


def _statement_of(arguments: Mapping[str, Any]) -> str:
    sql = arguments.get("sql")
    if isinstance(sql, str):
        text = sql
    else:
        given = {name: value for name, value in arguments.items() if name != KEY}
        text = " ".join(
            f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in given.items()
        )
    text = " ".join(text.split())
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]}… ({len(text) - SHOWN} more characters)"


def _require_yes(answer: object) -> None:
    """
    Refuse everything but a yes.

    Raises:
        Declined: says how the human answered.
    """
    action = getattr(answer, "action", None)
    content = getattr(answer, "content", None) or {}
    if action == "accept" and content.get(KEY) is True:
        return
    how = {"cancel": "closed the question", "decline": "declined"}.get(str(action), "said no")
    raise Declined(
        f"your human was asked and {how}. Nothing was done. Do not try again, or in another way, "
        "unless they tell you to."
    )


def _is_modern(context: Context) -> bool:
    return context.protocol_version in MODERN_PROTOCOL_VERSIONS
