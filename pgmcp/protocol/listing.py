"""
What tools/list tells of a tool.

Owns the form; what a caller may use is `tools`' to say.
"""

from __future__ import annotations

import mcp_types as types

from pgmcp.tools.base import Tool
from pgmcp.tools.schemas import schema_of


def describe(tool: Tool) -> types.Tool:
    """Return *tool* as clients see it."""
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=schema_of(tool.params, hidden=tool.hidden, choices=tool.choices),
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.read_only,
            destructive_hint=tool.destructive,
            idempotent_hint=tool.idempotent,
            open_world_hint=False,
        ),
    )
