"""
Errors of API keys and of sockets that systemd hands over.

Owns these stories beside those of `stories`; a story's name is its file's in errors/.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from pgmcp.errors import PgmcpError
from pgmcp.keys import KeyStore, new_key
from pgmcp.listeners import handed_over
from pgmcp.settings import Http, Identity
from tests.snapshots.world import World, story

DIGEST = "0" * 64


def told(work: Callable[[], object]) -> str:
    """Return what is printed of work that fails."""
    try:
        work()
    except PgmcpError as error:
        return "\n".join(error.lines())
    raise AssertionError("nothing failed")


def keys_of(text: str) -> str:
    """Return what is said of a file of keys that holds *text*."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "keys"
        file.write_text(text)
        return told(lambda: KeyStore(Identity(keys_file=file))).replace(folder, "/etc/pgmcp")


@story
async def key_of_an_odd_name(_world: World) -> str:
    return told(lambda: new_key("ana@example.com"))


@story
async def keys_with_a_malformed_line(_world: World) -> str:
    return keys_of(f"# who: CI\nci {DIGEST[:-1]}\n")


@story
async def keys_with_a_repeated_name(_world: World) -> str:
    return keys_of(f"ci {DIGEST}\nci {'1' * 64}\n")


@story
async def keys_that_are_missing(_world: World) -> str:
    return told(lambda: KeyStore(Identity(keys_file=Path("/nowhere/keys"))))


@story
async def keys_of_a_missing_credential(_world: World) -> str:
    return told(lambda: KeyStore(Identity(keys_credential="api-keys")))


def handed(name: str) -> str:
    """Return what is said of one socket that systemd hands over by that name."""
    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": name}
    return told(lambda: handed_over(environ, Http()))


@story
async def handed_over_socket_of_an_unknown_name(_world: World) -> str:
    return handed("http")
