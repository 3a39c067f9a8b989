"""
By which names the gateway is called, and from which web pages: Host and Origin.

Owns both checks, which keep a browser's foreign page out, by DNS rebinding or otherwise.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from pgmcp.identity import Headers, Refused
from pgmcp.settings import Http

# localhost is also what tailscale serve sends to a Unix socket.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
SHOWN = 100  # characters of a refused header that are shown


class Hosts:
    """Hold the names that are served and the origins that may call."""

    def __init__(self, settings: Http) -> None:
        self._origins = set(settings.origins)
        self._hosts = {*settings.allowed_hosts, *(urlsplit(each).netloc for each in self._origins)}
        self._hosts.discard("")  # a request without a Host is served by no name

    def check(self, headers: Headers, *, is_believed: bool) -> None:
        """
        Let the request pass; where headers are believed, from the name tailscaled serves, too.

        Raises:
            Refused: 421 for a foreign Host, 403 for a foreign Origin, 400 for two of either.
        """
        host = (headers.one("host") or "").lower()
        origin = headers.one("origin")
        if not self._is_served(host):
            raise Refused(
                421,
                f"Host {host[:SHOWN]!r} is not served here. Call the gateway by localhost or by a "
                "name in MCP_ALLOWED_ORIGINS, http.public_url or http.allowed_hosts.",
            )
        if origin is None or self._is_allowed(origin.lower()):
            return
        if not (is_believed and origin.lower() == published_origin(headers)):
            raise Refused(
                403,
                f"Origin {origin[:SHOWN]!r} may not call. Allowed are those in "
                "MCP_ALLOWED_ORIGINS or http.allowed_origins; programs send none.",
            )

    def _is_served(self, host: str) -> bool:
        name = _without_port(host)
        return host in self._hosts or name in self._hosts or name in LOOPBACK

    def _is_allowed(self, origin: str) -> bool:
        if origin in self._origins:
            return True
        scheme, _, netloc = origin.partition("://")
        return scheme in ("http", "https") and _without_port(netloc) in LOOPBACK


def published_origin(headers: Headers) -> str | None:
    """
    Return the origin under which tailscaled published us, for a listener that believes it.

    Only under TLS: a browser then knows that the name is the tailnet's. Over plain HTTP a foreign
    name could be made to resolve to the same address.
    """
    if headers.one("x-forwarded-proto") != "https":
        return None
    host = (headers.one("x-forwarded-host") or "").lower().removesuffix(":443")
    return f"https://{host}" if host else None


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isascii() and port.isdigit() else host
