"""
MCP on one side, tools on the other: both protocol eras through the SDK's lowlevel server.

The only package that imports `mcp`. Turns requests into Calls and Answers into results.
"""

from pgmcp.protocol.app import McpServer, bind, may_open_session, mcp_app
from pgmcp.protocol.server import MakeCall, build_server

__all__ = ["MakeCall", "McpServer", "bind", "build_server", "may_open_session", "mcp_app"]
