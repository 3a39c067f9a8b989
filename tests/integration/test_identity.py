"""Who a real gateway takes a caller for, on each listener and through a fake tailscale serve."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import pytest

from pgmcp.keys import new_key
from tests.cluster import ThrowawayCluster
from tests.entrances import KEY, LINE, RULES, WRONG_KEY, Entrances, ask, entrances, who_am_i
from tests.tailnet import FQDN, PEERS, Tailnet, tailscale_serve
from tests.wire import Wire
from tests.witness import eventually

LISTENERS = ["tcp", "local", "tailscale"]
UNBELIEVED = ["tcp", "local"]
BEARER = f"Bearer {KEY}"
ROUTES = ["/", "/live", "/ready", "/mcp", "/nowhere"]
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


@pytest.mark.parametrize("listener", LISTENERS)
async def test_a_key_is_its_caller_on_every_listener(ruled: Entrances, listener: str) -> None:
    assert await who_am_i(ruled.url(listener), Authorization=BEARER) == "key:ci"


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("route", ROUTES)
async def test_a_wrong_key_is_401_everywhere(plain: Entrances, listener: str, route: str) -> None:
    for_tailscale = {"X-Forwarded-For": f"192.0.2.{len(route)}", "Tailscale-User-Login": "a@b.c"}
    answer = await ask(
        plain.url(listener), route, "GET", Authorization=f"Bearer {WRONG_KEY}", **for_tailscale
    )

    assert answer.status in (401, 429)
    assert answer.headers.get("www-authenticate", "Bearer").startswith("Bearer")
    assert "you are" not in answer.body


async def test_a_wrong_key_through_tailscale_serve_is_not_the_peer(tailnet: Tailnet) -> None:
    answer = await ask(
        tailnet.url, "/", "GET", Host=FQDN, X_Fake_Peer="bob", Authorization="Bearer wrong"
    )

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="pgmcp"'


async def test_after_wrong_keys_the_right_one_passes_and_the_journal_is_short(
    newest_cluster: ThrowawayCluster,
) -> None:
    with entrances(newest_cluster.environment()) as found:
        wrong = [
            await ask(found.tcp, "/", "GET", Authorization=f"Bearer {WRONG_KEY}") for _ in range(40)
        ]
        right = await who_am_i(found.tcp, Authorization=BEARER)
        text = found.log

    statuses = [answer.status for answer in wrong]
    assert statuses == [401] * 10 + [429] * 30
    assert 1 <= int(wrong[-1].headers["retry-after"]) <= 6
    assert right == "key:ci"
    assert text.count("outcome=Refused") == 11
    assert WRONG_KEY not in text
    assert KEY not in text


async def test_keys_rotate_without_a_restart(newest_cluster: ThrowawayCluster) -> None:
    key, line = new_key("ci-2")
    with entrances(newest_cluster.environment()) as found:
        file = found.folder / "keys"
        before = (await ask(found.tcp, "/", "GET", Authorization=f"Bearer {key}")).status
        file.write_text(f"{LINE}\n{line}\n")
        both = [await who_am_i(found.tcp, Authorization=f"Bearer {each}") for each in (KEY, key)]
        file.write_text(f"{line}\nhalf a li")
        broken = await who_am_i(found.tcp, Authorization=BEARER)
        file.write_text(f"{line}\n")
        after = (await ask(found.tcp, "/", "GET", Authorization=BEARER)).status
        kept = await who_am_i(found.tcp, Authorization=f"Bearer {key}")

    assert (before, both, broken, after, kept) == (
        401,
        ["key:ci", "key:ci-2"],
        "key:ci",
        401,
        "key:ci-2",
    )


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
