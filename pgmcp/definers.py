"""
Which names a read must not use, as PostgreSQL would run code for them that READ ONLY leaves free.

Owns the check and what it remembers of each database; never runs a caller's statement.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass

from pgmcp.clock import Clock
from pgmcp.database import Lease
from pgmcp.errors import CallerError
from pgmcp.logins import ROLE_OF, Login
from pgmcp.sql import load
from pgmcp.statement import Statement

LIFE = 5.0  # seconds that an answer is trusted; what pgmcp changes itself is seen at once
SHARE = 50  # looking may take this part of the time: 20 ms every second
# The grammar makes these of IN, BETWEEN, CASE, USING, NULLIF and DISTINCT without writing them.
UNWRITTEN = ("=", "<>", "<", ">", "<=", ">=")
# These make values of a row's types, as a cast does, but name the row by a table.
MAKING_ROWS = ("populate_record", "populate_recordset", "to_record", "to_recordset")
Name = tuple[str | None, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """
    Name one object whose use in a read runs *function* as *owner*, or in another session.

    *visible*: it can be named without its schema; *of_row*: it can be written as a column;
    *of_value*: of any value, not a row alone.
    *allowing* is the role whose EXECUTE would allow it; none where readers share a login.
    """

    kind: str
    schema: str
    name: str
    visible: bool
    of_row: bool
    of_value: bool
    function: str
    owner: str | None
    allowing: str | None


Reach = dict[tuple[str, str], list[Reached]]  # by kind and name
Reading = Callable[[str, Callable[[Lease], Awaitable[Reach]]], Awaitable[Reach]]


class Definers:
    """Remember for a short while what each database's readers could set off."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[tuple[str, Login], tuple[float, Reach]] = {}

    def forget(self) -> None:
        """Look anew next time: something was changed that may matter."""
        self._known.clear()

    async def check(
        self, lease: Lease, statement: Statement, *, reading: Reading, login: Login
    ) -> None:
        """
        Refuse a statement for whose names a read would run somebody else's code.

        *reading* lends another connection to the lease's database: a transaction that goes on may
        see the catalogue of its beginning only, and must not fail by a look of ours. *login* is
        what both log in as.

        Raises:
            CallerError: names the function, its owner, and the ways out.
        """
        if not lease.is_read_only:
            return
        until, reach = self._known.get((lease.database, login), (0.0, {}))
        if self._clock.monotonic() >= until:
            looking = reading(lease.database, look) if lease.is_kept else look(lease)
            began = self._clock.monotonic()
            reach = await looking
            now = self._clock.monotonic()
            self._known[lease.database, login] = (now + max(LIFE, SHARE * (now - began)), reach)
        if reach and (found := next(_uses(statement, reach), None)) is not None:
            raise _refusal(*found, _instead(lease, statement))


async def look(lease: Lease) -> Reach:
    """Ask the database of *lease*, as its login, which names are not for reading."""
    if await lease.value(load("gate", "definers", lease.server_version)) == "f":
        return {}
    # Its cost cannot be estimated, and compiling it would take seconds.
    await lease.command("SET LOCAL jit = off")
    rows = await lease.rows(load("gate", "reach", lease.server_version))
    await lease.command("SET LOCAL jit = DEFAULT")
    reach: Reach = {}
    for row in rows:
        found = Reached(
            kind=str(row["kind"]),
            schema=str(row["schema"]),
            name=str(row["name"]),
            visible=row["visible"] == "t",
            of_row=row["of_row"] == "t",
            of_value=row["of_value"] == "t",
            function=str(row["function"]),
            owner=row["owner"],
            allowing=row["reader"] if row["reader"] == ROLE_OF["read"] else None,
        )
        reach.setdefault((found.kind, found.name), []).append(found)
    return reach


def _uses(statement: Statement, reach: Reach) -> Iterator[tuple[str, Reached]]:
    """Yield what *statement* uses of *reach*, each with the words that it is named by."""
    functions = statement.functions
    makes_rows = any(name.endswith(MAKING_ROWS) for _, name in functions)
    named: list[tuple[str, Iterable[Name]]] = [
        ("function", functions),
        ("relation", statement.tables),
        ("operator", _operators(statement)),
        # A type's name may be called like a function, and then it is a cast.
        ("type", [*statement.casts, *functions, *(statement.tables if makes_rows else ())]),
        (
            "target",
            () if statement.kind in ("SelectStmt", "VariableShowStmt") else statement.tables,
        ),
    ]
    for kind, names in named:
        for schema, name in names:
            for found in reach.get((kind, name), ()):
                if found.visible if schema is None else found.schema == schema:
                    yield f"{kind.replace('target', 'relation')} {_spelt(found)}", found
    for name in statement.attributes:
        for found in reach.get(("function", name), ()):
            is_call = found.of_value if name in statement.selected else found.of_row
            if found.visible and is_call:
                yield f"column .{name}, a call of {_spelt(found)},", found


def _operators(statement: Statement) -> Iterator[Name]:
    for text in statement.operators:
        schema, dot, name = text.rpartition(".")
        yield (schema if dot else None, name)
    for name in UNWRITTEN:
        yield (None, name)


def _spelt(found: Reached) -> str:
    return found.name if found.schema == "public" else f"{found.schema}.{found.name}"


def _instead(lease: Lease, statement: Statement) -> str:
    if statement.kind == "ExplainStmt":
        return 'Who may write can run it with mode="write", not explained.'
    if lease.is_kept:
        return "Who may write can run it in a transaction of mode=write."
    return 'Who may write can repeat the call with mode="write".'


def _refusal(named: str, found: Reached, instead: str) -> CallerError:
    itself = found.kind == "function" and found.function.startswith(f"{_spelt(found)}(")
    runs = found.function if itself else f"{named} would run {found.function}, which"
    grant = f"GRANT EXECUTE ON FUNCTION {found.function} TO {found.allowing}"
    allow = f" The operator can allow it to readers: {grant}." if found.allowing else ""
    if found.owner is None:
        return CallerError(
            f"{runs} works in another session, which nothing holds to reading. A read runs no such "
            "code.",
            hint=f"{instead}{allow}",
        )
    return CallerError(
        f'{runs} is SECURITY DEFINER and acts with all rights of its owner "{found.owner}". A read '
        "runs no such code.",
        hint=f"{instead}{allow}",
    )
