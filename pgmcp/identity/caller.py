"""
The nouns: Caller, who it is; Arrival, where the connection came in; Refused, why it may not.

Owns their form; reads no header.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ListenerKind = Literal["tcp", "local", "tailscale"]
UNIX = "unix"  # the address of who comes through a Unix socket


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """
    Name who calls.

    *principal* carries its kind: `tailscale:ana@example.com`, `key:ci`, `node:100.64.0.9` for a
    peer without a login, `local` for who called this machine's listener directly, `proxied` for
    what came from elsewhere and nobody here has checked. *address* is where it came from;
    *capabilities* is the JSON object that tailscale serve passed on, or nothing.
    """

    principal: str
    address: str = ""
    capabilities: str = ""
    full_name: str = field(default="", compare=False)  # for people; decides nothing

    @property
    def kind(self) -> str:
        """Return what sort of principal it is: tailscale, key, node, local or proxied."""
        return self.principal.partition(":")[0]

    @property
    def name(self) -> str:
        """Return the login, the key's name or the node's address; empty for local and proxied."""
        return self.principal.partition(":")[2]


LOCAL = Caller(principal="local")
PROXIED = Caller(principal="proxied")


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """
    Say where a connection came in, as the operating system tells it.

    *trusts_headers* is the listener's: whoever reaches it may say who the caller is. *uid* is the
    peer's on a Unix socket, where the system tells. The defaults are a stranger's.
    """

    listener: ListenerKind = "tcp"
    trusts_headers: bool = False
    address: str = ""
    is_here: bool = False
    uid: int | None = None

    @classmethod
    def over_tcp(cls, peer: str, own: str, *, trusts_headers: bool = False) -> Arrival:
        """Return a TCP connection's, from *peer* to our address *own*."""
        return cls(trusts_headers=trusts_headers, address=peer, is_here=_is_this_machine(peer, own))

    @classmethod
    def over_unix(cls, *, uid: int | None, is_tailscale: bool) -> Arrival:
        """Return a Unix socket's, whose peer runs as *uid*."""
        return cls(
            listener="tailscale" if is_tailscale else "local",
            trusts_headers=is_tailscale,
            address=UNIX,
            is_here=True,
            uid=uid,
        )


def _is_this_machine(peer: str, own: str) -> bool:
    """Tell whether a TCP connection from *peer* to the address *own* never left the machine."""
    if peer == own:
        return True
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    # A socket that listens on both families shows IPv4 peers as ::ffff:127.0.0.1.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


class Refused(Exception):
    """
    Carry the HTTP status and the sentence for who may not call.

    *reason* is the journal's, by default how the sentence begins; None keeps it out of there.
    """

    def __init__(
        self,
        status: int,
        sentence: str,
        headers: Mapping[str, str] | None = None,
        *,
        reason: str | None = "",
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = dict(headers or {})
        self.reason = sentence.partition(". ")[0] if reason == "" else reason
