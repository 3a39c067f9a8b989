"""Who a real gateway takes a caller with an API key for, on each listener."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from pgmcp.keys import new_key
from tests.cluster import ThrowawayCluster
from tests.entrances import (
    BEARER,
    KEY,
    LINE,
    LISTENERS,
    ROUTES,
    RULES,
    WRONG_KEY,
    Entrances,
    ask,
    entrances,
    who_am_i,
)
from tests.tailnet import FQDN, Tailnet, tailscale_serve


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
