"""
A gateway with two callers that have a key each, and its limits as a test wants them.

Owns the process and its configuration until the block ends.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pgmcp.keys import new_key
from tests.process import GatewayProcess, start_gateway
from tests.wire import Wire

NAMES = ("greedy", "polite")


@dataclass(frozen=True, kw_only=True)
class Callers:
    """Hold a running gateway and what each of its callers sends along."""

    process: GatewayProcess
    headers: Mapping[str, Mapping[str, str]]

    def wire(self, name: str) -> Wire:
        """Return the way in of one caller."""
        return Wire(self.process.url, self.headers[name])

    @property
    def greedy(self) -> Wire:
        """Return the way in of the caller that asks for too much."""
        return self.wire("greedy")

    @property
    def polite(self) -> Wire:
        """Return the way in of the other one."""
        return self.wire("polite")


@contextmanager
def callers(
    environment: Mapping[str, str], sections: str = "", *, rule: str = ""
) -> Iterator[Callers]:
    """Run a gateway; *sections* go into its configuration, *rule* into the greedy one's rule."""
    keys = {name: new_key(name) for name in NAMES}
    with tempfile.TemporaryDirectory(prefix="pgmcp-") as name:
        folder = Path(name)
        (folder / "keys").write_text("".join(f"{line}\n" for _, line in keys.values()))
        config = folder / "pgmcp.toml"
        config.write_text(
            f"{sections}\n[identity]\nkeys_file = '{folder}/keys'\n"
            f"[[access]]\nwho = 'key:greedy'\npermissions = 'admin'\n{rule}\n"
            "[[access]]\nwho = 'key:polite'\npermissions = 'admin'\n"
        )
        with start_gateway(environment, ["--config", str(config)]) as process:
            yield Callers(
                process=process,
                headers={who: {"Authorization": f"Bearer {key}"} for who, (key, _) in keys.items()},
            )
