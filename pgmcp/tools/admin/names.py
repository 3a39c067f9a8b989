"""
Names that callers give: their length checked, SQL's way of writing them read.

Owns the reading of identifiers; never asks the server.
"""

from __future__ import annotations

import re

from pgmcp.database.quote import identifier
from pgmcp.errors import CallerError

NAME_BYTES = 63  # NAMEDATALEN - 1; PostgreSQL cuts longer names with no more than a notice
IDENTIFIER = re.compile(r'"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[^\W\d][\w$]*)')


def check_length(parameter: str, name: str) -> None:
    """
    Refuse a name that PostgreSQL would cut, and then perhaps take for another one.

    Raises:
        CallerError: it is longer than PostgreSQL keeps.
    """
    size = len(name.encode())
    if size > NAME_BYTES:
        raise CallerError(
            f"{parameter} has {size} bytes; PostgreSQL keeps {NAME_BYTES} of a name. "
            "Give a shorter one."
        )


def confirmable(name: str) -> str:
    """Return *name* as `confirm` is compared: spaces around commas and at the ends do not count."""
    return ",".join(part.strip() for part in name.split(","))


def take_identifier(text: str) -> tuple[str, str] | None:
    """
    Read one identifier at the start of *text* by SQL's rules; return it and what follows.

    In double quotes it is as it stands, else ASCII letters are folded to lower case.
    """
    found = IDENTIFIER.match(text)
    if found is None:
        return None
    if found["quoted"] is not None:
        name = found["quoted"].replace('""', '"')
    else:
        name = "".join(letter.lower() if letter.isascii() else letter for letter in found["plain"])
    return name, text[found.end() :]


def take_qualified(text: str) -> tuple[tuple[str, ...], str] | None:
    """Read `name` or `schema.name` at the start of *text*; return the parts and what follows."""
    first = take_identifier(text)
    if first is None:
        return None
    name, rest = first
    if not rest.startswith("."):
        return (name,), rest
    second = take_identifier(rest[1:])
    return None if second is None else ((name, second[0]), second[1])


def take_list(text: str) -> tuple[str, ...] | None:
    """Read identifiers separated by commas, which must fill *text*."""
    names: list[str] = []
    rest = text.strip()
    while (found := take_identifier(rest)) is not None:
        names.append(found[0])
        rest = found[1].lstrip()
        if not rest:
            return tuple(names)
        if not rest.startswith(","):
            return None
        rest = rest[1:].lstrip()
    return None


def written(parts: tuple[str, ...]) -> str:
    """Return the parts of a name as SQL, each quoted."""
    return ".".join(identifier(part) for part in parts)
