"""
The gateway as its callers reach it: by the socket for tailscaled, or by the local one.

Owns nothing that lasts. Root plays tailscaled here, so it may say who calls.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.boot.inside.machine import prop, until
from tests.tailnet import FQDN
from tests.wire import Received, Wire

TAILSCALE, LOCAL = "/run/pgmcp.sock", "/run/pgmcp-local.sock"
HANDLE = re.compile(r"tx_[A-Za-z0-9_-]{22}")
FORWARDED = {
    "X-Forwarded-Host": FQDN,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "100.64.0.1",
}


@cache
def configuration() -> Mapping[str, Any]:  # Any: JSON
    """Return the file that the unit names."""
    found = re.search(r"--config (\S+)", prop("ExecStart"))
    assert found is not None
    return dict(json.loads(Path(found[1]).read_text()))


def login_with(permissions: str) -> str:
    """Return a login to which the rules give *permissions* on every database."""
    for rule in configuration()["access"]:
        logins = [who for who in rule["who"] if "@" in who or who == "*"]
        if logins and rule["permissions"] == permissions and "*" in rule["databases"]:
            return str(logins[0]).replace("*", "somebody@example.com")
    raise AssertionError(f"no rule of {configuration()['access']} gives {permissions}")


def wire(login: str = "", socket: str = TAILSCALE, **lines: str) -> Wire:
    """Return a way in; without *login* nobody is named. _ in a header's name is a hyphen."""
    named = {"Tailscale-User-Login": login} if login else {}
    forwarded = FORWARDED if socket == TAILSCALE else {}
    more = {name.replace("_", "-"): value for name, value in lines.items()}
    return Wire(f"unix:{socket}", {**forwarded, **named, **more})


async def get(path: str, **who: str) -> Received:
    """Ask for a page."""
    return await wire(**who).request("GET", path)


async def answers(path: str = "/live") -> bool:
    """Tell whether the gateway answers 200 at *path*."""
    try:
        return (await get(path)).status == 200
    except OSError:
        return False


async def call(tool: str, /, *, login: str = "", **arguments: object) -> str:
    """Call a tool as somebody who may do everything, unless *login* says who; return its text."""
    caller = wire(login or login_with("admin"))
    answer = await (await caller.modern(tool, **arguments)).answer()
    assert answer.status == 200, answer.body
    return answer.text


async def begin(mode: str) -> str:
    """Begin a transaction and return its handle."""
    text = await call("pg_tx", action="begin", mode=mode)
    found = HANDLE.search(text)
    assert found is not None, text
    return found[0]


async def is_ready() -> None:
    """Wait until the gateway answers and PostgreSQL answers it."""
    await until(lambda: answers("/ready"), "/ready answers 200")
