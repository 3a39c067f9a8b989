"""Foreign web pages reach nothing, by whatever listener: Host and Origin, DNS rebinding."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.cluster import ThrowawayCluster
from tests.entrances import KEY, Entrances, ask, entrances
from tests.tailnet import FQDN, Tailnet, tailscale_serve

LISTENERS = ["tcp", "local", "tailscale"]
EVIL = "https://evil.example"
OWN = f"https://{FQDN}"
ROUTES = [
    pytest.param("POST", "/mcp", id="POST /mcp"),
    pytest.param("GET", "/mcp", id="GET /mcp"),
    pytest.param("DELETE", "/mcp", id="DELETE /mcp"),
    pytest.param("GET", "/", id="GET /"),
    pytest.param("GET", "/nowhere", id="GET /nowhere"),
]
CALLERS = [
    pytest.param({}, id="direct"),
    pytest.param({"Authorization": f"Bearer {KEY}"}, id="with a key"),
    pytest.param(
        {
            "X-Forwarded-For": "100.64.0.1",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": FQDN,
            "Tailscale-User-Login": "ana@example.com",
        },
        id="forwarded",
    ),
]


@pytest.fixture(scope="module")
def plain(newest_cluster: ThrowawayCluster) -> Iterator[Entrances]:
    with entrances(newest_cluster.environment()) as found:
        yield found


@pytest.fixture(scope="module")
async def tailnet(plain: Entrances) -> AsyncIterator[Tailnet]:
    async with tailscale_serve(plain.tailscale) as published:
        yield published


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_foreign_origin_is_refused(
    plain: Entrances, listener: str, method: str, path: str, caller: dict[str, str]
) -> None:
    answer = await ask(plain.url(listener), path, method, Origin=EVIL, **caller)

    assert answer.status == 403
    assert f"Origin '{EVIL}' may not call." in answer.body


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_foreign_host_is_refused(
    plain: Entrances, listener: str, method: str, path: str, caller: dict[str, str]
) -> None:
    """The name of the attacker's page, after it was made to resolve to us."""
    answer = await ask(plain.url(listener), path, method, Host="evil.example", **caller)

    assert answer.status == 421


@pytest.mark.parametrize("listener", ["tcp", "local"])
@pytest.mark.parametrize("origin", [EVIL, OWN])
async def test_a_claimed_name_allows_no_origin_where_nobody_is_believed(
    plain: Entrances, listener: str, origin: str
) -> None:
    claims = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": origin.removeprefix("https://")}

    answer = await ask(plain.url(listener), "/live", "GET", Origin=origin, **claims)

    assert answer.status == 403


async def test_the_published_page_may_call(tailnet: Tailnet) -> None:
    answer = await ask(tailnet.url, "/", "GET", Host=FQDN, Origin=OWN)

    assert answer.status == 200


@pytest.mark.parametrize(
    "origin", [EVIL, f"http://{FQDN}", f"{OWN}:8443", f"{OWN}.evil.example", "null"]
)
async def test_another_page_in_the_tailnet_may_not(tailnet: Tailnet, origin: str) -> None:
    answer = await ask(tailnet.url, "/live", "GET", Host=FQDN, Origin=origin)

    assert answer.status == 403


async def test_a_page_cannot_say_under_which_name_it_was_published(tailnet: Tailnet) -> None:
    claims = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}

    answer = await ask(tailnet.url, "/live", "GET", Host=FQDN, Origin=EVIL, **claims)

    assert answer.status == 403


async def test_without_tls_a_rebound_name_is_no_origin_of_ours(plain: Entrances) -> None:
    """Over plain HTTP the tailnet's address answers to any name that resolves to it."""
    async with tailscale_serve(plain.tailscale, tls=False, fqdn="evil.example") as published:
        answer = await ask(
            published.url, "/live", "GET", Host="evil.example", Origin="http://evil.example"
        )

    assert answer.status == 403
