"""
The SDK's HTTP application, and whom its sessions answer to.

Owns the transport's settings; never sees a tool.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.applications import Starlette

from pgmcp.identity import Caller
from pgmcp.settings import Http

McpServer = Server[Any]  # Any: the SDK's lifespan result, not used here


def mcp_app(server: McpServer, settings: Http) -> Starlette:
    """
    Return the SDK's ASGI application with the route /mcp; its lifespan must be run.

    Answers as a stream, so that a dropped request of 2026-07-28 and a cancellation of the earlier
    revisions reach the tool. Host and Origin are `http`'s business, on every route.
    """
    return server.streamable_http_app(
        json_response=False,
        max_request_body_size=settings.max_body_bytes,
        session_idle_timeout=settings.session_idle.total_seconds(),
        max_sessions=settings.max_sessions,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )


def may_open_session(headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether a POST may open an MCP session, which only the earlier revisions have."""
    if b"mcp-session-id" in headers:
        return False
    version = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
    return not version or version in HANDSHAKE_PROTOCOL_VERSIONS


def bind(scope: MutableMapping[str, Any], caller: Caller) -> None:
    """Tie what the SDK opens for this request to *caller*: a session answers to nobody else."""
    scope.setdefault("state", {})["caller"] = caller
    token = AccessToken(token="caller", client_id=caller.principal, scopes=[])  # noqa: S106
    scope["user"] = AuthenticatedUser(token)
