"""
Call tools of a gateway by hand, from a test's machine: `pgmcp-call URL TOOL JSON [TOOL JSON]…`.

URL may be unix:PATH. In the JSON `@` stands for the handle that an earlier call returned. Prints
the texts of the answers; the status is 1 at the first error. `--hold` stays until it is killed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable

from tests.wire import Pending, Wire

HANDLE = re.compile(r"tx_[A-Za-z0-9_-]{22}")
PEER = "100.64.0.1"  # an address of the tailnet
MOST_SECONDS = 900  # of --hold and of one answer; tests kill this program long before

type_of_call = Callable[..., Awaitable[Pending]]


async def perform(options: argparse.Namespace) -> int:
    """Make the calls one after the other."""
    headers = {}
    if options.login:
        headers = {"Tailscale-User-Login": options.login, "X-Forwarded-For": PEER}
    if options.key:
        headers["Authorization"] = f"Bearer {options.key}"
    wire = Wire(options.url, headers)
    by: type_of_call = wire.modern
    if options.legacy:
        by = (await wire.initialize()).call
    handle, status = "@", 0
    for tool, given in zip(options.calls[::2], options.calls[1::2], strict=True):
        arguments = {
            name: handle if value == "@" else value for name, value in json.loads(given).items()
        }
        status, text = await answered(await by(tool, **arguments))
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        if found := HANDLE.search(text):
            handle = found[0]
        if status:
            break
    if options.hold:
        await asyncio.sleep(MOST_SECONDS)
    return status


async def answered(pending: Pending) -> tuple[int, str]:
    """Return 1 and the text of a refusal, or 0 and the text of an answer."""
    received = await pending.answer()
    ok = 200
    if received.status != ok:
        return 1, f"HTTP {received.status}: {received.body}"
    result = received.message.get("result")
    if result is None:
        return 1, received.body
    return int(bool(result.get("isError"))), received.text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="pgmcp-call", description=__doc__)
    parser.add_argument("--login", help="who tailscaled would say that it is")
    parser.add_argument("--key", help="an API key")
    parser.add_argument("--legacy", action="store_true", help="a session of revision 2025-11-25")
    parser.add_argument("--hold", action="store_true", help="stay until killed")
    parser.add_argument("url")
    parser.add_argument("calls", nargs="+", metavar="TOOL JSON")
    sys.exit(asyncio.run(perform(parser.parse_args())))
