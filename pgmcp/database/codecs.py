"""
How values cross the wire: every type as PostgreSQL's own text, in both directions.

asyncpg's native values lose months, infinities and digits; text is exact. Owns the types known
of one database and the conversion of JSON arguments.
"""

from __future__ import annotations

import json
import math
from weakref import WeakSet

import asyncpg

from pgmcp.errors import CallerError

# Types of bounded size: they are sent as they are. Everything else may be long and is cut on
# the server.
SHORT_TYPES = frozenset(
    (  # noqa: SIM905 — a list of words reads best as words
        "bool int2 int4 int8 oid float4 float8 timestamptz timestamp date time timetz "
        "interval uuid inet cidr macaddr macaddr8 money pg_lsn tid xid xid8 cid point line lseg "
        "box circle name char void regclass regtype regproc regprocedure regoper regoperator "
        "regnamespace regrole regconfig regdictionary regcollation"
    ).split()
)
JSON_TYPES = frozenset({"json", "jsonb"})
NATIVE_TEXT = frozenset({"text", "varchar", "bpchar", "name", "json", "jsonb"})  # asyncpg's str
FIRST_USER_OID = 16384
DIMENSIONS = 6  # PostgreSQL's MAXDIM
# Every operand has exactly an operator's types, as in pgmcp/sql: this runs in every database.
# A table's row type counts as its table's; the many are fetched only where one is met.
TYPES = """
SELECT t.oid,
       CASE WHEN t.oid < 16384::oid THEN '' ELSE n.nspname::text || '.' END
       || CASE WHEN t.typcategory = 'A' AND e.oid IS NOT NULL AND t.typname LIKE '\\_%'::text
               THEN e.typname::text || '[]' ELSE t.typname::text END
  FROM pg_catalog.pg_type AS t
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem
 WHERE """
BUILT_IN = "t.oid < 16384::oid AND t.typrelid = 0::oid AND coalesce(e.typrelid, 0::oid) = 0::oid"
USERS = "t.oid >= 16384::oid OR t.typrelid <> 0::oid OR coalesce(e.typrelid, 0::oid) <> 0::oid"


class Types:
    """
    Know the types of one database by OID; its connections share what one of them learned.

    asyncpg's public `set_type_codec` refuses ranges, composites and records, although PostgreSQL
    has a text form for each; the calls below it do not, so those are used, and
    tests/integration/test_types.py holds them on the locked release.
    """

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self._connections: WeakSet[asyncpg.Connection] = WeakSet()

    async def learn(self, connection: asyncpg.Connection) -> None:
        """Read the built-in types at first, all others at the next call; then `apply` to all."""
        condition = USERS if self.names else BUILT_IN
        found = await connection.fetch(TYPES + condition)
        self.names |= {int(oid): str(name) for oid, name in found}
        # A name in `names` promises text on every connection, also on those open already.
        for other in {connection, *self._connections}:
            if not other.is_closed():
                self.apply(other)

    def apply(self, connection: asyncpg.Connection) -> None:
        """Make *connection* send and receive text for every type known; costs no round trip."""
        self._connections.add(connection)
        settings = connection._protocol.get_settings()  # type: ignore[attr-defined]  # noqa: SLF001 — see the class
        for oid, name in self.names.items():
            if name in NATIVE_TEXT:
                continue
            if oid < FIRST_USER_OID:
                settings.set_builtin_type_codec(oid, name, "pg_catalog", "scalar", "text", "text")
            else:
                # This one replaces what asyncpg made of the type when it met it; the other, which
                # calls no function for a cell, does not.
                settings.add_python_codec(oid, name, "pg_catalog", [], "scalar", str, str, "text")


def to_text(value: object, type_name: str, number: int) -> str | None:
    """
    Return one JSON argument as text that PostgreSQL's input function of *type_name* reads.

    A string is taken as that text already; a list becomes an array and an object JSON, unless
    the type is JSON itself.

    Raises:
        CallerError: an object for a type that is not JSON; *number* is the parameter's.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return _checked(value, number)
    if isinstance(value, bool):
        return "true" if value else "false"
    if type_name in JSON_TYPES:
        return _json(value, number)
    if isinstance(value, int | float):
        return _number(value, number)
    if isinstance(value, list):
        return _array(value, number)
    raise CallerError(
        f"params[{number - 1}] is an object, but ${number} has type {type_name}. "
        "Objects are for json and jsonb; write other values as PostgreSQL's text."
    )


def _checked(value: str, number: int) -> str:
    if "\0" in value:
        raise CallerError(
            f"params[{number - 1}] holds a NUL, which PostgreSQL's text cannot. Remove it, or "
            "send bytea as '\\x00…'."
        )
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise CallerError(
            f"params[{number - 1}] holds a lone surrogate, which is no Unicode text. "
            "Send well-formed UTF-8."
        ) from error
    return value


def _number(value: float, number: int) -> str:
    """Write a number; what JSON's reader has already changed must not pass for the caller's."""
    try:
        if isinstance(value, int) or math.isfinite(value):
            return repr(value)
    except ValueError:  # Python writes no integer of more than 4300 digits
        pass
    raise CallerError(
        f"params[{number - 1}] is a number beyond what JSON's readers keep. Send it as a string, "
        "such as '1e400', 'Infinity' or 'NaN'."
    )


def _json(value: object, number: int) -> str:
    """Write JSON as it came; integers keep every digit."""
    try:
        return _checked(json.dumps(value, ensure_ascii=False, allow_nan=False), number)
    except (ValueError, RecursionError) as error:
        raise CallerError(
            f"params[{number - 1}] holds what JSON cannot: NaN, Infinity, an integer of more than "
            "4300 digits, or nesting without end. Send its text as a string."
        ) from error


def _array(values: list[object], number: int, depth: int = 1) -> str:
    """Write an array constant; every element is quoted, so that none can end it."""
    if depth > DIMENSIONS:
        raise CallerError(
            f"params[{number - 1}] is a list nested more than {DIMENSIONS} deep, the most "
            "dimensions of an array. Send JSON for a json parameter as a string."
        )
    parts = []
    for value in values:
        if value is None:
            parts.append("NULL")
        elif isinstance(value, list):
            parts.append(_array(value, number, depth + 1))
        elif isinstance(value, dict):
            parts.append(_quoted(_json(value, number)))
        else:
            parts.append(_quoted(to_text(value, "", number) or ""))
    return "{" + ",".join(parts) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
