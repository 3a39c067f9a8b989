"""
pgmcp, a PostgreSQL gateway that speaks MCP.

Owns the version, and must never import anything: every start pays for it.
"""

__version__ = "0.1.0"
