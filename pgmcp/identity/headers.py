"""
The headers of one request, by lower-case name, with every repetition kept.

Owns the view on them; believes none.
"""

from __future__ import annotations

from collections.abc import Iterable

from pgmcp.identity.caller import Refused

# What a proxy adds: Forwarded is RFC 7239, the others are Tailscale's and everybody's.
FORWARDING = ("forwarded", "x-forwarded-", "tailscale-")


class Headers:
    """Look up what a request says of itself."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in raw:
            found = self._values.setdefault(name.decode("latin-1").lower(), [])
            found.append(value.decode("latin-1"))

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def one(self, name: str) -> str | None:
        """
        Return the value of *name*, None where it is missing.

        Raises:
            Refused: it is there twice. What is checked here need not be what somebody behind reads.
        """
        values = self._values.get(name, [])
        if len(values) > 1:
            raise Refused(400, f"The request has {len(values)} {name} headers. Send one.")
        return values[0] if values else None

    @property
    def are_forwarded(self) -> bool:
        """Tell whether something stood in between, or claims to."""
        return any(name.startswith(FORWARDING) for name in self._values)
