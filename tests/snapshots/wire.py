"""
The tools as clients list them, and docs/tools.md made of the same.

Owns both texts; asks the real server in memory, never a database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp import Client

from pgmcp.kinds import LEVELS, Level
from pgmcp.protocol import build_server
from pgmcp.protocol.server import INSTRUCTIONS
from pgmcp.settings import Settings
from pgmcp.tools import tools, tx
from pgmcp.tools.admin import params as admin_params
from pgmcp.tools.base import Call, Takes
from pgmcp.tools.schema import params as schema_params

ACTIONS: Mapping[str, Mapping[str, Takes]] = {
    "pg_schema": schema_params.ACTIONS,
    "pg_tx": tx.ACTIONS,
    "pg_admin": {
        # `check` of admin.params allows it to every action.
        str(action): Takes(needs=takes.needs, may=(*takes.may, "format"))
        for action, takes in admin_params.ACTIONS.items()
    },
}
HINTS = {
    "readOnlyHint": "read only",
    "destructiveHint": "destructive",
    "idempotentHint": "idempotent",
}
Json = dict[str, Any]  # Any: JSON

HEAD = """\
# Tools

Generated from the code by `make snapshots`; a test holds it current. What clients are told first:

> {instructions}

All parameters are closed: an unknown name is refused, and the answer lists the valid ones.
Limits in the texts are the settings' defaults.

This is what callers with the permission `admin` see. Who has less sees less, as the last section
says; a call of what is not listed is refused with the permission that it needs.
"""
LESS = """\
## With less permission

The highest permission that a caller has in any database decides what is listed, or the level in
`/mcp?access=` where that is lower.
"""


def no_call(*_brought: object, **_along: object) -> Call:
    """Refuse to make a call: these texts come without one."""
    raise AssertionError("listing tools calls none")


async def listed(level: Level = "admin") -> list[Json]:
    """Return the tools of tools/list as on the wire, for callers of *level*."""
    server = build_server(lambda _level: tools(Settings(), level), no_call)
    async with Client(server) as client:
        result = await client.list_tools()
    shown = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    found: list[Json] = shown["tools"]
    return found


def snapshot(found: list[Json]) -> str:
    """Return tools/list and the instructions as a text to compare."""
    return (
        json.dumps({"instructions": INSTRUCTIONS, "tools": found}, indent=2, ensure_ascii=False)
        + "\n"
    )


async def document() -> str:
    """Return docs/tools.md."""
    full = await listed()
    by_name = {tool["name"]: tool for tool in full}
    less = [_less(level, await listed(level), by_name) for level in LEVELS[:-1]]
    return "\n".join([HEAD.format(instructions=INSTRUCTIONS), *map(_section, full), LESS, *less])


def _less(level: Level, found: list[Json], full: Mapping[str, Json]) -> str:
    """Return what callers of *level* see otherwise than those who see all."""
    names = [tool["name"] for tool in found]
    absent = [name for name in full if name not in names]
    lines = [f"### {level}", "", f"Not listed: {_names(tuple(absent))}.", ""]
    for tool in found:
        other = full[tool["name"]]
        if tool == other:
            lines += [f"`{tool['name']}` is the same.", ""]
            continue
        description = tool["description"].partition("\nExample: ")[0]
        hints = ", ".join(_hint(name, tool["annotations"][key]) for key, name in HINTS.items())
        lines += [f"`{tool['name']}` ({hints}): {description}", ""]
        shown, rest = (one["inputSchema"]["properties"] for one in (tool, other))
        if hidden := tuple(name for name in rest if name not in shown):
            lines += [f"Without {_names(hidden)}.", ""]
        for name in shown:
            if shown[name] != rest[name]:
                lines += [f"`{name}` is {_kind(shown[name])}.".replace("\\|", "or"), ""]
    return "\n".join(lines)


def _section(tool: Json) -> str:
    schema = tool["inputSchema"]
    required = schema.get("required", [])
    description, _, example = tool["description"].partition("\nExample: ")
    hints = tool["annotations"]
    lines = [
        f"## {tool['name']}",
        "",
        description,
        "",
        "```text",
        example,
        "```",
        "",
        f"Annotations: {', '.join(_hint(name, hints[key]) for key, name in HINTS.items())}.",
        "",
        "| parameter | value | meaning |",
        "|---|---|---|",
        *(_row(name, body, name in required) for name, body in schema["properties"].items()),
        "",
    ]
    if takes := ACTIONS.get(tool["name"]):
        lines += [
            "| action | needs | takes as well |",
            "|---|---|---|",
            *(
                f"| `{name}` | {_names(one.needs)} | {_names(one.may)} |"
                for name, one in takes.items()
            ),
            "",
        ]
    return "\n".join(lines)


def _hint(name: str, value: object) -> str:
    return f"{name} {'yes' if value else 'no'}"


def _names(parameters: tuple[str, ...]) -> str:
    return ", ".join(f"`{name.rstrip('_')}`" for name in parameters)


def _row(name: str, body: Json, required: bool) -> str:  # noqa: FBT001 — one of a row's cells
    shown = f"**`{name}`**" if required else f"`{name}`"
    return f"| {shown} | {_value(body)} | {body['description']} |"


def _value(body: Json) -> str:
    parts = [_kind(body)]
    bounds = {"minimum": "at least", "maximum": "at most", "minLength": "from", "maxLength": "to"}
    for key, words in bounds.items():
        if key in body:
            unit = " characters" if key.endswith("Length") else ""
            parts.append(f"{words} {body[key]}{unit}")
    if "default" in body:
        parts.append(f"default `{json.dumps(body['default']).strip(chr(34))}`")
    return ", ".join(parts)


def _kind(body: Json) -> str:
    if "enum" in body:
        return " \\| ".join(f"`{value}`" for value in body["enum"])
    if body.get("type") == "array":
        return f"list of {_kind(body['items'])}"
    return str(body.get("type", "any JSON"))
