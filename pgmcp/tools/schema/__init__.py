"""
pg_schema: list, describe, search, create, alter and drop.

Owns nothing itself; exports the TOOL, each module is one noun.
"""

from pgmcp.tools.schema.tool import TOOL

__all__ = ["TOOL"]
