"""http.public_url: where clients reach a gateway that itself sees a socket only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster import ThrowawayCluster
from tests.entrances import Entrances, ask, entrances
from tests.process import run_command

CONNECT = "claude mcp add --transport http pg https://db.example.net/mcp"


@pytest.fixture(scope="module")
def published(newest_cluster: ThrowawayCluster) -> Iterator[Entrances]:
    http = "public_url = 'https://db.example.net'"
    with entrances(newest_cluster.environment(), http=http) as found:
        yield found


@pytest.fixture(scope="module")
def unpublished(newest_cluster: ThrowawayCluster) -> Iterator[Entrances]:
    with entrances(newest_cluster.environment()) as found:
        yield found


async def test_the_page_on_a_socket_connects_to_it(published: Entrances) -> None:
    page = await ask(published.local, "/", "GET")

    assert CONNECT in page.body
    assert "cannot reach" not in page.body


async def test_the_page_on_tcp_says_how_one_came(published: Entrances) -> None:
    page = await ask(published.tcp.removesuffix("/mcp"), "/", "GET")

    assert f"pg {published.tcp}\n" in page.body


async def test_without_it_a_socket_says_what_to_set(unpublished: Entrances) -> None:
    page = await ask(unpublished.local, "/", "GET")

    assert "or name it in the settings, http.public_url, and it stands here." in page.body


@pytest.mark.parametrize("host", ["db.example.net", "DB.example.net:443", "db.example.net:8443"])
async def test_its_host_is_answered(published: Entrances, host: str) -> None:
    assert (await ask(published.local, "/live", "GET", Host=host)).status == 200


async def test_its_origin_may_call(published: Entrances, unpublished: Entrances) -> None:
    origin = "https://db.example.net"
    statuses = [
        (await ask(gateway.local, "/live", "GET", Origin=origin)).status
        for gateway in (published, unpublished)
    ]

    assert statuses == [200, 403]
    assert (await ask(unpublished.local, "/live", "GET", Host="db.example.net")).status == 421


async def test_doctor_shows_it(published: Entrances, newest_cluster: ThrowawayCluster) -> None:
    config = published.folder / "pgmcp.toml"

    said = run_command(["doctor", "--config", str(config)], newest_cluster.environment())

    assert "ok      clients reach the gateway at https://db.example.net/mcp\n" in said.stdout
