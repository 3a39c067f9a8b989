"""
pg_schema: list, describe, search, create, alter and drop.

Owns nothing itself; exports the tool, each module is one noun.
"""

from pgmcp.tools.schema.tool import TOOL, offered

__all__ = ["TOOL", "offered"]
