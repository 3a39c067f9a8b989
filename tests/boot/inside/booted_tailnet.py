"""The gateway as the tailnet has it: what the unit asked tailscale serve for, behind a proxy."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from tests.boot.inside.agent import WEB, changes, handler, state
from tests.boot.inside.gateway import LOCAL, TAILSCALE, get, login_with, wire
from tests.boot.inside.machine import Journal, prop, systemctl
from tests.scenario import play
from tests.scenario.python_client import connected, type_of_era
from tests.tailnet import FQDN, PEERS, Tailnet, tailscale_serve
from tests.wire import Received, Wire

FORGED = {"Tailscale-User-Login": "ana@example.com"}


@pytest.fixture(scope="module")
async def tailnet() -> AsyncIterator[Tailnet]:
    """Serve what the unit asked tailscale serve for, as root and on loopback."""
    asked = handler()
    accepted = asked.get("AcceptAppCaps")
    async with tailscale_serve(asked["Proxy"], accept_app_caps=accepted) as published:
        published.url = published.url.replace("127.0.0.1", FQDN)
        yield published


async def page(tailnet: Tailnet, peer: str, **lines: str) -> Received:
    """Ask for the page that says who one is, as *peer* of the tailnet."""
    return await Wire(tailnet.url).request("GET", "/", headers={"X-Fake-Peer": peer, **lines})


def test_the_unit_served_the_socket_by_https_under_the_machines_name() -> None:
    assert handler()["Proxy"] == f"unix:{TAILSCALE}"
    assert state()["serve"]["TCP"] == {"443": {"HTTPS": True}}
    assert list(state()["serve"]["Web"]) == [WEB]


def test_the_journal_says_by_which_url_clients_come() -> None:
    lines = Journal(after="").lines("pgmcp-tailscale-serve.service")

    assert f"clients reach pgmcp at https://{FQDN}/mcp" in lines


@pytest.mark.parametrize("era", ["2025-11-25", "2026-07-28"])
async def test_the_whole_scenario_plays_through_tailscale_serve(
    tailnet: Tailnet, era: type_of_era, capsys: pytest.CaptureFixture[str]
) -> None:
    assert PEERS["ana"].login == login_with("admin")

    async with connected(tailnet.url, era) as caller:
        count = await play(caller)

    with capsys.disabled():
        print(f"\n{count} steps in {era}")  # noqa: T201
    assert count > 50


async def test_the_identity_headers_arrive(tailnet: Tailnet) -> None:
    assert "tailscale:ana@example.com" in (await page(tailnet, "ana")).body


async def test_somebody_whom_no_rule_covers_may_do_nothing(tailnet: Tailnet) -> None:
    text = (await page(tailnet, "bob")).body

    assert "tailscale:bob@example.com" in text
    assert "you may        nothing" in text


async def test_a_forged_header_names_nobody(tailnet: Tailnet) -> None:
    """A tagged node has no login; that of its own request is taken off."""
    text = (await page(tailnet, "tagged", **FORGED)).body

    assert "ana@example.com" not in text
    assert "node:100.64.0.9" in text


async def test_a_request_from_funnel_is_refused(tailnet: Tailnet) -> None:
    assert (await page(tailnet, "funnel")).status == 403


async def test_a_forged_header_on_the_local_socket_names_nobody() -> None:
    answer = await wire(socket=LOCAL, **FORGED).request("GET", "/mcp")

    assert answer.status == 403


async def test_who_calls_on_the_machine_is_local() -> None:
    text = (await get("/", socket=LOCAL)).body

    assert "you are        local" in text


def test_a_second_application_changes_nothing_and_asks_for_no_funnel() -> None:
    before, calls = json.dumps(state()), len(changes())

    systemctl("start", "pgmcp-tailscale-check.service")

    assert prop("Result", "pgmcp-tailscale-check.service") == "success"
    assert json.dumps(state()) == before
    assert len(changes()) == calls
    assert not [line for line in changes() if "funnel" in line]
