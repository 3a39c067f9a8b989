"""
A fake `tailscale serve`: strips what a client may not say, and says who the peer is.

Owns its listening port and its connections to the gateway. Written after Tailscale's
ipn/ipnlocal/serve.go; the peer is chosen by the header X-Fake-Peer, which goes no further.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

FQDN = "pi.example.ts.net"
CAPABILITY = "example.com/cap/pgmcp"
WORD = 75  # characters of one encoded word, after which Go begins another
BEFORE, AFTER = "=?utf-8?q?", "?="
HOP_BY_HOP = {
    "connection",
    "proxy-connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
STRIPPED = {
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "tailscale-user-login",
    "tailscale-user-name",
    "tailscale-user-profile-pic",
    "tailscale-headers-info",
    "tailscale-funnel-request",
    "tailscale-app-capabilities",
    "x-fake-peer",
}
Lines = list[tuple[str, str]]
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Be somebody on the tailnet; without *login* a tagged node, or nobody it knows."""

    address: str
    login: str = ""
    name: str = ""
    capabilities: Mapping[str, str] = field(default_factory=dict)  # name → JSON array
    is_funnel: bool = False


READER = '[{"databases": ["*"], "permissions": ["read"]}]'
PEERS = {
    "ana": Peer(
        address="100.64.0.1",
        login="ana@example.com",
        name="Ana Example",
        capabilities={CAPABILITY: READER},
    ),
    "ferris": Peer(
        address="100.64.0.2",
        login="ferris@example.com",
        name="Ferris ü",
        capabilities={CAPABILITY: READER, "example.com/cap/other": "[{}]"},
    ),
    "bob": Peer(
        address="100.64.0.3",
        login="bob@example.com",
        name="Bob",
        capabilities={"example.com/cap/other": "[{}]"},
    ),
    "zoë": Peer(
        address="100.64.0.4",
        login="zoë.ångström.with.a.name.so.long.that.go.splits.it@bücher.example",
        name="Zoë",
    ),
    "tagged": Peer(address="100.64.0.9", capabilities={CAPABILITY: READER}),
    "six": Peer(address="fd7a:115c:a1e0::9", capabilities={CAPABILITY: READER}),
    "outside": Peer(address="203.0.113.5"),
    "funnel": Peer(address="203.0.113.6", is_funnel=True),
}


def encode(text: str) -> str:
    """Encode as Go's mime.QEncoding does: ASCII stays, the rest is words of at most 75."""
    if text.isascii() and text.isprintable():
        return text
    words, word = [], ""
    for character in text:
        piece = "".join(_quoted(byte) for byte in character.encode())
        if len(BEFORE + word + piece + AFTER) > WORD:
            words.append(word)
            word = ""
        word += piece
    return " ".join(f"{BEFORE}{each}{AFTER}" for each in [*words, word])


def _quoted(byte: int) -> str:
    if byte == ord(" "):
        return "_"
    is_plain = ord("!") <= byte <= ord("~") and chr(byte) not in "=?_"
    return chr(byte) if is_plain else f"={byte:02X}"


@dataclass(kw_only=True)
class Tailnet:
    """Proxy to *target*: `http://HOST:PORT`, or `unix:/PATH`."""

    target: str
    fqdn: str = FQDN
    tls: bool = True
    accept_app_caps: Sequence[str] | None = (CAPABILITY,)
    keeps_alive: bool = True
    url: str = ""
    opened: int = 0  # connections to the gateway, all told
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client's connection, request by request."""
        early = b""  # of the next request, read while the answer to the last was awaited
        try:
            while head := early + await reader.readuntil(b"\r\n\r\n"):
                early = await self._proxy(head, reader, writer)
                if b"\r\nconnection: close\r\n" in head.lower():
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def rewrite(self, lines: Iterable[tuple[str, str]]) -> Lines:
        """Return the headers that the gateway gets for those of a client."""
        given = [(name, value.strip(" \t")) for name, value in lines]
        found = {name.lower(): value for name, value in given}
        peer = PEERS[found.get("x-fake-peer", "ana").encode("latin-1").decode()]
        listed = found.get("connection", "").lower().split(",")
        gone = HOP_BY_HOP | STRIPPED | {each.strip() for each in listed} | {"host"}
        kept = [(name, value) for name, value in given if name.lower() not in gone]
        host = found.get("host", FQDN)
        kept.append(("Host", "localhost" if self.target.startswith("unix:") else host))
        kept += [("X-Forwarded-Host", host), ("X-Forwarded-For", peer.address)]
        if self.tls:
            kept.append(("X-Forwarded-Proto", "https"))
        return kept + self._identity(peer)

    def _is_served(self, lines: Lines) -> bool:
        """Under TLS tailscaled has one name; a browser's Host is the name it asked for by SNI."""
        host = next((value.strip() for name, value in lines if name.lower() == "host"), "")
        return host.lower().partition(":")[0] == self.fqdn

    def _identity(self, peer: Peer) -> Lines:
        if peer.is_funnel:
            return [("Tailscale-Funnel-Request", "?1")]
        lines: Lines = []
        if peer.login:
            lines += [
                ("Tailscale-User-Login", encode(peer.login)),
                ("Tailscale-User-Name", encode(peer.name)),
                ("Tailscale-User-Profile-Pic", "https://example.com/picture.png"),
                ("Tailscale-Headers-Info", "https://tailscale.com/s/serve-headers"),
            ]
        if self.accept_app_caps is not None and peer.capabilities:
            accepted = self.accept_app_caps
            parts = [
                f'"{cap}":{value}' for cap, value in peer.capabilities.items() if cap in accepted
            ]
            lines.append(("Tailscale-App-Capabilities", encode("{" + ",".join(parts) + "}")))
        return lines

    async def _proxy(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes:
        request, *lines = head.decode("latin-1").strip("\r\n").split("\r\n")
        given = [(name, value) for name, _, value in (line.partition(":") for line in lines)]
        if not self._is_served(given):
            writer.write(NOT_FOUND)
            raise ConnectionResetError
        length = next((int(value) for name, value in given if name.lower() == "content-length"), 0)
        body = await reader.readexactly(length)
        sent = "".join(f"{name}: {value}\r\n" for name, value in self.rewrite(given))
        backend = await self._connect()
        watching = asyncio.create_task(reader.read(1))
        passing = asyncio.create_task(self._pass_back(backend[0], writer, request))
        try:
            backend[1].write(f"{request}\r\n{sent}\r\n".encode("latin-1") + body)
            await asyncio.wait({watching, passing}, return_when=asyncio.FIRST_COMPLETED)
            has_gone = watching.done() and not watching.result()
            may_stay = not has_gone and await passing
        except BaseException:
            backend[1].transport.abort()  # wholly: half a close would be no cancellation
            raise
        finally:
            passing.cancel()
            watching.cancel()
            await asyncio.wait({watching, passing})
        if has_gone:
            backend[1].transport.abort()
            raise ConnectionResetError
        if self.keeps_alive and may_stay:
            self._idle.append(backend)
        else:
            backend[1].close()
        return b"" if watching.cancelled() else watching.result()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        self.opened += 1
        if self.target.startswith("unix:"):
            return await asyncio.open_unix_connection(self.target.removeprefix("unix:"))
        parts = urlsplit(self.target)
        return await asyncio.open_connection(parts.hostname, parts.port)

    async def _pass_back(
        self, backend: asyncio.StreamReader, client: asyncio.StreamWriter, request: str
    ) -> bool:
        """Pass the answer on as it comes; return whether the connection may serve another."""
        head = await backend.readuntil(b"\r\n\r\n")
        client.write(head)
        names = dict(
            line.lower().split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:-2]
        )
        if names.get("transfer-encoding") == "chunked":
            while True:
                size = await backend.readline()
                chunk = await backend.readexactly(int(size, 16) + 2)
                client.write(size + chunk)
                await client.drain()
                if int(size, 16) == 0:
                    break
        elif not request.startswith("HEAD"):
            client.write(await backend.readexactly(int(names.get("content-length", 0))))
        await client.drain()
        return names.get("connection") != "close"

    def close(self) -> None:
        """Close the connections that are kept."""
        for _, writer in self._idle:
            writer.close()


@asynccontextmanager
async def tailscale_serve(
    target: str,
    *,
    fqdn: str = FQDN,
    tls: bool = True,
    accept_app_caps: Sequence[str] | None = (CAPABILITY,),
    keeps_alive: bool = True,
) -> AsyncIterator[Tailnet]:
    """Publish *target* on a free port of loopback while the block runs."""
    tailnet = Tailnet(
        target=target,
        fqdn=fqdn,
        tls=tls,
        accept_app_caps=accept_app_caps,
        keeps_alive=keeps_alive,
    )
    server = await asyncio.start_server(tailnet.handle, "127.0.0.1", 0)
    tailnet.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
    try:
        yield tailnet
    finally:
        tailnet.close()
        server.close()
