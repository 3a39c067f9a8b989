"""nixos/tailscale-serve.sh in the shells that run it: what it changes, leaves and says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.integration.tailscale_stand_in import Done, Machine, installed

pytestmark = pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
AGAIN = "This is tried again by itself."
type_of_json = dict[str, Any]  # Any: JSON

AT = "pi.example.ts.net:443"


def web(proxy: str, scheme: str = "HTTPS") -> type_of_json:
    """Return what tailscaled serves at / of the port."""
    return {"TCP": {"443": {scheme: True}}, "Web": {AT: {"Handlers": {"/": {"Proxy": proxy}}}}}


OURS = web("unix:/run/pgmcp.sock")
FOREIGN = web("http://127.0.0.1:8080")


@pytest.fixture(params=["dash", "bash"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    """Return a machine that is logged in and serves nothing yet."""
    shell = shutil.which(request.param)
    if shell is None:
        pytest.skip(f"{request.param} is not installed")
    return installed(tmp_path, shell)


def test_it_is_put_up_and_says_by_which_url_clients_come(machine: Machine) -> None:
    machine.put("becomes", json.dumps(OURS))

    done = machine.run("apply")

    assert (done.status, done.error) == (0, "")
    assert done.out == "clients reach pgmcp at https://pi.example.ts.net/mcp\n"
    assert done.changes == ["serve --bg --yes --https=443 unix:/run/pgmcp.sock"]


def test_what_is_as_it_should_be_is_left(machine: Machine) -> None:
    machine.put("served", json.dumps(OURS))

    assert machine.run("apply") == Done(status=0, out="", error="", changes=[])


def test_what_was_put_up_by_the_other_scheme_is_taken_off_by_it(machine: Machine) -> None:
    machine.put("served", json.dumps(web("unix:/run/pgmcp.sock", "HTTP")))

    done = machine.run("undo")

    assert (done.status, done.error) == (0, "")
    assert done.changes == ["serve --yes --http=443 --set-path=/ off"]


UNREADABLE = [
    pytest.param("fails", "", id="fails"),
    pytest.param("fails", json.dumps(OURS), id="fails with an answer"),
    pytest.param("hangs", "", id="hangs"),
    pytest.param("answers", "", id="nothing"),
    pytest.param("answers", "Serve is not configured.\n", id="no JSON"),
    pytest.param("answers", json.dumps(OURS) + "}", id="JSON and more"),
    pytest.param("answers", "[]", id="a list"),
]


@pytest.mark.parametrize(("how", "text"), UNREADABLE)
def test_where_it_cannot_be_known_what_is_served_nothing_is_put_up(
    machine: Machine, how: str, text: str
) -> None:
    machine.put("served", text)
    machine.put(f"served.{how}", "")

    done = machine.run("apply")

    assert (done.status, done.out, done.changes) == (1, "", [])
    assert done.error == (
        "tailscale serve status --json printed nothing that can be read, so nothing was changed. "
        "See what it prints, and update tailscale, or restart it: systemctl restart tailscaled. "
        f"{AGAIN}\n"
    )


@pytest.mark.parametrize(("how", "text"), UNREADABLE)
def test_where_it_cannot_be_known_what_is_served_nothing_is_taken_off(
    machine: Machine, how: str, text: str
) -> None:
    machine.put("served", text)
    machine.put(f"served.{how}", "")

    done = machine.run("undo")

    assert (done.status, done.out, done.changes) == (0, "", [])
    assert done.error == (
        "tailscale serve was left as it is: what it serves could not be read. See tailscale serve "
        "status, and take pgmcp off by hand: tailscale serve --https=443 --set-path=/ off\n"
    )


FOREIGNERS = [
    pytest.param(FOREIGN, "--https=443 --set-path=/", id="https"),
    pytest.param(web("http://127.0.0.1:1", "HTTP"), "--http=443 --set-path=/", id="http"),
    pytest.param({"TCP": {"443": {"TCPForward": "127.0.0.1:1"}}}, "--tcp=443", id="tcp"),
    pytest.param(
        {"TCP": {"443": {"TCPForward": "127.0.0.1:1", "TerminateTLS": "pi"}}},
        "--tls-terminated-tcp=443",
        id="tcp behind tls",
    ),
]


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize(("served", "flags"), FOREIGNERS)
def test_what_somebody_else_serves_is_left_and_the_remedy_is_of_its_kind(
    machine: Machine, served: type_of_json, flags: str, scheme: str
) -> None:
    machine.put("served", json.dumps(served))

    done = machine.run("apply", PGMCP_SERVE_SCHEME=scheme)

    assert (done.status, done.changes) == (1, [])
    assert done.error == (
        "tailscale serve already answers at port 443 of pi.example.ts.net with something else. "
        f"Take that off (tailscale serve {flags} off), or choose another port "
        "(services.pgmcp.tailscale.serve.port; without NixOS PGMCP_SERVE_PORT). "
        f"{AGAIN}\n"
    )
    assert machine.run("undo") == Done(status=0, out="", error="", changes=[])


STATES = [
    pytest.param(
        "NeedsLogin", "tailscale is not logged in (its state is NeedsLogin). Run: ", id="1"
    ),
    pytest.param("Stopped", "tailscale is not logged in (its state is Stopped). Run: ", id="2"),
    pytest.param("Starting", "tailscale is still starting (its state is Starting). Wait; ", id="3"),
    pytest.param(
        "NeedsMachineAuth",
        "this machine is not approved in the tailnet (its state is NeedsMachineAuth). Let an admin "
        "approve it in the admin console, under Machines. ",
        id="4",
    ),
]


@pytest.mark.parametrize(("state", "sentence"), STATES)
def test_a_state_of_tailscale_has_its_own_remedy(
    machine: Machine, state: str, sentence: str
) -> None:
    machine.put("status", json.dumps({"BackendState": state, "Self": {"DNSName": ""}}))

    done = machine.run("apply")

    assert (done.status, done.changes) == (1, [])
    assert done.error.startswith(sentence)
    assert done.error.endswith(f"{AGAIN}\n")
    assert machine.run("undo") == Done(status=0, out="", error="", changes=[])


@pytest.mark.parametrize("text", ["", "not logged in\n", "[]"], ids=["nothing", "text", "a list"])
def test_a_status_that_is_no_json_is_told_in_one_line(machine: Machine, text: str) -> None:
    machine.put("status", text)

    done = machine.run("apply")

    assert (done.status, done.changes) == (1, [])
    assert done.error.startswith("tailscale status --json printed nothing that can be read, ")
    assert done.error.count("\n") == 1
    assert machine.run("undo").changes == []


WORDS = [
    pytest.param("", "it said nothing; see journalctl -u tailscaled", id="nothing"),
    pytest.param(" \n\n", "it said nothing; see journalctl -u tailscaled", id="blanks"),
    pytest.param("\nno:\n\n  busy.\n", "no: busy", id="lines"),
    pytest.param("a \\n b\n", "a \\n b", id="a backslash"),
]


@pytest.mark.parametrize(("said", "shown"), WORDS)
def test_what_tailscale_refuses_is_told_in_one_whole_line(
    machine: Machine, said: str, shown: str
) -> None:
    machine.put("said", said)
    machine.put("said.fails", "")

    done = machine.run("apply")

    assert (done.status, done.out) == (1, "")
    assert done.error == f"tailscale serve failed: {shown}. {AGAIN}\n"


@pytest.mark.parametrize("served", ["null", "no JSON"])
def test_a_configuration_that_was_not_taken_is_a_failure(machine: Machine, served: str) -> None:
    machine.put("becomes", served)

    done = machine.run("apply")

    assert done.status == 1
    assert done.error == (
        "tailscale serve did not take the configuration: it said nothing; see journalctl -u "
        f"tailscaled. See tailscale serve status. {AGAIN}\n"
    )


def test_without_jq_that_is_what_is_said(machine: Machine) -> None:
    done = machine.run("apply", PATH=str(machine.folder))

    assert done.error == f"jq is not installed. Install it, on Debian: apt install jq. {AGAIN}\n"
    assert (done.status, done.changes) == (1, [])


def test_an_old_configuration_of_ours_gives_way_to_the_new_one(machine: Machine) -> None:
    machine.put("served", json.dumps(web("unix:/run/pgmcp.sock", "HTTP")))

    done = machine.run("apply")

    assert done.changes == [
        "serve --http=443 --set-path=/ off",
        "serve --bg --yes --https=443 unix:/run/pgmcp.sock",
    ]
