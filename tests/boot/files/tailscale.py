"""Stands for the `tailscale` program: asks the stand-in for tailscaled, repeats its words."""

from __future__ import annotations

import json
import socket
import sys

AGENT = "/run/tailscale/tailscaled.sock"


def main() -> int:
    """Ask, and return the exit status that the real one would have."""
    with socket.socket(socket.AF_UNIX) as asking:
        try:
            asking.connect(AGENT)
        except OSError:
            sys.stderr.write(
                "failed to connect to local tailscaled; it doesn't appear to be running\n"
            )
            return 1
        asking.sendall(json.dumps(sys.argv[1:]).encode() + b"\n")
        for line in asking.makefile():
            said = json.loads(line)
            if "status" in said:
                return int(said["status"])
            stream = sys.stderr if said["is_error"] else sys.stdout
            stream.write(said["text"])
            stream.flush()
    return 1


if __name__ == "__main__":
    sys.exit(main())
