"""Who a request's caller is by where it came in, and that no header of its own changes that."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgmcp.identity import LOCAL, PROXIED, Arrival, Refused
from tests.unit.recognising import (
    BELIEVED_TCP,
    DIRECT,
    ELSEWHERE,
    KEY,
    LOCAL_SOCKET,
    TAILSCALE,
    UNBELIEVED,
    Identify,
    identifying,
)

SPOOFED = [
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Anything",
    "Tailscale-User-Login",
    "Tailscale-User-Name",
    "Tailscale-User-Profile-Pic",
    "Tailscale-Headers-Info",
    "Tailscale-App-Capabilities",
    "Tailscale-Anything",
    "TAILSCALE-USER-LOGIN",
]


@pytest.fixture
def identify(tmp_path: Path) -> Identify:
    """Return what recognises a caller where no access rules are."""
    return identifying(tmp_path)


@pytest.fixture
def identify_ruled(tmp_path: Path) -> Identify:
    """Return what recognises a caller where access rules are."""
    return identifying(tmp_path, has_rules=True)


@pytest.mark.parametrize("arrival", [DIRECT, LOCAL_SOCKET, TAILSCALE, BELIEVED_TCP])
def test_a_direct_caller_is_local(identify_ruled: Identify, arrival: Arrival) -> None:
    assert identify_ruled(arrival, accept="*/*").principal == LOCAL.principal


@pytest.mark.parametrize(
    ("peer", "own", "is_here"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.8.8.8", "0.0.0.0", True),  # noqa: S104 — an address to compare
        ("::1", "::1", True),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1", True),
        ("::ffff:127.0.0.1", "::", True),
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.7", "192.0.2.1", False),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.1", False),
        ("fe80::1%eth0", "fe80::2", False),
        ("100.64.0.1", "100.64.0.2", False),
        ("odd", "127.0.0.1", False),
    ],
)
def test_only_this_machine_is_here(peer: str, own: str, *, is_here: bool) -> None:
    assert Arrival.over_tcp(peer, own).is_here is is_here


def test_a_direct_caller_from_another_machine_is_not_local(identify: Identify) -> None:
    caller = identify(ELSEWHERE)

    assert (caller.principal, caller.address) == ("proxied", "192.0.2.7")


def test_a_direct_caller_from_another_machine_needs_a_key_where_rules_are(
    identify_ruled: Identify,
) -> None:
    with pytest.raises(Refused, match="Nobody vouches for this request") as caught:
        identify_ruled(ELSEWHERE)

    assert caught.value.status == 403
    assert identify_ruled(ELSEWHERE, authorization=f"Bearer {KEY}").principal == "key:ci"


@pytest.mark.parametrize("arrival", UNBELIEVED)
@pytest.mark.parametrize("name", SPOOFED)
def test_a_spoofed_header_never_makes_anybody(
    identify: Identify, arrival: Arrival, name: str
) -> None:
    assert identify(arrival, **{name: "ana@example.com"}).principal == PROXIED.principal


@pytest.mark.parametrize("arrival", UNBELIEVED)
@pytest.mark.parametrize("name", SPOOFED)
def test_a_spoofed_header_needs_a_key_where_rules_are(
    identify_ruled: Identify, arrival: Arrival, name: str
) -> None:
    with pytest.raises(Refused, match="Nobody vouches") as caught:
        identify_ruled(arrival, **{name: ""})

    assert caught.value.status == 403
    assert identify_ruled(arrival, **{name: "x", "authorization": f"Bearer {KEY}"}).name == "ci"


@pytest.mark.parametrize("arrival", UNBELIEVED)
def test_capabilities_are_nothing_where_nobody_is_believed(
    identify: Identify, arrival: Arrival
) -> None:
    caller = identify(arrival, Tailscale_App_Capabilities='{"example.com/cap/pgmcp": [{}]}')

    assert (caller.principal, caller.capabilities) == ("proxied", "")
