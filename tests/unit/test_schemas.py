"""What clients are told of the tools: small, closed, described, and the same as last time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pgmcp.protocol import INSTRUCTIONS
from pgmcp.settings import Settings
from pgmcp.tools import tools
from tests.snapshots import FOLDER, ROOT, wire

Json = dict[str, Any]  # Any: JSON
NAMES = [tool.name for tool in tools(Settings())]
PARAMETERS = [
    pytest.param(tool.name, field.alias or name, id=f"{tool.name} {field.alias or name}")
    for tool in tools(Settings())
    for name, field in tool.params.model_fields.items()
]
OUTDATED = "run `make snapshots` and look at the difference"


@pytest.fixture(scope="module")
async def listed() -> dict[str, Json]:
    return {tool["name"]: tool for tool in await wire.listed()}


def nodes(schema: Json) -> Iterator[Json]:
    """Yield a schema and every schema in it."""
    yield schema
    for value in schema.values():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from nodes(inner)


async def test_the_tools_are_those_of_the_design(listed: dict[str, Json]) -> None:
    assert list(listed) == ["pg_query", "pg_schema", "pg_tx", "pg_monitor", "pg_admin"]


async def test_the_list_costs_little(listed: dict[str, Json]) -> None:
    """Every conversation pays for it: 10,000 characters are about 2,500 tokens."""
    text = json.dumps(list(listed.values()), ensure_ascii=False, separators=(",", ":"))

    assert len(text) <= 10_000


def test_the_instructions_are_not_cut_by_a_client() -> None:
    assert len(INSTRUCTIONS) <= 1500


@pytest.mark.parametrize("name", NAMES)
async def test_a_description_is_not_cut_and_has_one_example(
    listed: dict[str, Json], name: str
) -> None:
    description = listed[name]["description"]

    assert len(description) <= 1200
    assert description.count("\nExample: ") == 1


@pytest.mark.parametrize("name", NAMES)
async def test_a_schema_is_one_closed_flat_object(listed: dict[str, Json], name: str) -> None:
    schema = listed[name]["inputSchema"]

    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert not {"oneOf", "anyOf", "allOf", "$ref", "$defs", "not", "if"} & schema.keys()
    assert not [node for node in nodes(schema) if "$ref" in node or "title" in node]


@pytest.mark.parametrize("name", NAMES)
async def test_an_array_says_what_is_in_it(listed: dict[str, Json], name: str) -> None:
    arrays = [node for node in nodes(listed[name]["inputSchema"]) if node.get("type") == "array"]

    assert [node for node in arrays if "items" not in node] == []


@pytest.mark.parametrize("name", NAMES)
async def test_every_hint_is_given(listed: dict[str, Json], name: str) -> None:
    hints = listed[name]["annotations"]

    assert {"title", "readOnlyHint", "destructiveHint", "idempotentHint"} < hints.keys()
    assert hints["openWorldHint"] is False


@pytest.mark.parametrize(("tool", "parameter"), PARAMETERS)
async def test_a_parameter_is_described_shortly(
    listed: dict[str, Json], tool: str, parameter: str
) -> None:
    body = listed[tool]["inputSchema"]["properties"][parameter]

    assert 0 < len(body["description"]) <= 120
    assert body["description"].endswith((".", "…"))
    assert "type" in body or "enum" in body


async def test_tools_list_is_as_it_was(listed: dict[str, Json]) -> None:
    expected = (FOLDER / "tools.json").read_text()

    assert wire.snapshot(list(listed.values())) == expected, OUTDATED


async def test_the_document_of_the_tools_is_current(listed: dict[str, Json]) -> None:
    expected = (ROOT / "docs" / "tools.md").read_text()

    assert wire.document(list(listed.values())) == expected, OUTDATED
