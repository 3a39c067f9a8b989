"""tailscale is not logged in at boot, then without certificates, then ready, then starts anew."""

from __future__ import annotations

import pytest

from tests.boot.inside.agent import FIRST, becomes, changes, handler, is_served, state
from tests.boot.inside.machine import Journal, drop_in, prop, run, systemctl, until

UNIT, CHECK, AGENT = (
    "pgmcp-tailscale-serve.service",
    "pgmcp-tailscale-check.service",
    "tailscaled.service",
)
SOON = "[Service]\nRestartSec=1\nRestartSteps=0\n"
NOT_LOGGED_IN = (
    "tailscale is not logged in (its state is NeedsLogin). Run: tailscale up."
    " This is tried again by itself."
)


def said(journal: Journal) -> list[str]:
    """Return the unit's own lines."""
    lines = journal.lines(UNIT)
    return [line for line in lines if not line.startswith(("pgmcp-tailscale", "Start", "Stop"))]


def test_the_boot_did_not_wait_for_a_login() -> None:
    assert prop("ActiveState", "multi-user.target") == "active"


def test_without_a_login_the_journal_says_so_and_nothing_is_served() -> None:
    assert NOT_LOGGED_IN in Journal(after="").lines(UNIT)
    assert not is_served()
    assert changes() == []


async def test_without_certificates_the_journal_says_so_and_nobody_waits_for_a_click() -> None:
    journal = Journal()
    becomes(BackendState="Running", https=False)
    with drop_in(SOON, UNIT):
        run("systemctl", "restart", UNIT, check=False)

    assert journal.has("HTTPS certificates are not enabled for this tailnet.", UNIT)
    assert not is_served()
    assert changes() == []


async def test_it_is_served_by_itself_once_certificates_are_there() -> None:
    journal = Journal()
    with drop_in(SOON, UNIT):
        run("systemctl", "restart", UNIT, check=False)
        becomes(https=True)
        await until(is_served, "it is tried again by itself")

    await until(lambda: prop("ActiveState", UNIT) == "active", "the unit is done")
    assert journal.has("clients reach pgmcp at https://pi.example.ts.net/mcp", UNIT)
    assert handler() == {"Proxy": "unix:/run/pgmcp.sock"}


@pytest.mark.parametrize("unit", [CHECK, AGENT])
async def test_it_is_served_again_after_another_login(unit: str) -> None:
    """Another login has a configuration of its own, an empty one."""
    becomes(**FIRST)
    assert not is_served()

    systemctl("restart", unit)

    await until(is_served, f"a start of {unit} puts it up again")
    await until(lambda: prop("ActiveState", UNIT) == "active", "the unit is done")


async def test_a_stop_takes_off_what_was_put_up_and_nothing_else() -> None:
    foreign = {"Handlers": {"/": {"Proxy": "http://127.0.0.1:8080"}}}
    web = {
        "pi.example.ts.net:443": {"Handlers": {"/": handler()}},
        "pi.example.ts.net:8443": foreign,
    }
    becomes(serve={"TCP": {"443": {"HTTPS": True}, "8443": {"HTTPS": True}}, "Web": web})

    systemctl("stop", UNIT)

    assert not is_served()
    assert state()["serve"]["Web"] == {"pi.example.ts.net:8443": foreign}


def test_what_somebody_else_serves_there_is_left_and_named() -> None:
    foreign = {"Handlers": {"/": {"Proxy": "http://127.0.0.1:8080"}}}
    served = {"TCP": {"443": {"HTTPS": True}}, "Web": {"pi.example.ts.net:443": foreign}}
    becomes(serve=served)
    journal = Journal()

    run("systemctl", "start", UNIT, check=False)

    assert journal.has("already answers at port 443 of pi.example.ts.net with something else", UNIT)
    assert state()["serve"] == served
    systemctl("stop", UNIT)
    assert state()["serve"] == served


async def test_without_tailscaled_the_journal_says_so_and_a_stop_succeeds() -> None:
    becomes(**FIRST)
    systemctl("stop", AGENT)
    journal = Journal()
    with drop_in("[Service]\nType=oneshot\nExecStart=\nExecStart=/bin/true\n", AGENT):
        run("systemctl", "start", UNIT, check=False)

    assert journal.has("tailscaled does not answer. Start it: systemctl start tailscaled.", UNIT)
    systemctl("stop", UNIT)
    systemctl("start", AGENT)
    await until(is_served, "it comes back with tailscaled")


def test_funnel_was_never_asked_for() -> None:
    assert [line for line in changes() if "funnel" in line.lower()] == []
    assert [line for line in changes() if line.startswith("serve --bg")] != []
