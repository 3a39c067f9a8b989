"""Origin and Host are looked at before any route, also before those that do not exist."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pgmcp.http import Gateway
from pgmcp.settings import Settings
from tests.cluster import ThrowawayCluster
from tests.process import GatewayProcess, start_gateway
from tests.wire import ACCEPT, LEGACY, Received, Wire

CONFIGURED = "https://pi.example.ts.net"
ROUTES = [
    pytest.param("POST", "/mcp", id="POST /mcp"),
    pytest.param("GET", "/mcp", id="GET /mcp"),
    pytest.param("DELETE", "/mcp", id="DELETE /mcp"),
    pytest.param("OPTIONS", "/mcp", id="OPTIONS /mcp"),
    pytest.param("GET", "/live", id="GET /live"),
    pytest.param("GET", "/ready", id="GET /ready"),
    pytest.param("GET", "/", id="GET /"),
    pytest.param("GET", "/nowhere", id="GET /nowhere"),
]
REFUSED = (403, 421)


@pytest.fixture(scope="module")
def process(newest_cluster: ThrowawayCluster) -> Iterator[GatewayProcess]:
    environment = {
        **newest_cluster.environment(),
        "MCP_ALLOWED_ORIGINS": f"{CONFIGURED}, https://other.example:8443",
    }
    with start_gateway(environment) as started:
        yield started


@pytest.fixture
def wire(process: GatewayProcess) -> Wire:
    return Wire(process.url)


async def ask(wire: Wire, method: str, path: str, **headers: str) -> Received:
    """Send a request that every route knows how to refuse by itself."""
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    body = b"{}" if method == "POST" else b""
    return await wire.request(method, path, headers={**ACCEPT, **lines}, body=body)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_program_sends_no_origin_and_passes(wire: Wire, method: str, path: str) -> None:
    assert (await ask(wire, method, path)).status not in REFUSED


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_foreign_origin_is_refused_everywhere(wire: Wire, method: str, path: str) -> None:
    answer = await ask(wire, method, path, Origin="https://evil.example")

    assert answer.status == 403
    assert "Origin 'https://evil.example' may not call." in answer.body
    assert "MCP_ALLOWED_ORIGINS" in answer.body


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_foreign_host_is_refused_everywhere(wire: Wire, method: str, path: str) -> None:
    """A name that resolves to loopback must not open it to a browser: DNS rebinding."""
    answer = await ask(wire, method, path, Host="evil.example")

    assert answer.status == 421
    assert "Host 'evil.example' is not served here." in answer.body
    assert "MCP_ALLOWED_ORIGINS" in answer.body


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_what_comes_through_funnel_is_refused_everywhere(
    wire: Wire, method: str, path: str
) -> None:
    answer = await ask(wire, method, path, Tailscale_Funnel_Request="?1", Origin=CONFIGURED)

    assert answer.status == 403
    assert "no call from the public internet" in answer.body


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_configured_origin_passes(wire: Wire, method: str, path: str) -> None:
    assert (await ask(wire, method, path, Origin=CONFIGURED)).status not in REFUSED


@pytest.mark.parametrize(
    "origin",
    [
        CONFIGURED,
        CONFIGURED.upper(),
        "https://other.example:8443",
        "http://localhost",
        "http://localhost:5173",
        "https://127.0.0.1:3000",
        "http://[::1]",
        "http://[::1]:3000",
    ],
)
async def test_origins_that_pass(wire: Wire, origin: str) -> None:
    assert (await ask(wire, "GET", "/live", Origin=origin)).status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://pi.example.ts.net.evil.example",
        "https://evil.example/https://pi.example.ts.net",
        "https://pi.example.ts.net:444",
        "http://pi.example.ts.net",
        "https://other.example",
        "https://localhost.evil.example",
        "https://evil.example@localhost",
        "https://localhost@evil.example",
        "ftp://localhost",
        "localhost",
        "http://",
        "http://127.0.0.1.evil.example",
        "http://[::1].evil.example",
        "file://",
        "https://evil.example:localhost",
    ],
)
async def test_origins_that_are_refused(wire: Wire, origin: str) -> None:
    assert (await ask(wire, "GET", "/live", Origin=origin)).status == 403


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:3000",
        "LocalHost:99",
        "127.0.0.1",
        "127.0.0.1:3000",
        "[::1]",
        "[::1]:3000",
        "pi.example.ts.net",
        "PI.example.ts.net",
        "pi.example.ts.net:443",
        "other.example:8443",
    ],
)
async def test_hosts_that_pass(wire: Wire, host: str) -> None:
    assert (await ask(wire, "GET", "/live", Host=host)).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "localhost:evil",
        "127.0.0.1.evil.example",
        "[::2]",
        "::1",
        "other.example",
        "pi.example.ts.net.evil.example",
        "0.0.0.0",  # noqa: S104 — a header's value
        "10.0.0.1:3000",
    ],
)
async def test_hosts_that_are_refused(wire: Wire, host: str) -> None:
    assert (await ask(wire, "GET", "/live", Host=host)).status == 421


async def test_a_request_without_a_host_is_refused(wire: Wire) -> None:
    pending = await wire.send("GET", "/live", version="1.0", headers={"Host": ""})

    assert (await pending.answer()).status == 421


@pytest.mark.parametrize(("name", "status"), [("Origin", 403), ("Host", 421)])
async def test_a_header_given_twice_does_not_hide_a_foreign_one(
    wire: Wire, name: str, status: int
) -> None:
    """Whichever of the two is looked at, the other one is foreign."""
    foreign = {"Origin": "https://evil.example", "Host": "evil.example"}[name]
    good = {"Origin": CONFIGURED, "Host": "localhost"}[name]

    first = await ask(wire, "GET", "/live", **{name: f"{good}\r\n{name}: {foreign}"})
    second = await ask(wire, "GET", "/live", **{name: f"{foreign}\r\n{name}: {good}"})

    assert {first.status, second.status} <= {status, 400}


async def test_a_long_origin_is_not_repeated_in_full(wire: Wire) -> None:
    answer = await ask(wire, "GET", "/live", Origin="https://" + "a" * 5000)

    assert answer.status == 403
    assert len(answer.body) < 500


@pytest.mark.parametrize("origin", [None, CONFIGURED])
async def test_initialize_with_and_without_an_allowed_origin(
    wire: Wire, origin: str | None
) -> None:
    params = {
        "protocolVersion": LEGACY,
        "capabilities": {},
        "clientInfo": {"name": "wire", "version": "1"},
    }
    headers = {} if origin is None else {"Origin": origin}

    answer = await (await wire.post("initialize", params, headers)).answer()

    assert answer.status == 200
    assert answer.message["result"]["protocolVersion"] == LEGACY


async def test_a_refused_request_opens_no_session(wire: Wire) -> None:
    params = {"protocolVersion": LEGACY, "capabilities": {}}

    answer = await (
        await wire.post("initialize", params, {"Origin": "https://evil.example"})
    ).answer()

    assert answer.status == 403
    assert "mcp-session-id" not in answer.headers


async def test_a_configured_host_in_a_file_passes(
    newest_cluster: ThrowawayCluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    config = tmp_path_factory.mktemp("config") / "config.toml"
    config.write_text('[http]\nallowed_hosts = ["db.home.arpa"]\n')
    arguments = ["--config", str(config)]
    with start_gateway(newest_cluster.environment(), arguments) as process:
        wire = Wire(process.url)

        assert (await ask(wire, "GET", "/live", Host="db.home.arpa")).status == 200
        assert (await ask(wire, "GET", "/live", Host="db.home.arpa:3000")).status == 200
        assert (await ask(wire, "GET", "/live", Origin="https://db.home.arpa")).status == 403


async def get_over_socket(path: Path) -> str:
    """Ask for the page for people as a proxy does."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer.decode()


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        pytest.param({"MCP_ALLOWED_ORIGINS": CONFIGURED}, f" pg {CONFIGURED}/mcp", id="published"),
        pytest.param({}, "another proxy publishes it", id="not published"),
    ],
)
async def test_the_page_on_a_socket_names_what_clients_can_reach(
    newest_cluster: ThrowawayCluster, tmp_path: Path, environment: dict[str, str], shown: str
) -> None:
    path = tmp_path / "s"
    arguments = ["--socket", str(path)]
    with start_gateway({**newest_cluster.environment(), **environment}, arguments):
        page = await get_over_socket(path)

    assert shown in page
    assert "http://localhost/mcp" not in page
    assert not path.exists()


async def test_another_gateways_socket_is_left_at_the_end(
    newest_cluster: ThrowawayCluster, tmp_path: Path
) -> None:
    path = tmp_path / "s"
    with start_gateway(newest_cluster.environment(), ["--socket", str(path)]) as process:
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
        process.stop()

    assert path.exists()


async def test_serve_warns_of_an_address_beyond_loopback(newest_cluster: ThrowawayCluster) -> None:
    arguments = ["--host", "0.0.0.0"]  # noqa: S104 — what it warns of
    with start_gateway(newest_cluster.environment(), arguments) as process:
        assert process.log.read_text().count("anybody who reaches that address may call") == 1


async def test_a_busy_pool_is_ready(settings: Settings) -> None:
    few = settings.pools.model_copy(update={"per_database": 1, "wait": timedelta(seconds=0.1)})
    gateway = Gateway(settings.model_copy(update={"pools": few}))

    async with gateway.running(), gateway.databases.bare(None):
        assert await gateway.readiness.why_not() is None
