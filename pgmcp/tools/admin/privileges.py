"""
The privileges of each kind of object, a closed list, and how they are written.

Owns the lists; the server's version decides about the newest of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from pgmcp.database.quote import identifier
from pgmcp.errors import CallerError
from pgmcp.tools.admin.attributes import normal

TABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")
COLUMN = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
SEQUENCE = ("USAGE", "SELECT", "UPDATE")
EXECUTE = ("EXECUTE",)
USAGE = ("USAGE",)
KINDS: dict[str, tuple[str, ...]] = {
    "table": TABLE,
    "tables": TABLE,
    "column": COLUMN,
    "sequence": SEQUENCE,
    "sequences": SEQUENCE,
    "schema": ("CREATE", "USAGE"),
    "schemas": ("CREATE", "USAGE"),
    "database": ("CREATE", "CONNECT", "TEMPORARY", "TEMP"),
    "function": EXECUTE,
    "functions": EXECUTE,
    "procedures": EXECUTE,
    "routines": EXECUTE,
    "type": USAGE,
    "types": USAGE,
    "domain": USAGE,
    "language": USAGE,
    "foreign data wrapper": USAGE,
    "foreign server": USAGE,
    "tablespace": ("CREATE",),
    "parameter": ("SET", "ALTER SYSTEM"),
}
SINCE = {"MAINTAIN": 17}  # the major version that brought a privilege
VERSIONS_PER_MAJOR = 10_000
ALL = ("ALL", "ALL PRIVILEGES")


def read_privileges(
    given: Sequence[str], kind: str, columns: Sequence[str], server_version: int
) -> str:
    """
    Return the privileges as they stand in GRANT, with *columns* behind each where there are any.

    Raises:
        CallerError: none given, or one that *kind* or this server does not have.
    """
    all_known = KINDS["column" if columns else kind]
    known = tuple(word for word in all_known if _is_here(word, server_version))
    what = "columns" if columns else kind
    if not given:
        raise CallerError(
            f"privileges is missing. For {what} give some of: {', '.join((*known, 'ALL'))}."
        )
    behind = f" ({', '.join(identifier(column) for column in columns)})" if columns else ""
    shown = []
    for text in given:
        word = normal(text)
        if word not in all_known and word not in ALL:
            raise CallerError(
                f'privileges: "{text}" is not one of {what}. Allowed are: '
                f"{', '.join((*known, 'ALL'))}."
            )
        if not _is_here(word, server_version):
            major = SINCE[word]
            raise CallerError(
                f"privileges: {word} exists from PostgreSQL {major} on, and this server is "
                f"{server_version // VERSIONS_PER_MAJOR}. Here only the owner of a table and the "
                "owner of the database maintain it."
            )
        shown.append(word + behind)
    return ", ".join(dict.fromkeys(shown))


def _is_here(word: str, server_version: int) -> bool:
    return server_version >= SINCE.get(word, 0) * VERSIONS_PER_MAJOR
