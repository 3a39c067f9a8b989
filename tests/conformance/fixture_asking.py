"""
Fixture tools that ask the client while the call runs, as revisions up to 2025-11-25 do.

Owns no state; every question travels on the stream of the call that asks it.
"""

from __future__ import annotations

import json

from mcp import types
from mcp.shared.message import ServerMessageMetadata

from tests.conformance.fixture_call import (
    Fixture,
    form,
    prompt_for_model,
    said,
    type_of_context,
)

type_of_params = types.CallToolRequestParams

STRING = {"type": "string"}
STATES = ["active", "inactive", "pending"]


async def sampling(context: type_of_context, params: type_of_params) -> types.CallToolResult:
    """Let the client's model answer the prompt."""
    prompt = str((params.arguments or {}).get("prompt", ""))
    answer = await context.session.send_request(
        prompt_for_model(prompt),
        types.CreateMessageResult,
        metadata=ServerMessageMetadata(related_request_id=context.request_id),
    )
    text = answer.content.text if isinstance(answer.content, types.TextContent) else "no text"
    return said(f"LLM response: {text}")


async def ask(context: type_of_context, question: types.ElicitRequestFormParams) -> str:
    """Put *question* to the client's person and return the answer in words."""
    answer = await context.session.elicit_form(
        question.message, question.requested_schema, related_request_id=context.request_id
    )
    return f"action={answer.action}, content={json.dumps(answer.content or {})}"


async def elicitation(context: type_of_context, params: type_of_params) -> types.CallToolResult:
    """Ask for a name and an address with the message given."""
    message = str((params.arguments or {}).get("message", ""))
    question = form(
        message,
        username={**STRING, "description": "User's response"},
        email={**STRING, "description": "User's email address"},
    )
    return said(f"User response: {await ask(context, question)}")


async def with_defaults(context: type_of_context, _: type_of_params) -> types.CallToolResult:
    """Ask with a default for each primitive type (SEP-1034)."""
    question = form(
        "Please provide user information",
        name={**STRING, "default": "John Doe"},
        age={"type": "integer", "default": 30},
        score={"type": "number", "default": 95.5},
        status={**STRING, "enum": STATES, "default": "active"},
        verified={"type": "boolean", "default": True},
    )
    return said(f"Elicitation completed: {await ask(context, question)}")


async def with_enums(context: type_of_context, _: type_of_params) -> types.CallToolResult:
    """Ask with each of the five forms of an enum (SEP-1330)."""
    titled = [{"const": f"value{n}", "title": f"Option {n}"} for n in (1, 2, 3)]
    plain = ["option1", "option2", "option3"]
    question = form(
        "Please choose",
        untitledSingle={**STRING, "enum": plain},
        titledSingle={**STRING, "oneOf": titled},
        legacyEnum={**STRING, "enum": ["opt1", "opt2"], "enumNames": ["Option 1", "Option 2"]},
        untitledMulti={"type": "array", "items": {**STRING, "enum": plain}},
        titledMulti={"type": "array", "items": {"anyOf": titled}},
    )
    return said(f"Elicitation completed: {await ask(context, question)}")


FIXTURES = (
    Fixture(
        name="test_sampling",
        description="Asks the client's model",
        run=sampling,
        schema={"type": "object", "properties": {"prompt": STRING}, "required": ["prompt"]},
    ),
    Fixture(
        name="test_elicitation",
        description="Asks the client's person",
        run=elicitation,
        schema={"type": "object", "properties": {"message": STRING}, "required": ["message"]},
    ),
    Fixture(
        name="test_elicitation_sep1034_defaults",
        description="Asks with defaults",
        run=with_defaults,
    ),
    Fixture(
        name="test_elicitation_sep1330_enums",
        description="Asks with enums",
        run=with_enums,
    ),
)
