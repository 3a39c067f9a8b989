"""
What `tailscale serve` says of its peer, read from the headers that it sets and strips.

Owns their decoding. Only for a listener that nobody but tailscaled reaches: anybody can write them.
"""

from __future__ import annotations

import ipaddress
import json
import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header

from pgmcp.identity.caller import Caller, Refused
from pgmcp.identity.headers import Headers

LOGIN = "tailscale-user-login"
NAME = "tailscale-user-name"
CAPABILITIES = "tailscale-app-capabilities"
FUNNEL = "tailscale-funnel-request"
FROM = "x-forwarded-for"
MOST_CHARACTERS = 255  # of a login; an e-mail address has at most 254
# No space and no quote, so that a line of the journal can hold it; no colon, because kinds end
# with one; no *, because that is everybody.
ODD = re.compile(r'[\s":*\\]')


def read_peer(headers: Headers) -> Caller:
    """
    Return the peer that tailscale serve vouches for.

    Tagged nodes, the machine itself and peers from outside have no login: their address names
    them, and their capabilities what they may do.

    Raises:
        Refused: a header is not as tailscaled writes it.
    """
    address = read_address(headers)
    login = _decoded(headers, LOGIN)
    if len(login) > MOST_CHARACTERS or ODD.search(login) or not login.isprintable():
        raise Refused(
            400,
            f"Tailscale-User-Login is {len(login)} characters of which some are spaces, quotes, "
            f"colons, * or not printable. A login has at most {MOST_CHARACTERS} others.",
        )
    return Caller(
        principal=f"tailscale:{login}" if login else f"node:{address}",
        address=address,
        capabilities=_capabilities(headers),
        full_name=_printable(_decoded(headers, NAME)),
    )


def read_address(headers: Headers) -> str:
    """
    Return the peer's address; what stands before the last comma, the peer may have written.

    Raises:
        Refused: there is none.
    """
    given = headers.one(FROM) or ""
    try:
        return str(ipaddress.ip_address(given.rpartition(",")[2].strip()))
    except ValueError as error:
        raise Refused(
            400,
            "X-Forwarded-For holds no address, so nobody knows who calls. tailscale serve sends "
            "it; what else stands in front must, too.",
        ) from error


def _capabilities(headers: Headers) -> str:
    text = _decoded(headers, CAPABILITIES)
    if not text:
        return ""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise Refused(
            400,
            "Tailscale-App-Capabilities is no JSON object. tailscale serve sends one, by "
            "--accept-app-caps.",
        )
    return text


def _decoded(headers: Headers, name: str) -> str:
    """Return a value as it was before tailscaled wrote it in RFC 2047's words."""
    value = headers.one(name) or ""
    if "=?" not in value and value.isascii():
        return value
    try:
        value.encode("ascii")
        return str(make_header(decode_header(value)))
    except (ValueError, LookupError, HeaderParseError) as error:
        raise Refused(
            400, f"{name} is not ASCII or does not decode by RFC 2047, as tailscaled writes it."
        ) from error


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text[:MOST_CHARACTERS])
