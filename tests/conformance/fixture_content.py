"""
Fixture tools that answer at once: contents of each kind, errors, notices, schemas.

Owns no state; what they send is what the suite's descriptions of its scenarios ask for.
"""

from __future__ import annotations

import asyncio
from typing import Any

from mcp import types
from mcp.shared.exceptions import MCPError

from tests.conformance.fixture_call import (
    SILENCE_WAV,
    Fixture,
    embedded,
    image,
    said,
    shown,
    type_of_context,
)

STEP_SECONDS = 0.05  # the pause between notices that the scenarios ask for
RECONNECT_SECONDS = 0.2  # time for the client to come back after the stream was closed

type_of_params = types.CallToolRequestParams


async def simple_text(_: type_of_context, __: type_of_params) -> types.CallToolResult:
    """Answer with one fixed sentence."""
    return said("This is a simple text response for testing.")


async def image_content(_: type_of_context, __: type_of_params) -> types.CallToolResult:
    """Answer with a picture."""
    return shown(image())


async def audio_content(_: type_of_context, __: type_of_params) -> types.CallToolResult:
    """Answer with a sound."""
    return shown(types.AudioContent(type="audio", data=SILENCE_WAV, mime_type="audio/wav"))


async def embedded_resource(_: type_of_context, __: type_of_params) -> types.CallToolResult:
    """Answer with a resource inside the message."""
    text = "This is an embedded resource content."
    return shown(embedded("test://embedded-resource", "text/plain", text))


async def multiple_content_types(_: type_of_context, __: type_of_params) -> types.CallToolResult:
    """Answer with a text, a picture and a resource."""
    json_text = '{"test":"data","value":123}'
    return shown(
        types.TextContent(type="text", text="Multiple content types test:"),
        image(),
        embedded("test://mixed-content-resource", "application/json", json_text),
    )


async def error_handling(_: type_of_context, __: type_of_params) -> types.CallToolResult:
    """Answer that the tool failed."""
    return said("This tool intentionally returns an error for testing", is_error=True)


async def with_progress(context: type_of_context, _: type_of_params) -> types.CallToolResult:
    """Report 0, 50 and 100 of 100 on the way."""
    for done in (0, 50, 100):
        await context.session.report_progress(done, 100, f"step {done} of 100")
        await asyncio.sleep(STEP_SECONDS)
    return said("The tool reported its progress three times.")


async def with_logging(context: type_of_context, _: type_of_params) -> types.CallToolResult:
    """Log three lines on the way, on the stream of this call."""
    for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await context.session.send_log_message("info", line, related_request_id=context.request_id)
        await asyncio.sleep(STEP_SECONDS)
    return said("The tool logged three lines.")


async def reconnection(context: type_of_context, _: type_of_params) -> types.CallToolResult:
    """Close the stream in the middle of the call where the transport can resume it."""
    if context.close_sse_stream is not None:
        await context.close_sse_stream()
        await asyncio.sleep(RECONNECT_SECONDS)
    return said("The call outlived its stream.")


async def missing_capability(context: type_of_context, _: type_of_params) -> types.CallToolResult:
    """Refuse a client that did not say that it can sample."""
    capabilities = context.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        raise MCPError(
            code=types.MISSING_REQUIRED_CLIENT_CAPABILITY,
            message="test_missing_capability needs the client's capability sampling.",
            data={"requiredCapabilities": {"sampling": {}}},
        )
    return said("The client can sample.")


async def header_mirror(_: type_of_context, params: type_of_params) -> types.CallToolResult:
    """Echo the argument that a header repeats."""
    return said(f"region={(params.arguments or {}).get('region')}")


async def schema_2020_12(_: type_of_context, __: type_of_params) -> types.CallToolResult:
    """Answer anything: the scenario reads the tool's schema only."""
    return said("The schema is the subject of this tool.")


MIRRORED_SCHEMA: dict[str, Any] = {  # Any: JSON Schema
    "type": "object",
    "properties": {
        "region": {
            "type": "string",
            "description": "Repeated in the header Mcp-Param-Region",
            "x-mcp-header": "Region",
        }
    },
}

# The scenario json-schema-2020-12 compares this schema keyword by keyword.
RICH_SCHEMA: dict[str, Any] = {  # Any: JSON Schema
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}

FIXTURES = (
    Fixture(name="test_simple_text", description="Answers a text", run=simple_text),
    Fixture(name="test_image_content", description="Answers a picture", run=image_content),
    Fixture(name="test_audio_content", description="Answers a sound", run=audio_content),
    Fixture(name="test_embedded_resource", description="Embeds a resource", run=embedded_resource),
    Fixture(
        name="test_multiple_content_types",
        description="Answers three kinds of content",
        run=multiple_content_types,
    ),
    Fixture(name="test_error_handling", description="Fails on purpose", run=error_handling),
    Fixture(name="test_tool_with_progress", description="Reports progress", run=with_progress),
    Fixture(name="test_tool_with_logging", description="Logs three lines", run=with_logging),
    Fixture(name="test_logging_tool", description="Logs if it may", run=with_logging),
    Fixture(name="test_reconnection", description="Closes its stream", run=reconnection),
    Fixture(name="test_missing_capability", description="Needs sampling", run=missing_capability),
    Fixture(
        name="test_x_mcp_header",
        description="Has an argument that a header repeats",
        run=header_mirror,
        schema=MIRRORED_SCHEMA,
    ),
    Fixture(
        name="json_schema_2020_12_tool",
        description="Has a schema of draft 2020-12",
        run=schema_2020_12,
        schema=RICH_SCHEMA,
    ),
)
