"""
How the tests of identity act: requests with headers, on every kind of arrival, and one key.

Owns nothing but the file of that key, in the test's directory.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pgmcp.identity import Arrival, Caller, Headers, Recognition
from pgmcp.keys import new_key
from pgmcp.settings import AccessRule, Identity, Settings

KEY, LINE = new_key("ci")
WRONG = "pgmcp_" + "x" * 43
DIRECT = Arrival.over_tcp("127.0.0.1", "127.0.0.1")
BELIEVED_TCP = Arrival.over_tcp("127.0.0.1", "127.0.0.1", trusts_headers=True)
LOCAL_SOCKET = Arrival.over_unix(uid=1000, is_tailscale=False)
TAILSCALE = Arrival.over_unix(uid=0, is_tailscale=True)
ELSEWHERE = Arrival.over_tcp("192.0.2.7", "192.0.2.1")
UNBELIEVED = [
    pytest.param(DIRECT, id="tcp"),
    pytest.param(LOCAL_SOCKET, id="local socket"),
    pytest.param(Arrival(), id="unknown"),
]
BELIEVED = [pytest.param(TAILSCALE, id="tailscale"), pytest.param(BELIEVED_TCP, id="trusted tcp")]
ANA = {"Tailscale-User-Login": "ana@example.com", "X-Forwarded-For": "100.64.0.1"}
RULES = (AccessRule(who=("*",), databases=("*",), permissions="read"),)
Identify = Callable[..., Caller]


def headers_of(**lines: str | list[str]) -> Headers:
    """Return headers; a list is a header that is repeated."""
    pairs = [
        (name.replace("_", "-").lower().encode(), each.encode("latin-1"))
        for name, value in lines.items()
        for each in ([value] if isinstance(value, str) else value)
    ]
    return Headers(pairs)


def recognition(tmp_path: Path, *, has_rules: bool = False) -> Recognition:
    """Return a gateway's recognition with one key."""
    path = tmp_path / "keys"
    path.write_text(LINE)
    identity = Identity(keys_file=path)
    return Recognition(Settings(identity=identity, access=RULES if has_rules else ()))


def identifying(tmp_path: Path, *, has_rules: bool = False) -> Identify:
    """Return what recognises a caller by where it came in and its headers."""
    made = recognition(tmp_path, has_rules=has_rules)
    return lambda arrival, **lines: made.identify(headers_of(**lines), arrival)


def ana(**more: str) -> dict[str, str]:
    """Return what tailscale serve says of Ana."""
    return {**ANA, **{name.replace("_", "-"): value for name, value in more.items()}}
