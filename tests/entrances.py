"""
A gateway that is reached in three ways, and tailnets in front of it.

Owns the process and its folder until the block ends.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pgmcp.keys import new_key
from tests.process import GatewayProcess, start_gateway
from tests.tailnet import FQDN
from tests.wire import ACCEPT, Received, Wire

KEY, LINE = new_key("ci")
WRONG_KEY = "pgmcp_" + "x" * 43
BEARER = f"Bearer {KEY}"
LISTENERS = ["tcp", "local", "tailscale"]
ROUTES = ["/", "/live", "/ready", "/mcp", "/nowhere"]
RULES = """
[[access]]
who = "*"
permissions = "admin"
[[access]]
who = "local"
permissions = "admin"
"""


@dataclass(frozen=True, kw_only=True)
class Entrances:
    """Hold a gateway's addresses: three listeners, each with its own trust."""

    process: GatewayProcess
    folder: Path
    tcp: str
    local: str
    tailscale: str

    def url(self, listener: str) -> str:
        """Return the address of a listener by its name."""
        return str(getattr(self, listener))

    @property
    def log(self) -> str:
        """Return what the gateway has logged."""
        return self.process.log.read_text()


@contextmanager
def entrances(
    environment: Mapping[str, str], more: str = "", http: str = ""
) -> Iterator[Entrances]:
    """Run a gateway on all three listeners; *more* and *http* go into its configuration."""
    with tempfile.TemporaryDirectory(prefix="pgmcp-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "keys").write_text(f"{LINE}\n")
        config = folder / "pgmcp.toml"
        config.write_text(
            f"[http]\ntcp = true\nallowed_hosts = ['{FQDN}']\nsocket = '{folder}/local'\n"
            f"tailscale_socket = '{folder}/tailscale'\n{http}\n"
            f"[identity]\nkeys_file = '{folder}/keys'\n{more}\n"
        )
        with start_gateway(environment, ["--config", str(config)]) as process:
            yield Entrances(
                process=process,
                folder=folder,
                tcp=process.url,
                local=f"unix:{folder}/local",
                tailscale=f"unix:{folder}/tailscale",
            )


async def ask(url: str, path: str = "/", method: str = "GET", /, **lines: str) -> Received:
    """Send one request to a listener; _ in a header's name stands for a hyphen."""
    headers = {**ACCEPT, **{name.replace("_", "-"): value for name, value in lines.items()}}
    body = b"{}" if method == "POST" else b""
    return await Wire(url).request(method, path, headers=headers, body=body)


async def who_am_i(url: str, /, **lines: str) -> str:
    """Return the principal that the gateway takes a request for, as its page says."""
    page = await ask(url, "/", "GET", **lines)
    assert page.status == 200, page.body
    line = next(line for line in page.body.splitlines() if line.startswith("you are"))
    return line.removeprefix("you are").strip()
