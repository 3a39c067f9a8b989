"""Who a request's caller is, from its headers and where it came in."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgmcp.identity import LOCAL, PROXIED, Arrival, Caller, Headers, Recognition, Refused
from pgmcp.identity.attempts import MOST
from pgmcp.keys import new_key
from pgmcp.settings import AccessRule, Identity, Settings
from tests.conftest import HandClock
from tests.tailnet import PEERS, WORD, Tailnet, encode

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


@pytest.fixture
def identify(tmp_path: Path) -> Identify:
    """Return what recognises a caller where no access rules are."""
    made = recognition(tmp_path)
    return lambda arrival, **lines: made.identify(headers_of(**lines), arrival)


@pytest.fixture
def identify_ruled(tmp_path: Path) -> Identify:
    """Return the same with access rules."""
    made = recognition(tmp_path, has_rules=True)
    return lambda arrival, **lines: made.identify(headers_of(**lines), arrival)


def ana(**more: str) -> dict[str, str]:
    """Return what tailscale serve says of Ana."""
    return {**ANA, **{name.replace("_", "-"): value for name, value in more.items()}}


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


@pytest.mark.parametrize("arrival", UNBELIEVED)
def test_capabilities_are_nothing_where_nobody_is_believed(
    identify: Identify, arrival: Arrival
) -> None:
    caller = identify(arrival, Tailscale_App_Capabilities='{"example.com/cap/pgmcp": [{}]}')

    assert (caller.principal, caller.capabilities) == ("proxied", "")


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


EVERYWHERE = [*UNBELIEVED, *BELIEVED, pytest.param(ELSEWHERE, id="another machine")]


@pytest.mark.parametrize("arrival", EVERYWHERE)
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_a_key_names_its_caller(identify_ruled: Identify, arrival: Arrival, scheme: str) -> None:
    caller = identify_ruled(arrival, authorization=f"{scheme} {KEY}")

    assert (caller.principal, caller.kind, caller.name) == ("key:ci", "key", "ci")


@pytest.mark.parametrize("arrival", EVERYWHERE)
@pytest.mark.parametrize(
    "given",
    ["", "Bearer", "Bearer ", f"Bearer {WRONG}", KEY, f"Basic {KEY}", f"Bearer {KEY} x",
     f"Bearer {KEY},{KEY}", f"Token {KEY}", f'Bearer "{KEY}"', "Bearer \x85", f"Bearer\t{KEY}"],
)  # fmt: skip
def test_a_wrong_key_is_nobody_else(identify: Identify, arrival: Arrival, given: str) -> None:
    """Also where tailscaled would vouch for the caller, or a direct one would be local."""
    with pytest.raises(Refused) as caught:
        identify(arrival, **ana(authorization=given))

    assert caught.value.status == 401
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer")
    assert KEY not in caught.value.sentence
    assert WRONG not in caught.value.sentence


def test_a_key_counts_before_what_tailscale_says(identify: Identify) -> None:
    caller = identify(TAILSCALE, **ana(authorization=f"Bearer {KEY}"))

    assert (caller.principal, caller.address, caller.capabilities) == ("key:ci", "100.64.0.1", "")


def test_two_authorizations_are_refused(tmp_path: Path) -> None:
    made = recognition(tmp_path)

    with pytest.raises(Refused, match="2 authorization headers") as caught:
        made.identify(headers_of(authorization=[f"Bearer {KEY}", f"Bearer {KEY}"]), DIRECT)

    assert caught.value.status == 400


def test_wrong_keys_are_slowed_by_address_and_a_right_one_is_not(
    tmp_path: Path, clock: HandClock
) -> None:
    path = tmp_path / "keys"
    path.write_text(LINE)
    made = Recognition(Settings(identity=Identity(keys_file=path)), clock.clock)
    wrong, right = headers_of(authorization=f"Bearer {WRONG}"), f"Bearer {KEY}"

    refusals = [refusal_of(made, wrong, DIRECT) for _ in range(MOST + 5)]

    assert [each.status for each in refusals] == [401] * MOST + [429] * 5
    assert status_of(made, wrong, ELSEWHERE) == 401
    assert made.identify(headers_of(authorization=right), DIRECT).name == "ci"
    reasons = [each.reason for each in refusals]
    told = "too many wrong keys; further ones are not told for a minute"
    assert reasons == ["a wrong key"] * MOST + [told] + [None] * 4


def refusal_of(made: Recognition, headers: Headers, arrival: Arrival) -> Refused:
    """Return what a request is refused with."""
    with pytest.raises(Refused) as caught:
        made.identify(headers, arrival)
    return caught.value


def status_of(made: Recognition, headers: Headers, arrival: Arrival) -> int:
    """Return the HTTP status of a refusal."""
    return refusal_of(made, headers, arrival).status


def test_no_line_of_the_log_holds_a_header(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = recognition(tmp_path)
    evil = 'Bearer \x1b[31m\x85" caller=root'

    refused = refusal_of(made, headers_of(authorization=evil), DIRECT)

    assert caplog.messages == []
    assert refused.reason == "a wrong key"
