"""
Fixture tools that need another round, as revision 2026-07-28 does (SEP-2322).

Owns no state: what a round must remember travels in requestState, sealed by the server's boundary.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from mcp import types

from tests.conformance.fixture_call import (
    Fixture,
    form,
    prompt_for_model,
    said,
    type_of_answer,
    type_of_context,
    type_of_run,
)

type_of_params = types.CallToolRequestParams
type_of_asked = types.InputRequest

STRING = {"type": "string"}


def needed(state: str | None = None, **requests: type_of_asked) -> types.InputRequiredResult:
    """Answer that the client has to come back with *requests* fulfilled."""
    return types.InputRequiredResult(input_requests=requests, request_state=state)


def question(message: str, field: str, kind: str = "string") -> types.ElicitRequest:
    """Return a form with one field."""
    return types.ElicitRequest(params=form(message, **{field: {"type": kind}}))


def who() -> types.ElicitRequest:
    """Ask for a name."""
    return question("What is your name?", "name")


def answered(params: type_of_params, key: str, field: str) -> str | None:
    """Return what the person wrote in *field* of the form *key*, None where it is missing."""
    answer = (params.input_responses or {}).get(key)
    if not isinstance(answer, types.ElicitResult) or answer.action != "accept":
        return None
    value = (answer.content or {}).get(field)
    return None if value is None else str(value)


async def one_form(_: type_of_context, params: type_of_params) -> type_of_answer:
    """Ask for a name until it comes; everything else that comes along is ignored."""
    name = answered(params, "user_name", "name")
    return needed(user_name=who()) if name is None else said(f"Hello, {name}!")


async def one_sample(_: type_of_context, params: type_of_params) -> type_of_answer:
    """Ask the client's model for a capital."""
    answer = (params.input_responses or {}).get("capital_question")
    if not isinstance(answer, types.CreateMessageResult):
        return needed(capital_question=prompt_for_model("What is the capital of France?"))
    text = answer.content.text if isinstance(answer.content, types.TextContent) else "no text"
    return said(f"The model said: {text}")


async def roots(_: type_of_context, params: type_of_params) -> type_of_answer:
    """Ask for the client's roots."""
    answer = (params.input_responses or {}).get("client_roots")
    if not isinstance(answer, types.ListRootsResult):
        return needed(client_roots=types.ListRootsRequest())
    return said(f"The client has {len(answer.roots)} roots.")


async def with_state(_: type_of_context, params: type_of_params) -> type_of_answer:
    """Ask for a confirmation and insist on the state coming back."""
    if params.request_state == "asked" and answered(params, "confirm", "ok"):
        return said("state-ok: confirmed")
    return needed("asked", confirm=question("Please confirm", "ok", "boolean"))


async def several(_: type_of_context, params: type_of_params) -> type_of_answer:
    """Ask for three things of three kinds at once."""
    asked: Mapping[str, type_of_asked] = {
        "user_name": who(),
        "greeting": prompt_for_model("Generate a greeting", 50),
        "client_roots": types.ListRootsRequest(),
    }
    if asked.keys() <= (params.input_responses or {}).keys():
        return said("All three came.")
    return needed("several", **asked)


async def rounds(_: type_of_context, params: type_of_params) -> type_of_answer:
    """Ask for a name, then for a colour, and remember the name in between."""
    name = answered(params, "step1", "name")
    if name is not None and params.request_state == "round 1":
        state = json.dumps({"name": name})
        return needed(state, step2=question("Step 2: What is your favorite color?", "color"))
    color = answered(params, "step2", "color")
    if color is not None and params.request_state not in {None, "round 1"}:
        return said(f"{json.loads(params.request_state or '{}')['name']} likes {color}.")
    return needed("round 1", step1=question("Step 1: What is your name?", "name"))


async def sealed(_: type_of_context, params: type_of_params) -> type_of_answer:
    """Ask once; a state that was tampered with never comes as far as here."""
    if params.request_state is not None:
        return said(f"state-ok: {params.request_state}")
    return needed("sealed", confirm=question("Please confirm", "ok", "boolean"))


async def as_able(context: type_of_context, _: type_of_params) -> type_of_answer:
    """Ask only for what the client says that it can do."""
    capabilities = context.session.client_capabilities or types.ClientCapabilities()
    asked: dict[str, type_of_asked] = {}
    if capabilities.sampling is not None:
        asked["sample"] = prompt_for_model("Say hello", 50)
    if capabilities.elicitation is not None:
        asked["name"] = who()
    return needed("as able", **asked)


def fixture(ending: str, description: str, run: type_of_run) -> Fixture:
    """Return the tool test_input_required_result_*ending*."""
    name = f"test_input_required_result_{ending}"
    return Fixture(name=name, description=description, run=run)


FIXTURES = (
    fixture("elicitation", "Asks for a form", one_form),
    fixture("sampling", "Asks for a sample", one_sample),
    fixture("list_roots", "Asks for roots", roots),
    fixture("request_state", "Asks and remembers", with_state),
    fixture("multiple_inputs", "Asks for three things", several),
    fixture("multi_round", "Asks twice", rounds),
    fixture("tampered_state", "Trusts no state", sealed),
    fixture("capabilities", "Asks what the client can", as_able),
    Fixture(name="test_streaming_elicitation", description="Asks on a stream", run=one_form),
)
