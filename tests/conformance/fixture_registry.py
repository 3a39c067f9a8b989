"""
The fixture registry: one lowlevel Server with everything the suite looks for.

Owns the choice of fixtures; knows neither HTTP nor the gateway's own tools.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    PromptsListChanged,
    ServerEvent,
    ToolsListChanged,
)
from mcp.shared.exceptions import MCPError

from tests.conformance import fixture_asking, fixture_content, fixture_input, fixture_reading
from tests.conformance.fixture_call import Fixture, said, type_of_answer, type_of_context

KEY_BYTES = 32  # what the boundary's cipher takes


def build_server() -> Server[Any]:  # Any: the SDK's lifespan context, which nothing here uses
    """Return a server whose tools, prompts and resources are the suite's fixtures."""
    bus = InMemorySubscriptionBus()
    fixtures = {each.name: each for each in all_fixtures(bus)}
    schemas: Mapping[str, Mapping[str, Any]] = {  # Any: JSON Schema
        name: fixture.schema for name, fixture in fixtures.items()
    }
    listed = types.ListToolsResult(tools=[each.listed() for each in fixtures.values()])

    async def list_tools(_: type_of_context, __: object) -> types.ListToolsResult:
        return listed

    async def call_tool(
        context: type_of_context, params: types.CallToolRequestParams
    ) -> type_of_answer:
        fixture = fixtures.get(params.name)
        if fixture is None:
            message = f"tool {params.name} does not exist."
            raise MCPError(code=types.INVALID_PARAMS, message=message)
        return await fixture.run(context, params)

    server: Server[Any] = Server(
        "pgmcp-conformance-fixtures",
        version="1",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=schemas.get,
        on_list_resources=fixture_reading.list_resources,
        on_list_resource_templates=fixture_reading.list_templates,
        on_read_resource=fixture_reading.read_resource,
        on_subscribe_resource=fixture_reading.accepted,
        on_unsubscribe_resource=fixture_reading.accepted,
        on_subscriptions_listen=ListenHandler(bus),
        on_list_prompts=fixture_reading.list_prompts,
        on_get_prompt=fixture_reading.get_prompt,
        on_completion=fixture_reading.complete,
        on_set_logging_level=fixture_reading.accepted,
    )
    security = RequestStateSecurity(keys=[secrets.token_bytes(KEY_BYTES)])
    server.middleware.append(RequestStateBoundary(security, default_audience="conformance"))
    return server


def all_fixtures(bus: InMemorySubscriptionBus) -> list[Fixture]:
    """Return every tool, those that announce a change on *bus* included."""

    def announcing(kind: str, event: ServerEvent) -> Fixture:
        async def run(_: type_of_context, __: types.CallToolRequestParams) -> type_of_answer:
            await bus.publish(event)
            return said(f"The list of {kind}s changed.")

        name = f"test_trigger_{kind}_change"
        return Fixture(name=name, description=f"Announces a changed list of {kind}s", run=run)

    return [
        *fixture_content.FIXTURES,
        *fixture_asking.FIXTURES,
        *fixture_input.FIXTURES,
        announcing("tool", ToolsListChanged()),
        announcing("prompt", PromptsListChanged()),
    ]
