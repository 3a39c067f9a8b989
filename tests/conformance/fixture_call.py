"""
What a fixture tool is, and the short forms its module is written in.

Owns Fixture; never knows which scenario of the suite calls it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp import types
from mcp.server.context import ServerRequestContext

type_of_context = ServerRequestContext[Any, Any]  # Any: the SDK leaves both to the application
type_of_answer = types.CallToolResult | types.InputRequiredResult
type_of_run = Callable[[type_of_context, types.CallToolRequestParams], Awaitable[type_of_answer]]

NO_ARGUMENTS: Mapping[str, Any] = {"type": "object", "properties": {}}  # Any: JSON Schema

# The smallest files a strict decoder accepts: one white pixel, one silent sample.
PIXEL_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=="
)
SILENCE_WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQIAAAAAAA=="


@dataclass(frozen=True, kw_only=True)
class Fixture:
    """Describe one tool that the suite looks for by name."""

    name: str
    description: str
    run: type_of_run
    schema: Mapping[str, Any] = field(default_factory=lambda: NO_ARGUMENTS)  # Any: JSON Schema

    def listed(self) -> types.Tool:
        """Return the tool as tools/list shows it."""
        return types.Tool(
            name=self.name, description=self.description, input_schema=dict(self.schema)
        )


def said(text: str, *, is_error: bool = False) -> types.CallToolResult:
    """Answer with one text."""
    return shown(types.TextContent(type="text", text=text), is_error=is_error)


def shown(*content: types.ContentBlock, is_error: bool = False) -> types.CallToolResult:
    """Answer with *content* in its order."""
    return types.CallToolResult(content=list(content), is_error=is_error)


def embedded(uri: str, mime_type: str, text: str) -> types.EmbeddedResource:
    """Return a text resource to put inside a message."""
    return types.EmbeddedResource(
        type="resource",
        resource=types.TextResourceContents(uri=uri, mime_type=mime_type, text=text),
    )


def image() -> types.ImageContent:
    """Return the one picture all fixtures share."""
    return types.ImageContent(type="image", data=PIXEL_PNG, mime_type="image/png")


def form(message: str, **properties: Mapping[str, Any]) -> types.ElicitRequestFormParams:
    """Return a form whose fields are *properties*, all of them required."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return types.ElicitRequestFormParams(message=message, requested_schema=schema)


def prompt_for_model(question: str, max_tokens: int = 100) -> types.CreateMessageRequest:
    """Return a sampling request with one user message."""
    content = types.TextContent(type="text", text=question)
    message = types.SamplingMessage(role="user", content=content)
    params = types.CreateMessageRequestParams(messages=[message], max_tokens=max_tokens)
    return types.CreateMessageRequest(params=params)
