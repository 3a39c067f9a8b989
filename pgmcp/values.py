"""
What one setting may hold: durations, origins, ports, and the words for what they may not.

Owns the checks of single values; reads nothing, and knows no setting by its name.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Strict

MOST_SECONDS = 2_147_483  # PostgreSQL's own timeouts are milliseconds in 31 bits
LEAST_SECONDS = 0.001  # below a millisecond they would be 0, which means no limit
# PostgreSQL's own words for units of time.
UNITS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86_400}
DURATION = re.compile(rf"(?P<number>[0-9]+(?:\.[0-9]+)?) ?(?P<unit>{'|'.join(UNITS)})")
MOST_PORT = 65535
HOST = r"(?P<host>[\w.-]+|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?"
# systemd's own rule: the name of a file, which is also one of a list separated by colons.
CREDENTIAL = re.compile(r"(?!\.{1,2}$)[^/:\x00-\x1f\x7f]{1,255}")
DEFAULT_PORTS = {"http": "80", "https": "443"}  # browsers leave these out of an origin


def _seconds(given: object) -> object:
    if isinstance(given, timedelta):
        return given
    value = given
    if isinstance(given, str) and (found := DURATION.fullmatch(given.strip())) is not None:
        value = float(found["number"]) * UNITS[found["unit"]]
    if isinstance(value, bool) or not isinstance(value, int | float):
        # Pydantic turns a ValueError, and no TypeError, into its report.
        raise ValueError(  # noqa: TRY004
            f"{given!r} is no duration. Write seconds, such as 30, or a number and its unit: "
            f"'5min'. Units are {', '.join(UNITS)}."
        )
    if not LEAST_SECONDS <= value <= MOST_SECONDS:
        raise ValueError(
            f"{given!r} is out of range. Write a number of seconds from {LEAST_SECONDS} to "
            f"{MOST_SECONDS}."
        )
    return timedelta(seconds=value)


def _split(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _origin(value: str) -> str:
    if value == "*":
        raise ValueError("'*' would let every web page call. Write each origin by its name.")
    found = re.fullmatch(rf"(?P<scheme>https?)://{HOST}/?", value.lower(), re.ASCII)
    if found is None or int(found["port"] or 0) > MOST_PORT:
        host = re.match(rf"(?:\w+://)?{HOST}", value.lower(), re.ASCII)
        example = host["host"] if host else "pi.example.ts.net"
        raise ValueError(f"{value!r} is no origin. Write https://{example}.")
    port = found["port"]
    is_plain = not port or port == DEFAULT_PORTS[found["scheme"]]
    return f"{found['scheme']}://{found['host']}" + ("" if is_plain else f":{port}")


def _public_url(value: str) -> str:
    try:
        return _origin(value)
    except ValueError:
        raise ValueError(
            f"{value!r} is no address of a gateway. Write scheme and host and nothing behind them, "
            "such as https://pi.example.ts.net; /mcp is added for clients"
        ) from None


def _host_name(value: str) -> str:
    if not re.fullmatch(HOST, value.lower(), re.ASCII):
        raise ValueError(f"{value!r} is no host name. Write it without scheme and path.")
    return value.lower()


def is_credential(value: object) -> bool:
    """Tell whether *value* can name a credential of systemd: never a path to another file."""
    return isinstance(value, str) and CREDENTIAL.fullmatch(value) is not None


def _credential(value: str) -> str:
    if is_credential(value):
        return value
    raise ValueError(
        f"{value!r} is no name of a credential. Write the NAME of LoadCredential=NAME:FILE, "
        "without slash and colon"
    )


# A text or a number is no boolean and no text a number: a guess could widen what is allowed.
Truth = Annotated[bool, Strict()]
WholeNumber = Annotated[int, Strict()]
Credential = Annotated[str, AfterValidator(_credential)]
# A bare number is seconds: a file may say `idle = 300` or `idle = "5min"`.
Seconds = Annotated[timedelta, BeforeValidator(_seconds)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_split)]
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_host_name)], ...], BeforeValidator(_split)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]


def ports(value: object, *, hosts: int) -> str:
    """Check libpq's list of ports, one for all *hosts* or one for each, and return it bare."""
    found = [part.strip() for part in str(value).split(",")]
    for port in found:
        if not re.fullmatch("[0-9]{1,5}", port) or not 1 <= int(port) <= MOST_PORT:
            raise ValueError(f"{port!r} is no port. Write a number from 1 to {MOST_PORT}.")
    if len(found) not in (1, hosts):
        raise ValueError(
            f"{len(found)} ports for {hosts} hosts. Write one for all, or one for each."
        )
    return ",".join(found)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches *host*; any name but localhost may be elsewhere."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
