"""
What may be told of a statement afterwards: a fingerprint, and its text without a literal.

Owns what counts as free of literals; keeps no value. Source: libpg_query's README.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postgast.native import lib

from pgmcp.grammar import CHANGES

if TYPE_CHECKING:
    from collections.abc import Iterator

# libpg_query descends into these alone. Of all others its fingerprint is a hash of the literals
# as well: whoever reads the journal could guess the password of a CREATE ROLE by it.
VOUCHED = frozenset({"SelectStmt", *CHANGES})
SHOWN = 1000  # characters of a statement's text
LOOKED_AT = 4 * SHOWN  # of the normalised text, comments included
# Whatever is more than words, operators and $1; a text without is shown as it is.
ODD = re.compile(r"""["'\t-\r]|--|/\*|\$(?!\d)|(?<![\w$])\d""")
TOKEN = re.compile(
    r"""
    (?P<word>[^\W\d][\w$]*|\$\d+)
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<number>\d[\w.]*)
    | (?P<space>(?:\s|--[^\r\n]*)+)
    | (?P<comment>/\*)
    | (?P<quote>["'$])
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
COMMENT = re.compile(r"/\*|\*/")
# A name in quotes is the caller's to choose; it may be a value in the wrong quotes.
NAME = re.compile(r'"[^\W\d][\w$ -]{0,62}"')
HIDDEN_NAME = '"?"'
HIDDEN_NUMBER = "?"  # what normalising leaves: varchar(10), ORDER BY 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Digest:
    """
    Hold what is told of one statement; both are empty where nothing can be.

    *fingerprint* is the same for statements that differ in literals and spacing only. *text* has
    $n or ? for each literal, no comment, and at most SHOWN characters.
    """

    fingerprint: str = ""
    text: str = ""


NOTHING = Digest()


def digest(kind: str, sql: bytes, *, has_passed: bool) -> Digest:
    """
    Return what can be told of *sql*, one statement that PostgreSQL's grammar accepts.

    The text is told of what *has_passed* the gate. Needs the stack that parsing *sql* needs.
    """
    if kind not in VOUCHED:
        return NOTHING
    text = tidy(_normalised(sql)) if has_passed else ""
    return Digest(fingerprint=_fingerprint(sql), text=text)


def tidy(normalised: str) -> str:
    """
    Return a normalised text on one line, bounded, or nothing where a literal is left in it.

    This check is independent of libpg_query, which leaves alone what is in a type's brackets or
    in the columns of a JSON_TABLE.
    """
    beginning = normalised[:LOOKED_AT].strip(" ;")
    if ODD.search(beginning) is None:
        return beginning if len(beginning) <= SHOWN else beginning[: SHOWN - 1] + "…"
    shown: list[str] = []
    length = 0
    for piece in _pieces(beginning):
        if piece is None:
            return ""
        if piece == " " and shown[-1:] in ([" "], []):
            continue
        shown.append(piece)
        length += len(piece)
        if length > SHOWN:
            return "".join(shown)[: SHOWN - 1] + "…"
    return "".join(shown).strip(" ;")


def _pieces(text: str) -> Iterator[str | None]:
    """Yield what is shown for each token; None is a literal, or what could be one."""
    place = 0
    while (found := TOKEN.match(text, place)) is not None:
        place = found.end()
        if found.lastgroup == "comment":
            after = _after_comment(text, place)
            if after is None:
                yield None
                return
            place = after
            yield " "
        elif found.lastgroup == "quote":
            yield None
        elif found.lastgroup == "space":
            yield " "
        elif found.lastgroup == "number":
            yield HIDDEN_NUMBER
        elif found.lastgroup == "quoted":
            yield found[0] if NAME.fullmatch(found[0]) else HIDDEN_NAME
        else:
            yield found[0]


def _after_comment(text: str, place: int) -> int | None:
    """Return where the comment that began before *place* ends; PostgreSQL's nest."""
    depth = 1
    while depth:
        found = COMMENT.search(text, place)
        if found is None:
            return None
        depth += 1 if found[0] == "/*" else -1
        place = found.end()
    return place


def _normalised(sql: bytes) -> str:
    result = lib.pg_query_normalize(sql)
    try:
        if result.error:
            return ""
        normalised: bytes = result.normalized_query
        return normalised.decode(errors="replace")
    finally:
        lib.pg_query_free_normalize_result(result)


def _fingerprint(sql: bytes) -> str:
    result = lib.pg_query_fingerprint(sql)
    try:
        if result.error:
            return ""
        found: bytes = result.fingerprint_str
        return found.decode()
    finally:
        lib.pg_query_free_fingerprint_result(result)
