"""
What GRANT and REVOKE are about, read strictly from the parameter `on`.

Owns the forms that `on` may have; never asks the server whether the object is there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pgmcp.errors import CallerError
from pgmcp.tools.admin.names import take_identifier, take_list, take_qualified

Form = Literal["object", "all", "future", "role"]
FORMS = (
    "table s.t; table s.t (column, …); sequence s.q; schema s; database d; function s.f(types); "
    "type s.t; domain s.d; language l; tablespace t; foreign data wrapper w; foreign server s; "
    "parameter p; all tables|sequences|functions|procedures|routines in schema s; "
    "future tables|sequences|functions|types|schemas [in schema s]; role r"
)
KEYWORDS = re.compile(
    r"(?P<kind>materialized view|foreign data wrapper|foreign server|foreign table|table|view"
    r"|sequence|schema|database|function|procedure|routine|aggregate|type|domain|language"
    r"|tablespace|parameter|role|server)\s+(?P<name>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
MANY = re.compile(
    r"(?P<form>all|future)\s+(?P<objects>tables|sequences|functions|procedures|routines|types"
    r"|schemas)(?:\s+in\s+schema\s+(?P<schema>\S.*))?",
    re.IGNORECASE | re.DOTALL,
)
# The word of `on` → the class that `target.sql` knows, and the word in GRANT … ON.
RELATIONS = frozenset({"table", "view", "materialized view", "foreign table"})
ROUTINES = frozenset({"function", "procedure", "routine", "aggregate"})
QUALIFIED = {"sequence": "SEQUENCE", "type": "TYPE", "domain": "DOMAIN"}
PLAIN = {
    "schema": "SCHEMA",
    "database": "DATABASE",
    "language": "LANGUAGE",
    "tablespace": "TABLESPACE",
    "foreign data wrapper": "FOREIGN DATA WRAPPER",
    "foreign server": "FOREIGN SERVER",
}
ALL_KINDS = frozenset({"tables", "sequences", "functions", "procedures", "routines"})
FUTURE_KINDS = frozenset({"tables", "sequences", "functions", "routines", "types", "schemas"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """
    Hold what `on` says.

    *kind* is a word of KINDS in `privileges`, *keyword* what stands after ON in SQL. *parts* is
    the name. *arguments* is the text between a routine's parentheses, which goes to PostgreSQL
    as a value and never into a statement; None where none were given.
    """

    form: Form
    kind: str
    keyword: str = ""
    parts: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    arguments: str | None = None


def read_target(on: str) -> Target:
    """
    Read `on`.

    Raises:
        CallerError: it has none of the forms; lists them.
    """
    text = " ".join(on.split()) if '"' not in on else on.strip()
    target = _many(text) or _single(text)
    if target is None:
        raise CallerError(
            f'on: "{on}" is not understood. It has one of these forms: {FORMS}. Names follow '
            'SQL\'s rules: shop.orders, "Mixed Case".'
        )
    return target


def _many(text: str) -> Target | None:
    found = MANY.fullmatch(text)
    if found is None:
        return None
    form, kind = found["form"].lower(), found["objects"].lower()
    schema = take_list(found["schema"]) if found["schema"] else ()
    if schema is None or len(schema) > 1:
        return None
    if form == "all" and kind in ALL_KINDS and schema:
        return Target(form="all", kind=kind, keyword=f"ALL {kind.upper()} IN SCHEMA", parts=schema)
    if form == "future" and kind in FUTURE_KINDS and not (kind == "schemas" and schema):
        keyword = "ROUTINES" if kind == "functions" else kind.upper()
        return Target(form="future", kind=kind, keyword=keyword, parts=schema)
    return None


def _single(text: str) -> Target | None:
    found = KEYWORDS.fullmatch(text)
    if found is None:
        return None
    kind, name = found["kind"].lower(), found["name"].strip()
    if kind == "server":
        kind = "foreign server"
    if kind in RELATIONS:
        return _relation(name)
    if kind in ROUTINES:
        return _routine(name)
    if kind in QUALIFIED:
        taken = take_qualified(name)
        if taken is None or taken[1]:
            return None
        return Target(form="object", kind=kind, keyword=QUALIFIED[kind], parts=taken[0])
    if kind == "parameter":
        return _parameter(name)
    single = take_identifier(name)
    if single is None or single[1]:
        return None
    if kind == "role":
        return Target(form="role", kind="role", parts=(single[0],))
    return Target(form="object", kind=kind, keyword=PLAIN[kind], parts=(single[0],))


def _relation(name: str) -> Target | None:
    """Read `s.t` or `s.t (a, b)`."""
    taken = take_qualified(name)
    if taken is None:
        return None
    parts, rest = taken[0], taken[1].strip()
    columns: tuple[str, ...] | None = ()
    if rest:
        columns = take_list(rest[1:-1]) if rest[0] == "(" and rest[-1] == ")" else None
    if columns is None:
        return None
    return Target(form="object", kind="table", keyword="TABLE", parts=parts, columns=columns)


def _routine(name: str) -> Target | None:
    """Read `s.f` or `s.f(types)`; ROUTINE takes functions, procedures and aggregates alike."""
    taken = take_qualified(name)
    if taken is None:
        return None
    parts, rest = taken[0], taken[1].strip()
    arguments: str | None = None
    if rest:
        if rest[0] != "(" or rest[-1] != ")":
            return None
        arguments = rest[1:-1]
    return Target(
        form="object", kind="function", keyword="ROUTINE", parts=parts, arguments=arguments
    )


def _parameter(name: str) -> Target | None:
    """Read a setting's name, of one part or with the prefix of an extension."""
    taken = take_qualified(name)
    if taken is None or taken[1]:
        return None
    return Target(form="object", kind="parameter", keyword="PARAMETER", parts=taken[0])
