"""
The options of roles, databases, grants and VACUUM, read from a closed list of SQL words.

Owns the words and how they are written into a statement; passes no other text on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pgmcp.database.quote import literal
from pgmcp.errors import AccessDenied, CallerError

ROLE_FLAGS = ("LOGIN", "CREATEDB", "CREATEROLE", "INHERIT", "REPLICATION", "BYPASSRLS")
ROLE_WORDS = (
    *(f"[NO]{flag}" for flag in ROLE_FLAGS),
    "NOSUPERUSER",
    "CONNECTION LIMIT n",
    "VALID UNTIL 'timestamp'",
    "PASSWORD (makes a new one)",
    "PASSWORD NULL",
)
VALID_UNTIL = re.compile(
    r"VALID\s+UNTIL\s+(?:'(?P<quoted>[^']+)'|(?P<plain>[^'\s][^']*))", re.IGNORECASE
)
CONNECTION_LIMIT = re.compile(r"CONNECTION LIMIT\s+(?P<limit>-1|\d{1,9})", re.IGNORECASE)
DATABASE_TEXT = re.compile(
    r"(?P<word>ENCODING|LOCALE|LC_COLLATE|LC_CTYPE)\s+(?:'(?P<quoted>[^']+)'|(?P<plain>[^'\s]+))",
    re.IGNORECASE,
)
DATABASE_WORDS = (
    "ENCODING 'UTF8'",
    "LOCALE 'C'",
    "LC_COLLATE 'C'",
    "LC_CTYPE 'C'",
    "CONNECTION LIMIT n",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleOptions:
    """
    Hold the options of a role as SQL, without the password.

    *password* is "new" where one is to be made, "none" where it is to go, "keep" otherwise.
    """

    clauses: tuple[str, ...]
    logs_in: bool
    password: str


def role_options(given: Sequence[str]) -> RoleOptions:
    """
    Read a role's attributes.

    Raises:
        AccessDenied: SUPERUSER.
        CallerError: a word that is not in the list, or two that contradict each other.
    """
    clauses: dict[str, str] = {}
    password = "keep"  # noqa: S105 — a word about a password
    for text in given:
        words = normal(text)
        if words == "SUPERUSER":
            raise AccessDenied(
                'attributes: "SUPERUSER" is not given through the gateway: a superuser runs '
                "programs on the server. The operator does that with psql."
            )
        if words in ("PASSWORD", "PASSWORD NULL"):
            chosen = "none" if words.endswith("NULL") else "new"
            _once(clauses, "PASSWORD", chosen, text)
            password = chosen
        elif (flag := words.removeprefix("NO")) in ROLE_FLAGS or words == "NOSUPERUSER":
            _once(clauses, flag, words, text)
        elif (limit := CONNECTION_LIMIT.fullmatch(words)) is not None:
            _once(clauses, "CONNECTION LIMIT", f"CONNECTION LIMIT {limit['limit']}", text)
        elif (until := VALID_UNTIL.fullmatch(text.strip())) is not None:
            moment = until["quoted"] or until["plain"]
            _once(clauses, "VALID UNTIL", f"VALID UNTIL {literal(moment.strip())}", text)
        else:
            raise unknown(text, ROLE_WORDS)
    clauses.pop("PASSWORD", None)
    logs_in = clauses.get("LOGIN") == "LOGIN"
    return RoleOptions(clauses=tuple(clauses.values()), logs_in=logs_in, password=password)


def database_options(given: Sequence[str]) -> tuple[str, ...]:
    """Read a new database's attributes; raises CallerError as `role_options`."""
    clauses: dict[str, str] = {}
    for text in given:
        if (found := DATABASE_TEXT.fullmatch(text.strip())) is not None:
            word = found["word"].upper()
            value = literal(found["quoted"] or found["plain"])
            _once(clauses, word, f"{word} = {value}", text)
        elif (limit := CONNECTION_LIMIT.fullmatch(normal(text))) is not None:
            _once(clauses, "CONNECTION LIMIT", f"CONNECTION LIMIT = {limit['limit']}", text)
        else:
            raise unknown(text, DATABASE_WORDS)
    return tuple(clauses.values())


def chosen(given: Iterable[str], words: Sequence[str]) -> tuple[str, ...]:
    """Return the words that were given, which must all be among *words*; each once."""
    found: dict[str, None] = {}
    for text in given:
        if (word := normal(text)) not in words:
            raise unknown(text, words)
        found[word] = None
    return tuple(found)


def normal(text: str) -> str:
    """Return *text* in upper case with single spaces, as the lists have their words."""
    return " ".join(text.split()).upper()


def unknown(text: str, words: Sequence[str]) -> CallerError:
    """Return the refusal of a word that is not in the list."""
    return CallerError(
        f'attributes: "{text}" is not known here. Known are: {"; ".join(words)}. '
        "Give one option in each element of the list."
    )


def _once(clauses: dict[str, str], key: str, clause: str, text: str) -> None:
    if clauses.setdefault(key, clause) != clause:
        raise CallerError(
            f'attributes: "{text}" contradicts "{clauses[key]}", given before. Keep one of them.'
        )
