"""Who a caller with an API key is, and what a wrong one is told."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from pgmcp.identity import Arrival, Headers, Recognition, Refused
from pgmcp.identity.attempts import MOST
from pgmcp.settings import Identity, Settings
from tests.conftest import HandClock
from tests.unit.recognising import (
    BELIEVED,
    DIRECT,
    ELSEWHERE,
    KEY,
    LINE,
    TAILSCALE,
    UNBELIEVED,
    WRONG,
    Identify,
    ana,
    headers_of,
    identifying,
    recognition,
)

EVERYWHERE = [*UNBELIEVED, *BELIEVED, pytest.param(ELSEWHERE, id="another machine")]


@pytest.fixture
def identify(tmp_path: Path) -> Identify:
    """Return what recognises a caller where no access rules are."""
    return identifying(tmp_path)


@pytest.fixture
def identify_ruled(tmp_path: Path) -> Identify:
    """Return what recognises a caller where access rules are."""
    return identifying(tmp_path, has_rules=True)


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
