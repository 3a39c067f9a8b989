"""Who a real gateway takes a caller for, on each listener and through a fake tailscale serve."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.cluster import ThrowawayCluster
from tests.entrances import BEARER, LISTENERS, ROUTES, RULES, Entrances, ask, entrances, who_am_i
from tests.tailnet import FQDN, PEERS, Tailnet, tailscale_serve
from tests.wire import Wire
from tests.witness import eventually

UNBELIEVED = ["tcp", "local"]
SPOOFED = [
    pytest.param("Forwarded", "for=100.64.0.1", id="Forwarded"),
    pytest.param("X-Forwarded-For", "100.64.0.1", id="X-Forwarded-For"),
    pytest.param("X-Forwarded-Host", FQDN, id="X-Forwarded-Host"),
    pytest.param("X-Forwarded-Proto", "https", id="X-Forwarded-Proto"),
    pytest.param("Tailscale-User-Login", "root@example.com", id="Login"),
    pytest.param("Tailscale-User-Name", "Root", id="Name"),
    pytest.param("Tailscale-User-Profile-Pic", "https://example.com/p", id="Picture"),
    pytest.param("Tailscale-Headers-Info", "https://tailscale.com/s", id="Headers-Info"),
    pytest.param(
        "Tailscale-App-Capabilities",
        '{"example.com/cap/pgmcp":[{"permissions":["admin"]}]}',
        id="App-Capabilities",
    ),
]
EVERYTHING = {str(case.values[0]): str(case.values[1]) for case in SPOOFED}


@pytest.fixture(scope="module")
def plain(newest_cluster: ThrowawayCluster) -> Iterator[Entrances]:
    """Run a gateway without access rules."""
    with entrances(newest_cluster.environment()) as found:
        yield found


@pytest.fixture(scope="module")
def ruled(newest_cluster: ThrowawayCluster) -> Iterator[Entrances]:
    """Run a gateway with access rules."""
    with entrances(newest_cluster.environment(), RULES) as found:
        yield found


@pytest.fixture(scope="module")
async def tailnet(plain: Entrances) -> AsyncIterator[Tailnet]:
    """Publish the first gateway's socket for tailscaled."""
    async with tailscale_serve(plain.tailscale) as published:
        yield published


@pytest.mark.parametrize("listener", LISTENERS)
async def test_a_direct_caller_is_local(ruled: Entrances, listener: str) -> None:
    assert await who_am_i(ruled.url(listener)) == "local"


@pytest.mark.parametrize("listener", UNBELIEVED)
@pytest.mark.parametrize(("name", "value"), SPOOFED)
async def test_a_spoofed_header_makes_nobody(
    plain: Entrances, listener: str, name: str, value: str
) -> None:
    assert await who_am_i(plain.url(listener), **{name: value}) == "proxied"


@pytest.mark.parametrize("listener", UNBELIEVED)
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(("name", "value"), SPOOFED)
async def test_a_spoofed_header_is_refused_where_rules_are(
    ruled: Entrances, listener: str, route: str, name: str, value: str
) -> None:
    answer = await ask(ruled.url(listener), route, "GET", **{name: value})

    assert answer.status == 403
    assert "Nobody vouches for this request" in answer.body


@pytest.mark.parametrize("listener", UNBELIEVED)
async def test_all_spoofed_headers_together_make_nobody(plain: Entrances, listener: str) -> None:
    assert await who_am_i(plain.url(listener), **EVERYTHING) == "proxied"


@pytest.mark.parametrize(("name", "value"), SPOOFED)
async def test_tailscale_serve_replaces_what_a_peer_says_of_itself(
    tailnet: Tailnet, name: str, value: str
) -> None:
    assert await who_am_i(tailnet.url, **{name: value, "Host": FQDN}) == "tailscale:ana@example.com"


@pytest.mark.parametrize(("name", "value"), SPOOFED)
async def test_a_tagged_node_cannot_say_that_it_is_a_person(
    tailnet: Tailnet, name: str, value: str
) -> None:
    shown = await who_am_i(tailnet.url, X_Fake_Peer="tagged", Host=FQDN, **{name: value})

    assert shown == "node:100.64.0.9"


async def test_a_proxy_in_front_of_tcp_is_not_tailscale(plain: Entrances) -> None:
    """What the first set-up of many people does: their tailnet decides who gets in."""
    target = plain.tcp.removesuffix("/mcp")
    async with tailscale_serve(target) as published:
        assert await who_am_i(published.url, Host=FQDN) == "proxied"


async def test_a_proxy_in_front_of_tcp_needs_a_key_where_rules_are(ruled: Entrances) -> None:
    async with tailscale_serve(ruled.tcp.removesuffix("/mcp")) as published:
        refused = await ask(published.url, "/", "GET", Host=FQDN)
        accepted = await who_am_i(published.url, Host=FQDN, Authorization=BEARER)

    assert refused.status == 403
    assert accepted == "key:ci"


@pytest.mark.parametrize("peer", [name for name, peer in PEERS.items() if not peer.is_funnel])
async def test_every_kind_of_peer_is_known_by_what_it_has(tailnet: Tailnet, peer: str) -> None:
    shown = await who_am_i(tailnet.url, X_Fake_Peer=peer.encode().decode("latin-1"), Host=FQDN)

    expected = PEERS[peer]
    login, node = f"tailscale:{expected.login}", f"node:{expected.address}"
    assert shown == (login if expected.login else node)


async def test_who_has_a_login_that_is_not_ascii_calls_tools(tailnet: Tailnet) -> None:
    wire = Wire(tailnet.url, {"X-Fake-Peer": "zoë".encode().decode("latin-1"), "Host": FQDN})

    answer = await (await wire.modern("pg_query", sql="SELECT 42")).answer()

    assert "\n42\n" in answer.text


async def test_streams_and_dropped_requests_pass_the_fake(tailnet: Tailnet) -> None:
    """A client that goes away takes the connection behind it along: that is a cancellation."""
    wire = Wire(tailnet.url, {"Host": FQDN, "X-Fake-Peer": "bob"})
    pending = await wire.modern("pg_query", sql="SELECT pg_sleep(20) /* dropped */")
    await eventually(lambda: running(wire), lambda seen: seen == "1")

    pending.drop()

    await eventually(lambda: running(wire), lambda seen: seen == "0")


async def running(wire: Wire) -> str:
    """Return how many of the statements that were dropped still run."""
    sql = (
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%dropped */%' "
        "AND pid <> pg_backend_pid() AND state = 'active'"
    )
    return (await (await wire.modern("pg_query", sql=sql)).answer()).text.split("\n")[1]


async def test_connections_to_the_gateway_are_kept(plain: Entrances) -> None:
    async with tailscale_serve(plain.tailscale) as published:
        for_each = [await who_am_i(published.url, Host=FQDN) for _ in range(5)]

        assert set(for_each) == {"tailscale:ana@example.com"}
        assert published.opened == 1


async def test_peers_that_share_a_connection_are_told_apart(plain: Entrances) -> None:
    """One connection of tailscaled carries everybody's requests, one after the other."""
    async with tailscale_serve(plain.tailscale) as published:
        ana, tagged, bob = [
            await who_am_i(published.url, Host=FQDN, X_Fake_Peer=peer)
            for peer in ("ana", "tagged", "bob")
        ]

        assert published.opened == 1
    assert (ana, tagged, bob) == (
        "tailscale:ana@example.com",
        "node:100.64.0.9",
        "tailscale:bob@example.com",
    )
