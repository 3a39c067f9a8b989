"""
What to type or paste so that a coding client uses this gateway.

Owns the words for each client; must never state a form that was not verified without saying so.
"""

from __future__ import annotations

import json

SERVER = "pg"
UNPUBLISHED = (
    "Clients cannot reach a Unix socket: tailscale serve or another proxy publishes it for them.",
    "Ask by that address, or name it in the settings, http.public_url, and it stands here.",
)


def connect_lines(url: str) -> list[str]:
    """
    Return one line for each client that connects to the gateway at *url*.

    Claude Code's form was run. Those of Cursor and VS Code are the ones that many servers
    document. Cline's word for the transport is its maintainers' (cline/cline#6767); it was
    not run, and its line says so.
    """
    address = {"type": "http", "url": url}
    cursor = json.dumps({"mcpServers": {SERVER: {"url": url}}})
    general = json.dumps({"mcpServers": {SERVER: address}})
    code = json.dumps({"servers": {SERVER: address}})
    cline = json.dumps({"mcpServers": {SERVER: {"type": "streamableHttp", "url": url}}})
    return [
        f"Claude Code    claude mcp add --transport http {SERVER} {url}",
        f"Cursor         {cursor}   in ~/.cursor/mcp.json",
        f"VS Code        {code}   in .vscode/mcp.json",
        f"Cline          {cline}   in its MCP settings (not verified)",
        f"other clients  {general}",
    ]
