"""
pg_admin: databases, roles, privileges, extensions, upkeep, settings, sessions, backups.

Exports the tool; statements are built here from parts that `quote` wrote, never from pasted text.
"""

from pgmcp.tools.admin.tool import TOOL

__all__ = ["TOOL"]
