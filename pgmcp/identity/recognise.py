"""
From a request to its Caller: a key, else what tailscaled says, else where it came in.

Owns the order of these; never asks what the caller wants.
"""

from __future__ import annotations

import re
from dataclasses import replace

from pgmcp.clock import Clock
from pgmcp.identity.attempts import Attempts
from pgmcp.identity.caller import LOCAL, PROXIED, Arrival, Caller, Refused
from pgmcp.identity.headers import Headers
from pgmcp.identity.tailscale import read_address, read_peer
from pgmcp.keys import KeyStore
from pgmcp.settings import Settings

BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="pgmcp"'}


class Recognition:
    """Recognise callers; holds the keys and the count of wrong ones."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        """
        Read the keys.

        Raises:
            CallerError: the file of keys cannot be read or has a malformed line.
        """
        self._keys = KeyStore(settings.identity)
        self._attempts = Attempts(clock or Clock())
        self._has_rules = settings.has_rules

    def identify(self, headers: Headers, arrival: Arrival) -> Caller:
        """
        Return who calls.

        Raises:
            Refused: the key is wrong, a header is malformed, or nobody vouches for the caller.
        """
        is_vouched = arrival.trusts_headers and headers.are_forwarded
        given = headers.one("authorization")
        if given is not None:
            address = read_address(headers) if is_vouched else arrival.address
            return self._by_key(given, address)
        if is_vouched:
            return read_peer(headers)
        if arrival.is_here and not headers.are_forwarded:
            return replace(LOCAL, address=arrival.address)
        if self._has_rules:
            raise Refused(
                403,
                "Nobody vouches for this request: it came through a proxy or from another machine "
                "to a listener that believes no header, and there are access rules. Send an API "
                "key as Authorization: Bearer, or publish http.tailscale_socket by tailscale serve "
                "instead.",
            )
        return replace(PROXIED, address=arrival.address)

    def _by_key(self, given: str, address: str) -> Caller:
        """Return the key's caller; a wrong one never becomes anybody else."""
        found = BEARER.fullmatch(given)
        name = self._keys.name_of(found[1]) if found else None
        if name is not None:
            return Caller(principal=f"key:{name}", address=address)
        verdict = self._attempts.count(address)
        if verdict.is_too_many:
            told = "too many wrong keys; further ones are not told for a minute"
            raise Refused(
                429,
                f"Too many wrong API keys came from {address}. Try again in "
                f"{verdict.retry_seconds} s; a right key is never made to wait.",
                {"Retry-After": str(verdict.retry_seconds)},
                reason=told if verdict.is_to_be_told else None,
            )
        raise Refused(
            401,
            "Authorization holds no API key of this gateway. Send Authorization: Bearer and a key "
            "that pgmcp key new printed, or leave the header out to be known by the tailnet.",
            CHALLENGE,
            reason="a wrong key",
        )
