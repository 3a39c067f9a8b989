"""
Fixture resources, prompts and completions.

Owns what the suite reads by URI or by name; never changes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from mcp import types
from mcp.shared.exceptions import MCPError

from tests.conformance.fixture_call import (
    PIXEL_PNG,
    embedded,
    form,
    image,
    type_of_context,
)

RESOURCES = tuple(
    types.Resource(uri=f"test://{name}", name=name, mime_type=mime_type)
    for name, mime_type in (
        ("static-text", "text/plain"),
        ("static-binary", "image/png"),
        ("watched-resource", "text/plain"),
    )
)
TEMPLATE = types.ResourceTemplate(
    uri_template="test://template/{id}/data", name="template", mime_type="application/json"
)


def prompt(name: str, arguments: Sequence[str] = ()) -> types.Prompt:
    """Describe a prompt whose *arguments* are all required."""
    listed = [types.PromptArgument(name=argument, required=True) for argument in arguments]
    return types.Prompt(name=name, description=f"The prompt {name}", arguments=listed)


PROMPTS = (
    prompt("test_simple_prompt"),
    prompt("test_prompt_with_arguments", ("arg1", "arg2")),
    prompt("test_prompt_with_embedded_resource", ("resourceUri",)),
    prompt("test_prompt_with_image"),
    prompt("test_input_required_result_prompt"),
)


async def list_resources(_: type_of_context, __: object) -> types.ListResourcesResult:
    """List the resources with fixed addresses."""
    return types.ListResourcesResult(resources=list(RESOURCES))


async def list_templates(_: type_of_context, __: object) -> types.ListResourceTemplatesResult:
    """List the one template."""
    return types.ListResourceTemplatesResult(resource_templates=[TEMPLATE])


async def read_resource(
    _: type_of_context, params: types.ReadResourceRequestParams
) -> types.ReadResourceResult:
    """Read a resource; one that does not exist is a protocol error that names it."""
    uri = str(params.uri)
    return types.ReadResourceResult(contents=[contents(uri)])


def contents(uri: str) -> types.TextResourceContents | types.BlobResourceContents:
    """Return what is at *uri*."""
    before, after = "test://template/", "/data"
    if uri.startswith(before) and uri.endswith(after):
        key = uri.removeprefix(before).removesuffix(after)
        text = json.dumps({"id": key, "templateTest": True, "data": f"Data for ID: {key}"})
        return types.TextResourceContents(uri=uri, mime_type="application/json", text=text)
    match uri:
        case "test://static-text":
            text = "This is the content of the static text resource."
            return types.TextResourceContents(uri=uri, mime_type="text/plain", text=text)
        case "test://static-binary":
            return types.BlobResourceContents(uri=uri, mime_type="image/png", blob=PIXEL_PNG)
        case "test://watched-resource":
            text = "Watched resource content"
            return types.TextResourceContents(uri=uri, mime_type="text/plain", text=text)
    raise MCPError(
        code=types.INVALID_PARAMS, message=f"resource {uri} does not exist.", data={"uri": uri}
    )


async def accepted(_: type_of_context, __: object) -> types.EmptyResult:
    """Accept a subscription, its end, or a log level: nothing here ever changes."""
    return types.EmptyResult()


async def list_prompts(_: type_of_context, __: object) -> types.ListPromptsResult:
    """List the prompts."""
    return types.ListPromptsResult(prompts=list(PROMPTS))


async def get_prompt(
    _: type_of_context, params: types.GetPromptRequestParams
) -> types.GetPromptResult | types.InputRequiredResult:
    """Fill a prompt in."""
    given = params.arguments or {}
    match params.name:
        case "test_simple_prompt":
            return messages(text("This is a simple prompt for testing."))
        case "test_prompt_with_arguments":
            filled = f"arg1='{given.get('arg1')}', arg2='{given.get('arg2')}'"
            return messages(text(f"Prompt with arguments: {filled}"))
        case "test_prompt_with_embedded_resource":
            uri = given.get("resourceUri", "")
            inside = embedded(uri, "text/plain", "Embedded resource content for testing.")
            return messages(inside, text("Please process the embedded resource above."))
        case "test_prompt_with_image":
            return messages(image(), text("Please analyze the image above."))
        case "test_input_required_result_prompt":
            return with_context(params)
    raise MCPError(code=types.INVALID_PARAMS, message=f"prompt {params.name} does not exist.")


def with_context(
    params: types.GetPromptRequestParams,
) -> types.GetPromptResult | types.InputRequiredResult:
    """Ask for the context first, then fill the prompt in with it."""
    answer = (params.input_responses or {}).get("user_context")
    if not isinstance(answer, types.ElicitResult):
        question = form("What context should the prompt use?", context={"type": "string"})
        asked: types.InputRequest = types.ElicitRequest(params=question)
        return types.InputRequiredResult(input_requests={"user_context": asked})
    return messages(text(f"Use this context: {(answer.content or {}).get('context')}"))


def text(words: str) -> types.TextContent:
    """Return *words* as content."""
    return types.TextContent(type="text", text=words)


def messages(*content: types.ContentBlock) -> types.GetPromptResult:
    """Return a prompt in which the user says each of *content*."""
    said = [types.PromptMessage(role="user", content=each) for each in content]
    return types.GetPromptResult(messages=said)


async def complete(_: type_of_context, params: types.CompleteRequestParams) -> types.CompleteResult:
    """Complete an argument from two words."""
    values = [word for word in ("alpha", "beta") if word.startswith(params.argument.value)]
    return types.CompleteResult(completion=types.Completion(values=values, total=len(values)))
