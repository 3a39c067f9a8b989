"""The page at `/`: plain text that says who one is and what one may do, whatever the names are."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cluster import ThrowawayCluster
from tests.entrances import KEY, Entrances, ask, entrances
from tests.tailnet import FQDN, encode, tailscale_serve
from tests.wire import Received

CAPABILITY = "example.com/cap/pgmcp"
RULES = f"""capability = "{CAPABILITY}"
[[access]]
who = "ana@example.com"
databases = ["app", "shop_*"]
permissions = "write"
[[access]]
who = "ana@example.com"
permissions = "read"
[[access]]
who = "key:ci"
permissions = "admin"
"""
XSS = "<script>alert(1)</script>"
NAMES = [
    pytest.param(XSS, id="script"),
    pytest.param('"><img src=x onerror=alert(1)>', id="attribute"),
    pytest.param("Ana\r\nyou may        everything", id="line end"),
    pytest.param("Ana\x1b[2J\u202e\u2028gro", id="terminal and direction"),
]


@pytest.fixture(scope="module")
def ruled(newest_cluster: ThrowawayCluster) -> Iterator[Entrances]:
    with entrances(newest_cluster.environment(), RULES) as found:
        yield found


@pytest.fixture(scope="module")
def plain(newest_cluster: ThrowawayCluster) -> Iterator[Entrances]:
    with entrances(newest_cluster.environment()) as found:
        yield found


async def seen(ruled: Entrances, login: str, name: str = "", capabilities: str = "") -> Received:
    """Return the page as somebody sees it whom tailscale serve vouches for."""
    lines = {
        "Tailscale-User-Login": encode(login),
        "Tailscale-User-Name": encode(name),
        "Tailscale-App-Capabilities": capabilities,
        "X-Forwarded-For": "100.64.0.1",
        "X-Forwarded-Host": FQDN,
        "X-Forwarded-Proto": "https",
    }
    return await ask(ruled.tailscale, "/", "GET", **{k: v for k, v in lines.items() if v})


def facts(page: Received) -> list[str]:
    """Return the lines that say what one may do."""
    lines = page.body.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("you may"))
    found = [lines[first].removeprefix("you may").strip()]
    for line in lines[first + 1 :]:
        if not line.startswith(" "):
            break
        found.append(line.strip())
    return found


async def test_the_page_says_what_one_may_do_by_which_rule(ruled: Entrances) -> None:
    page = await seen(ruled, "ana@example.com", "Ana Example")

    assert "you are        tailscale:ana@example.com\n" in page.body
    assert "full name      Ana Example\n" in page.body
    assert facts(page) == ["write on app, shop_*, by access rule 1", "read on *, by access rule 2"]


async def test_the_page_tells_of_the_tailnets_grants(ruled: Entrances) -> None:
    granted = json.dumps({CAPABILITY: [{"databases": ["scratch_*"], "permissions": ["admin"]}]})

    page = await seen(ruled, "eve@example.com", capabilities=granted)

    assert facts(page) == ["admin on scratch_*, by the tailnet's grant"]


async def test_who_may_do_nothing_is_told_so_and_no_more(ruled: Entrances) -> None:
    page = await seen(ruled, "eve@example.com")

    assert page.status == 200
    (told,) = facts(page)
    assert told.startswith("nothing: no access rule or grant covers you")
    assert "Connect a client" not in page.body
    assert "PostgreSQL" not in page.body


async def test_the_page_connects_to_the_address_that_tailscale_publishes(ruled: Entrances) -> None:
    page = await seen(ruled, "ana@example.com")

    assert f"claude mcp add --transport http pg https://{FQDN}/mcp" in page.body


async def test_the_page_says_that_there_are_no_rules_and_one_login(plain: Entrances) -> None:
    page = await ask(plain.tcp.removesuffix("/mcp"), "/", "GET")

    assert facts(page) == ["everything that the gateway's login may do: there are no access rules"]
    assert "logins         one login for every level" in page.body
    assert f"claude mcp add --transport http pg {plain.tcp}" in page.body


async def test_a_key_is_told_its_rule(ruled: Entrances) -> None:
    page = await ask(ruled.tcp.removesuffix("/mcp"), "/", "GET", Authorization=f"Bearer {KEY}")

    assert facts(page) == ["admin on *, by access rule 3"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_is_text_on_one_line(ruled: Entrances, name: str) -> None:
    page = await seen(ruled, "ana@example.com", name)

    assert page.headers["content-type"] == "text/plain; charset=utf-8"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert all(line.isprintable() for line in page.body.splitlines())
    assert page.body.count("you may ") == 1 + name.count("you may ")
    assert facts(page)[0] == "write on app, shop_*, by access rule 1"


@pytest.mark.parametrize("login", [f"{XSS}@example.com", "<b>ana</b>@example.com"])
async def test_a_login_like_html_is_text(ruled: Entrances, login: str) -> None:
    page = await seen(ruled, login)

    assert page.status in (200, 400)
    assert page.headers["content-type"].startswith("text/plain")


async def test_the_page_through_tailscale_serve(ruled: Entrances) -> None:
    async with tailscale_serve(ruled.tailscale) as published:
        page = await ask(published.url, "/", "GET", Host=FQDN)

    assert facts(page)[0] == "write on app, shop_*, by access rule 1"
    assert facts(page)[-1] == "read on *, by the tailnet's grant"
