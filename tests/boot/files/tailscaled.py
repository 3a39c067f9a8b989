"""
Stands for tailscaled: its state is a file, its words are those of the real `tailscale` program.

Written after tailscale/tailscale: cmd/tailscale/cli/serve_v2.go and serve_legacy.go, ipn/serve.go.
The state has BackendState, https (whether the tailnet has certificates on) and serve (serve.json,
null at first). Every call is appended to calls.log beside it.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from typing import Any

AGENT = "/run/tailscale/tailscaled.sock"
STATE = Path("/var/lib/tailscale/stand-in.json")
NAME = "pi.example.ts.net"
FIRST = {"BackendState": "Running", "https": True, "serve": None}
WORDS = {"NeedsLogin": "Logged out.", "Stopped": "Tailscale is stopped."}
VALUED = ("https", "http", "set-path", "accept-app-caps")
CREDENTIALS = struct.Struct("3i")  # pid, uid, gid
Json = dict[str, Any]  # Any: JSON
Say = Callable[[str], None]


class Refused(Exception):
    """The program would print this and end with status 1."""


def read() -> Json:
    """Return the state as it is now; tests change it."""
    return dict(json.loads(STATE.read_text())) if STATE.exists() else dict(FIRST)


def write(**changed: object) -> None:
    """Change the state."""
    fresh = STATE.with_suffix(".new")
    fresh.write_text(json.dumps({**read(), **changed}))
    fresh.rename(STATE)


def require_running() -> None:
    """Refuse as long as nobody has logged in."""
    state = read()["BackendState"]
    if state != "Running":
        raise Refused(WORDS.get(state, state))


def require_root(uid: int) -> None:
    """Refuse what tailscaled lets nobody else do."""
    if uid != 0:
        raise Refused("Access denied: serve config denied\n\nUse 'sudo tailscale serve'.")


def status(arguments: list[str], say: Say) -> None:
    """Print what `tailscale status` does; as JSON without a login, too."""
    if "--json" not in arguments:
        require_running()
        say("100.64.0.7  pi  ana@  linux  -\n")
        return
    state = read()
    runs = state["BackendState"] == "Running"
    has_https = runs and state["https"]
    self = {"DNSName": f"{NAME}." if runs else "", "CapMap": {"https": None} if has_https else {}}
    said = {
        "Version": "1.98.8",
        "BackendState": state["BackendState"],
        "Self": self,
        "MagicDNSSuffix": NAME.partition(".")[2] if runs else "",
        "CertDomains": [NAME] if has_https else None,
    }
    say(json.dumps(said, indent=2) + "\n")


def require_https(say: Say) -> None:
    """Wait for a person in the admin console, as the real one does."""
    if read()["https"]:
        return
    say("\nServe is not enabled on your tailnet.\nTo enable, visit:\n\n")
    say("         https://login.tailscale.com/f/serve?node=n123CNTRL\n\n")
    while not read()["https"]:
        time.sleep(0.2)
    say("Success.\n")


def parse(arguments: list[str]) -> tuple[dict[str, str], str]:
    """Split flags from the target."""
    flags, rest = {}, list(arguments)
    while rest and rest[0].startswith("--"):
        name, _, value = rest.pop(0)[2:].partition("=")
        if name not in (*VALUED, "bg", "yes"):
            raise Refused(f"flag provided but not defined: -{name}")
        flags[name] = value or (rest.pop(0) if name in VALUED and rest else "true")
    if len(rest) != 1:
        raise Refused("error: invalid number of arguments")
    return flags, rest[0]


def serve(arguments: list[str], say: Say) -> None:
    """Put something up or take it off."""
    require_running()
    flags, target = parse(arguments)
    port, scheme = flags.get("http") or flags.get("https") or "443", "HTTPS"
    if "http" in flags:
        scheme = "HTTP"
    config, at, path = read()["serve"] or {}, f"{NAME}:{port}", flags.get("set-path", "/")
    handlers = config.get("Web", {}).get(at, {}).get("Handlers", {})
    if target == "off":
        # Without --set-path everything at the port goes.
        if not handlers or ("set-path" in flags and path not in handlers):
            raise Refused("error: failed to remove web serve: handler does not exist")
        handlers.pop(path, None)
        if not handlers or "set-path" not in flags:
            del config["Web"][at], config["TCP"][port]
    else:
        if scheme == "HTTPS":
            require_https(say)
        if flags.get("bg") != "true":
            raise Refused("stand-in: without --bg the real one stays in the foreground")
        if config.get("TCP", {}).get(port, {scheme: True}) != {scheme: True}:
            raise Refused(f"error: want to serve {scheme} but port is already serving another")
        handler: Json = {"Proxy": target}
        if "accept-app-caps" in flags:
            handler["AcceptAppCaps"] = flags["accept-app-caps"].split(",")
        config.setdefault("TCP", {})[port] = {scheme: True}
        config.setdefault("Web", {}).setdefault(at, {"Handlers": {}})["Handlers"][path] = handler
        config.get("AllowFunnel", {}).pop(at, None)
        say("Available within your tailnet:\n\nServe started and running in the background.\n")
    write(serve={key: value for key, value in config.items() if value})


def obey(arguments: list[str], say: Say) -> None:
    """Do what one call of the program does."""
    with STATE.with_name("calls.log").open("a") as log:
        log.write(" ".join(arguments) + "\n")
    if arguments[:1] == ["status"]:
        status(arguments[1:], say)
    elif arguments[:2] == ["serve", "status"] and "--json" in arguments:
        say(json.dumps(read()["serve"], indent=2) + "\n")
    elif arguments == ["serve", "reset"]:
        write(serve={})
    elif arguments[:1] == ["serve"]:
        serve(arguments[1:], say)
    else:
        raise Refused(f"tailscale: unknown subcommand: {' '.join(arguments)}")


class Agent(StreamRequestHandler):
    """Answer one call."""

    def handle(self) -> None:
        """Obey root alone, as tailscaled does."""
        asked = self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
        try:
            require_root(CREDENTIALS.unpack(asked)[1])
            obey(json.loads(self.rfile.readline()), lambda text: self.say(text, is_error=False))
        except Refused as error:
            self.say(f"{error}\n", is_error=True)
            self.send(status=1)
        else:
            self.send(status=0)

    def say(self, text: str, *, is_error: bool) -> None:
        """Let the program print *text*."""
        self.send(text=text, is_error=is_error)

    def send(self, **said: object) -> None:
        """Send one message."""
        self.wfile.write(json.dumps(said).encode() + b"\n")


if __name__ == "__main__":
    with (
        ThreadingUnixStreamServer(AGENT, Agent) as server,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
    ):
        systemd.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
        server.serve_forever()
