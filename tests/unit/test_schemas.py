"""What clients are told of the tools: small, closed, described, and the same as last time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pgmcp.kinds import LEVELS, Level
from pgmcp.protocol.server import INSTRUCTIONS
from pgmcp.settings import Settings
from pgmcp.tools import tools
from tests.snapshots import FOLDER, ROOT, wire

Json = dict[str, Any]  # Any: JSON
NAMES = [
    pytest.param(level, tool.name, id=f"{level} {tool.name}")
    for level in LEVELS
    for tool in tools(Settings(), level)
]
PARAMETERS = [
    pytest.param(tool.name, field.alias or name, id=f"{tool.name} {field.alias or name}")
    for tool in tools(Settings())
    for name, field in tool.params.model_fields.items()
]
OUTDATED = "run `make snapshots` and look at the difference"


Listed = dict[str, dict[str, Json]]


@pytest.fixture(scope="module")
async def listed() -> Listed:
    """Return what callers of each level are listed: level → name → tool."""
    return {level: {tool["name"]: tool for tool in await wire.listed(level)} for level in LEVELS}


def nodes(schema: Json) -> Iterator[Json]:
    """Yield a schema and every schema in it."""
    yield schema
    for value in schema.values():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from nodes(inner)


async def test_the_tools_are_those_of_the_design(listed: Listed) -> None:
    assert list(listed["admin"]) == ["pg_query", "pg_schema", "pg_tx", "pg_monitor", "pg_admin"]


@pytest.mark.parametrize("level", LEVELS)
async def test_the_list_costs_little(listed: Listed, level: Level) -> None:
    """Every conversation pays for it: 10,000 characters are about 2,500 tokens."""
    found = list(listed[level].values())

    assert len(json.dumps(found, ensure_ascii=False, separators=(",", ":"))) <= 10_000


def test_the_instructions_are_not_cut_by_a_client() -> None:
    assert len(INSTRUCTIONS) <= 1500


@pytest.mark.parametrize(("level", "name"), NAMES)
async def test_a_description_is_not_cut_and_has_one_example(
    listed: Listed, level: Level, name: str
) -> None:
    description = listed[level][name]["description"]

    assert len(description) <= 1200
    assert description.count("\nExample: ") == 1


@pytest.mark.parametrize(("level", "name"), NAMES)
async def test_a_schema_is_one_closed_flat_object(listed: Listed, level: Level, name: str) -> None:
    schema = listed[level][name]["inputSchema"]

    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert not {"oneOf", "anyOf", "allOf", "$ref", "$defs", "not", "if"} & schema.keys()
    assert not [node for node in nodes(schema) if "$ref" in node or "title" in node]


@pytest.mark.parametrize(("level", "name"), NAMES)
async def test_an_array_says_what_is_in_it(listed: Listed, level: Level, name: str) -> None:
    schema = listed[level][name]["inputSchema"]

    arrays = [node for node in nodes(schema) if node.get("type") == "array"]

    assert [node for node in arrays if "items" not in node] == []


@pytest.mark.parametrize(("level", "name"), NAMES)
async def test_every_hint_is_given(listed: Listed, level: Level, name: str) -> None:
    hints = listed[level][name]["annotations"]

    assert {"title", "readOnlyHint", "destructiveHint", "idempotentHint"} < hints.keys()
    assert hints["openWorldHint"] is False


@pytest.mark.parametrize(("tool", "parameter"), PARAMETERS)
async def test_a_parameter_is_described_shortly(listed: Listed, tool: str, parameter: str) -> None:
    body = listed["admin"][tool]["inputSchema"]["properties"][parameter]

    assert 0 < len(body["description"]) <= 120
    assert body["description"].endswith((".", "…"))
    assert "type" in body or "enum" in body


@pytest.mark.parametrize("level", LEVELS)
async def test_tools_list_is_as_it_was(listed: Listed, level: Level) -> None:
    expected = (FOLDER / f"tools.{level}.json").read_text()

    assert wire.snapshot(list(listed[level].values())) == expected, OUTDATED


async def test_the_document_of_the_tools_is_current() -> None:
    expected = (ROOT / "docs" / "tools.md").read_text()

    assert await wire.document() == expected, OUTDATED
