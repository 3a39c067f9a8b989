"""Who is let in at /mcp at all, and how a URL narrows that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster import ThrowawayCluster
from tests.entrances import KEY, Entrances, ask, entrances
from tests.tailnet import FQDN, tailscale_serve
from tests.wire import Wire

LISTENERS = ["tcp", "local", "tailscale"]
BEARER = f"Bearer {KEY}"
ONLY_ANA = """
[[access]]
who = "ana@example.com"
permissions = "read"
[[access]]
who = "key:ci"
permissions = "write"
"""
DOORS = ["GET", "POST", "DELETE"]


@pytest.fixture(scope="module")
def plain(newest_cluster: ThrowawayCluster) -> Iterator[Entrances]:
    """Run a gateway without access rules."""
    with entrances(newest_cluster.environment()) as found:
        yield found


@pytest.fixture(scope="module")
def few(newest_cluster: ThrowawayCluster) -> Iterator[Entrances]:
    """Run a gateway for one login and one key."""
    with entrances(newest_cluster.environment(), ONLY_ANA) as found:
        yield found


@pytest.mark.parametrize("method", DOORS)
@pytest.mark.parametrize("listener", LISTENERS)
async def test_who_may_do_nothing_does_not_reach_mcp(
    few: Entrances, listener: str, method: str
) -> None:
    """Here who calls on this machine itself: nothing was granted to local."""
    answer = await ask(few.url(listener), "/mcp", method)

    assert answer.status == 403
    assert "local may do nothing here" in answer.body


@pytest.mark.parametrize("peer", ["bob", "tagged", "outside"])
async def test_a_peer_without_access_is_told_so_and_who_can_change_it(
    few: Entrances, peer: str
) -> None:
    async with tailscale_serve(few.tailscale) as published:
        answer = await ask(published.url, "/mcp", "POST", Host=FQDN, X_Fake_Peer=peer)

    assert answer.status == 403
    assert "The operator can add one to [[access]]" in answer.body


async def test_who_has_access_gets_in_by_login_and_by_key(few: Entrances) -> None:
    async with tailscale_serve(few.tailscale) as published:
        ana = Wire(published.url, {"Host": FQDN})
        texts = [
            (await (await wire.modern("pg_query", sql="SELECT 42")).answer()).text
            for wire in (ana, Wire(few.tcp, {"Authorization": BEARER}))
        ]

    assert ["\n42\n" in text for text in texts] == [True, True]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("access=admin", "access='admin' is no level"),
        ("access=", "access='' is no level"),
        ("access=READ", "access='READ' is no level"),
        ("access=read;access=write", "is no level"),
        ("access=read&access=read", "has access 2 times"),
        ("acces=read", "unknown parameter 'acces'"),
        ("access=read&x=1", "unknown parameter 'x'"),
        ("%FF=%00", "unknown parameter"),
        ("&".join("access=read" for _ in range(30)), "more than 20 parameters"),
    ],
)
async def test_a_url_that_narrows_to_nothing_known_is_refused(
    plain: Entrances, query: str, said: str
) -> None:
    answer = await ask(plain.tcp, f"/mcp?{query}", "POST")

    assert answer.status == 400
    assert said in answer.body
    assert "Write /mcp?access=read or /mcp?access=write or /mcp?access=ddl." in answer.body


@pytest.mark.parametrize("level", ["read", "write", "ddl"])
async def test_a_narrowed_url_is_served(plain: Entrances, level: str) -> None:
    answer = await ask(plain.tcp, f"/mcp?access={level}", "POST")

    assert "is no level" not in answer.body
    assert answer.status == 400  # {} is no JSON-RPC message
    assert "jsonrpc" in answer.body
