"""Whom a real gateway refuses by the headers alone, and that none of them forges a line."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.cluster import ThrowawayCluster
from tests.entrances import BEARER, LISTENERS, ROUTES, Entrances, ask, entrances
from tests.tailnet import FQDN, Tailnet, tailscale_serve


@pytest.fixture(scope="module")
def plain(newest_cluster: ThrowawayCluster) -> Iterator[Entrances]:
    """Run a gateway without access rules."""
    with entrances(newest_cluster.environment()) as found:
        yield found


@pytest.fixture(scope="module")
async def tailnet(plain: Entrances) -> AsyncIterator[Tailnet]:
    """Publish the first gateway's socket for tailscaled."""
    async with tailscale_serve(plain.tailscale) as published:
        yield published


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("more", [{}, {"Authorization": BEARER}], ids=["alone", "with a key"])
async def test_funnel_is_refused_on_every_listener(
    plain: Entrances, listener: str, route: str, more: dict[str, str]
) -> None:
    answer = await ask(plain.url(listener), route, "GET", Tailscale_Funnel_Request="?1", **more)

    assert answer.status == 403
    assert "no call from the public internet" in answer.body


async def test_funnel_through_tailscale_serve_is_refused(tailnet: Tailnet) -> None:
    answer = await ask(tailnet.url, "/", "GET", X_Fake_Peer="funnel", Host=FQDN)

    assert answer.status == 403


@pytest.mark.parametrize("listener", LISTENERS)
async def test_funnel_is_refused_before_anything_else(plain: Entrances, listener: str) -> None:
    answer = await ask(
        plain.url(listener),
        "/",
        "GET",
        Tailscale_Funnel_Request="?0",
        Host="evil.example",
        Authorization="Bearer wrong",
        X_Forwarded_For="a\r\nX-Forwarded-For: b",
    )

    assert (answer.status, "public internet" in answer.body) == (403, True)


@pytest.mark.parametrize(
    "login",
    ["ana b@c.d", "ana\x1b[31m@c.d", "=?utf-8?q?a=0Ab=40c.d?=", 'a"@c.d', "\x85", "key:ci"],
)
async def test_an_odd_login_is_refused_and_forges_no_line(plain: Entrances, login: str) -> None:
    answer = await ask(
        plain.tailscale, "/", "GET", Tailscale_User_Login=login, X_Forwarded_For="100.64.0.1"
    )

    assert answer.status == 400
    assert login not in plain.log


@pytest.mark.parametrize("name", ["Host", "Origin"])
@pytest.mark.parametrize(
    "value", ["\x1b[2Jevil", "\x85evil caller=root", "evil' caller='root", "\u00a0evil"]
)
async def test_a_refused_header_forges_no_line(plain: Entrances, name: str, value: str) -> None:
    """Newlines cannot arrive; what moves a terminal or closes a quote can."""
    answer = await ask(plain.tcp, "/", "GET", **{name: value})

    lines = [line for line in plain.log.splitlines() if "evil" in line]
    assert answer.status in (400, 403, 421)
    assert not [character for line in lines for character in line if not character.isprintable()]
    assert all(
        re.search('outcome=Refused status=4[0-9]+ reason="(Host|Origin) ', line) for line in lines
    )


@pytest.mark.parametrize(
    "name",
    ["Tailscale-User-Login", "Tailscale-App-Capabilities", "X-Forwarded-For", "Authorization",
     "Mcp-Session-Id", "Origin", "Host"],
)  # fmt: skip
async def test_what_decides_comes_once(plain: Entrances, name: str) -> None:
    lines = {"X-Forwarded-For": "100.64.0.1", name: f"localhost\r\n{name}: localhost"}

    answer = await ask(plain.tailscale, "/", "GET", **lines)

    assert answer.status == 400
    assert f"2 {name.lower()} headers" in answer.body
