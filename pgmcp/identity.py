"""
Who calls: the principal behind one HTTP request.

Owns the noun Caller; never decides what a caller may do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PROXY_HEADERS = ("forwarded", "x-forwarded-", "tailscale-")


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """
    Name who calls.

    *principal* carries its kind: `local` came straight to the listener, `proxied` came through
    something that adds forwarding headers, which nobody here has checked.
    """

    principal: str


LOCAL = Caller(principal="local")
PROXIED = Caller(principal="proxied")


def identify(header_names: Iterable[str]) -> Caller:
    """Tell a direct caller from one that came through a proxy, by lower-case header names."""
    if any(name.startswith(PROXY_HEADERS) for name in header_names):
        return PROXIED
    return LOCAL
