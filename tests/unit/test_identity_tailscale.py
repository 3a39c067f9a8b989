"""Who a caller is by what tailscale serve says of it, where that is believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgmcp.identity import Arrival, Headers, Recognition, Refused
from pgmcp.settings import Settings
from tests.tailnet import PEERS, WORD, Tailnet, encode
from tests.unit.recognising import (
    ANA,
    BELIEVED,
    BELIEVED_TCP,
    TAILSCALE,
    Identify,
    ana,
    headers_of,
    identifying,
    recognition,
)


@pytest.fixture
def identify(tmp_path: Path) -> Identify:
    """Return what recognises a caller where no access rules are."""
    return identifying(tmp_path)


@pytest.fixture
def identify_ruled(tmp_path: Path) -> Identify:
    """Return what recognises a caller where access rules are."""
    return identifying(tmp_path, has_rules=True)


@pytest.mark.parametrize("arrival", BELIEVED)
def test_tailscale_says_who_it_is_where_it_is_believed(
    identify_ruled: Identify, arrival: Arrival
) -> None:
    caller = identify_ruled(arrival, **ana(Tailscale_User_Name="Ana Example"))

    assert (caller.principal, caller.kind, caller.name) == (
        "tailscale:ana@example.com",
        "tailscale",
        "ana@example.com",
    )
    assert (caller.address, caller.full_name) == ("100.64.0.1", "Ana Example")


@pytest.mark.parametrize("address", ["100.64.0.9", "fd7a:115c:a1e0::9"])
def test_a_peer_without_a_login_is_its_address(identify: Identify, address: str) -> None:
    caller = identify(TAILSCALE, X_Forwarded_For=address, Tailscale_App_Capabilities='{"a/b":[]}')

    assert (caller.principal, caller.kind, caller.name) == (f"node:{address}", "node", address)
    assert caller.capabilities == '{"a/b":[]}'


def test_an_empty_login_is_none(identify: Identify) -> None:
    """Tailscale's encoder makes a login of no valid UTF-8 empty."""
    caller = identify(TAILSCALE, Tailscale_User_Login="", X_Forwarded_For="100.64.0.9")

    assert caller.principal == "node:100.64.0.9"


@pytest.mark.parametrize(
    "given", ["", "unknown", "100.64.0.9:80", "ana", "1.2.3", "100.64.0.9, ", "\x85"]
)
def test_who_came_through_nothing_that_says_from_where_is_refused(
    identify: Identify, given: str
) -> None:
    with pytest.raises(Refused, match="X-Forwarded-For holds no address") as caught:
        identify(TAILSCALE, Tailscale_User_Login="ana@example.com", X_Forwarded_For=given)

    assert caught.value.status == 400


def test_of_several_addresses_the_nearest_proxys_counts(identify: Identify) -> None:
    caller = identify(BELIEVED_TCP, X_Forwarded_For="100.64.0.1, 203.0.113.5")

    assert caller.principal == "node:203.0.113.5"


@pytest.mark.parametrize(
    "login",
    [
        "ana b@example.com",
        "ana\x1b[31m@example.com",
        "=?utf-8?q?ana=0A@example.com?=",
        "=?utf-8?q?ana=0D=0Acaller=3Dbob?=",
        "=?utf-8?q?ana=00@example.com?=",
        "=?utf-8?q?ana=C2=85@example.com?=",
        "=?utf-8?q?ana=E2=80=AE@example.com?=",
        "=?utf-8?q?ana=E2=80=A8@example.com?=",
        '"ana"@example.com',
        "ana\\@example.com",
        "key:ci",
        "*",
        "a" * 244 + "@example.com",
    ],
)
def test_an_odd_login_is_refused(identify: Identify, login: str) -> None:
    with pytest.raises(Refused, match="Tailscale-User-Login is") as caught:
        identify(TAILSCALE, **ana(Tailscale_User_Login=login))

    assert caught.value.status == 400
    assert caught.value.sentence.isprintable()


@pytest.mark.parametrize("name", ["Tailscale_User_Login", "Tailscale_User_Name"])
@pytest.mark.parametrize(
    "value",
    ["=?utf-8?q?=FF?=", "=?nothing?q?a?=", "=?utf-8?b?a?=", "é", "\x85", "=?utf-8?q?a?= é"],
)
def test_a_value_that_tailscaled_does_not_write_is_refused(
    identify: Identify, name: str, value: str
) -> None:
    with pytest.raises(Refused, match="is not ASCII or does not decode by RFC 2047"):
        identify(TAILSCALE, **ana(**{name: value}))


@pytest.mark.parametrize("peer", PEERS)
def test_what_the_fake_writes_is_read_as_it_was(identify: Identify, peer: str) -> None:
    lines = Tailnet(target="unix:/s").rewrite([("X-Fake-Peer", peer.encode().decode("latin-1"))])

    caller = identify(TAILSCALE, **dict(lines))

    expected = PEERS[peer]
    assert caller.name == (expected.login or expected.address)
    assert (caller.full_name, caller.address) == (expected.name, expected.address)


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1))
def test_any_printable_name_survives_the_encoding(name: str) -> None:
    lines = [("Tailscale-User-Name", encode(name)), ("X-Forwarded-For", "100.64.0.1")]

    caller = Recognition(Settings()).identify(headers_of(**dict(lines)), TAILSCALE)

    assert caller.full_name == "".join(each if each.isprintable() else "?" for each in name[:255])
    assert name.isascii() or max(map(len, encode(name).split(" "))) <= WORD


def test_capabilities_come_as_their_text(identify: Identify) -> None:
    text = json.dumps({"example.com/cap/pgmcp": [{"databases": ["bücher"]}]}, ensure_ascii=False)

    caller = identify(TAILSCALE, **ana(Tailscale_App_Capabilities=encode(text)))

    assert caller.capabilities == text


@pytest.mark.parametrize("text", ["[]", "5", '"a"', "null", "{", "[" * 100_000, "{}x", "NaN"])
def test_capabilities_of_no_object_are_refused(identify: Identify, text: str) -> None:
    with pytest.raises(Refused, match="Tailscale-App-Capabilities is no JSON object") as caught:
        identify(TAILSCALE, **ana(Tailscale_App_Capabilities=text))

    assert caught.value.status == 400


@pytest.mark.parametrize(
    "name",
    ["Tailscale-User-Login", "Tailscale-User-Name", "Tailscale-App-Capabilities",
     "X-Forwarded-For"],
)  # fmt: skip
def test_an_identity_given_twice_is_refused(tmp_path: Path, name: str) -> None:
    pairs = [*ANA.items(), (name, "100.64.0.1"), (name, "100.64.0.1")]
    raw = [(key.lower().encode(), value.encode()) for key, value in pairs]

    with pytest.raises(Refused, match=f"{name.lower()} headers. Send one.") as caught:
        recognition(tmp_path).identify(Headers(raw), TAILSCALE)

    assert caught.value.status == 400
