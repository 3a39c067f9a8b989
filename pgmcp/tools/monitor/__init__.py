"""
pg_monitor: what the server and a database are doing, and what needs a person.

Owns the tool; it only reads.
"""

from pgmcp.tools.monitor.tool import TOOL, MonitorParams

__all__ = ["TOOL", "MonitorParams"]
