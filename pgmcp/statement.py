"""
What a caller's SQL is, by PostgreSQL's own grammar: one statement, its kind, its tool.

Owns the noun Statement and the parser's threads; never talks to a server. Fails closed: what
does not parse is refused.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import orjson
from postgast.errors import PgQueryError, check_error
from postgast.native import lib

from pgmcp.definitions import options_of, text_of
from pgmcp.denied import Name
from pgmcp.digest import NOTHING, Digest, digest
from pgmcp.errors import CallerError, QueryFailed, Report
from pgmcp.grammar import Node, Target
from pgmcp.judging import judge
from pgmcp.kinds import Level, Tool, refused
from pgmcp.tree import Tree, walk

# Only the lexing of operator runs is quadratic, here and in the server, where statement_timeout
# does not interrupt it; nested comments are such runs as well. A run is tried from its first
# character alone, or the search itself would be quadratic.
OPERATORS = r"[+\-*/<>=~!@#%^&|`?]"
OPERATOR_RUN = re.compile(f"(?<!{OPERATORS}){OPERATORS}{{200,}}")
# The tree of a large statement is made in one step that stops everything else: 40,000 nodes take
# about 20 ms. Each is in libpg_query's JSON as an object with a name; texts in it have \" there.
MAX_NODES = 40_000
NODE = b'{"'
MAX_STATEMENTS = 500
MAX_TARGETS = 200  # each is looked up before it is confirmed
MAX_BODIES = 3  # function bodies inside function bodies
PARSER_STACK = 64 << 20  # bytes; deep trees recurse in C, and the default of 8 MiB can overflow
INLINE_BYTES = 2048  # shorter texts parse faster than a thread can be reached
PARSER_THREADS = 2
REMEMBERED = 500  # short texts whose judgement is kept
PARSE_LIMIT = 10.0  # seconds; the size limit makes this unreachable in practice


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """
    Hold one statement and what it is.

    *sql* has no trailing semicolon. *kind* is the parse tree's node name, *node* its body;
    *tool* is where it belongs: None means that no tool runs it, and *refusal* says what to use
    instead. *wrap* says whether its rows can be read through an outer SELECT. *targets* are what
    has to be confirmed, in statement order. *may_prepare*: it calls functions, and a function
    may leave prepared statements in its session. *star*: it says SELECT *, so that its columns
    change when a table's do. *why* says what puts it above its kind's usual level.

    What it names, each once, as PostgreSQL folds and unescapes it: *functions*, *tables* and
    *casts* (the types that values are cast to) as (schema or None, name); *operators* as "op" or
    "schema.op"; *attributes* are the last names of columns such as t.f, which may be calls f(t);
    *selected* those of them that may be calls with any value, not a row alone: (x).f.
    *tables* leaves out what a WITH hides there; *relations* has those names too, no schemas. Of
    a function's body what is SQL counts: the body of LANGUAGE sql, in either form. *digest* is
    what the journal may tell.
    """

    sql: str
    kind: str
    node: Node = field(default_factory=dict, repr=False)
    tool: Tool | None
    level: Level
    refusal: str = ""
    wrap: Literal["select", ""] = ""
    targets: tuple[Target, ...] = ()
    concurrently: bool = False
    cascade: bool = False
    may_prepare: bool = False
    star: bool = False
    why: str = ""
    relations: frozenset[str] = frozenset()
    functions: tuple[Name, ...] = ()
    attributes: frozenset[str] = frozenset()
    selected: frozenset[str] = frozenset()
    operators: tuple[str, ...] = ()
    casts: tuple[Name, ...] = ()
    tables: tuple[Name, ...] = ()
    digest: Digest = NOTHING


def catalogue(sql: str) -> Statement:
    """Take one of pgmcp's own SELECTs as a Statement; it is not parsed."""
    text = sql.rstrip().removesuffix(";")
    return Statement(sql=text, kind="SelectStmt", tool="pg_query", level="read", wrap="select")


class Parser:
    """Own the threads, with a stack deep enough, on which long statements are parsed."""

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._judge_short = lru_cache(REMEMBERED)(_judge_all)
        before = threading.stack_size(PARSER_STACK)
        try:
            self._threads = ThreadPoolExecutor(PARSER_THREADS, thread_name_prefix="parser")
            started = threading.Barrier(PARSER_THREADS + 1)
            for _ in range(PARSER_THREADS):
                self._threads.submit(started.wait, PARSE_LIMIT)
            started.wait(PARSE_LIMIT)
        finally:
            threading.stack_size(before)

    async def parse(self, sql: str, *, most: int = MAX_STATEMENTS) -> tuple[Statement, ...]:
        """
        Split *sql* by the parse tree and say of each statement what it is.

        Raises:
            CallerError: NUL, not UTF-8, too long, too many parts or statements, nested too deeply.
            QueryFailed: PostgreSQL's grammar refuses it; SQLSTATE 42601 and the position.
        """
        raw = _check_text(sql, self._max_bytes)
        if len(raw) < INLINE_BYTES:
            # A client's programs send the same few texts with other params again and again.
            return self._judge_short(sql, raw, most)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PARSE_LIMIT):
            return await loop.run_in_executor(self._threads, _judge_all, sql, raw, most)

    async def parse_one(self, sql: str) -> Statement:
        """Parse *sql*, which must hold exactly one statement; else a CallerError."""
        statements = await self.parse(sql, most=1)
        if not statements:
            raise CallerError("sql holds no statement. Send one SQL statement.")
        return statements[0]

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _check_text(sql: str, max_bytes: int) -> bytes:
    try:
        raw = sql.encode()
    except UnicodeEncodeError as error:
        raise CallerError(
            f"sql holds a lone surrogate at character {error.start + 1}, which is no Unicode "
            "text. Send well-formed UTF-8."
        ) from error
    if len(raw) > max_bytes:
        raise CallerError(
            f"sql has {len(raw)} bytes; {max_bytes} are allowed. Pass long values in params."
        )
    if b"\0" in raw:
        raise CallerError(
            f"sql holds a NUL at character {sql.index(chr(0)) + 1}, which PostgreSQL's text "
            "cannot. Remove it; binary values go as bytea: '\\x00'."
        )
    _check_runs(sql)
    return raw


def _check_runs(sql: str) -> None:
    if (run := OPERATOR_RUN.search(sql)) is not None:
        raise CallerError(
            f"sql has a run of {len(run.group())} operator characters at character "
            f"{run.start() + 1}; fewer than 200 are allowed. Shorten a comment's banner, "
            "or pass a long text in params."
        )


def _judge_all(sql: str, raw: bytes, most: int) -> tuple[Statement, ...]:
    try:
        stmts = _parse(raw)
    except PgQueryError as error:
        # Unlike the tree's locations, this one counts characters already.
        report = Report(sqlstate="42601", message=error.message, position=error.cursorpos)
        raise QueryFailed(report, sql=sql) from error
    if len(stmts) > 1 and most == 1:
        raise CallerError(
            f"sql holds {len(stmts)} statements; one is allowed. Send them one by one; "
            "what belongs together goes into a transaction: pg_tx action=begin."
        )
    if len(stmts) > most:
        raise CallerError(
            f"sql holds {len(stmts)} statements; {most} are allowed. Send it in parts; what "
            "belongs together goes into a transaction: pg_tx action=begin."
        )
    return tuple(_judge(raw, stmt) for stmt in stmts)


def _parse(raw: bytes) -> list[Node]:
    """
    Return the statements of *raw*, by the one call of the parser that is safe for any text.

    Raises:
        PgQueryError: the grammar refuses it.
        CallerError: its tree is too large or too deep.
    """
    result = lib.pg_query_parse(raw)
    try:
        check_error(result)
        tree: bytes = result.parse_tree
        if (nodes := tree.count(NODE)) > MAX_NODES:
            raise CallerError(
                f"sql has {nodes} parts; {MAX_NODES} are allowed. Pass long lists in params: "
                "= ANY ($1), or FROM unnest($1, $2)."
            )
        stmts: list[Node] = orjson.loads(tree).get("stmts") or []
    except orjson.JSONDecodeError as error:
        raise CallerError(
            "sql is nested too deeply (about 500 levels are allowed). Break the expression up."
        ) from error
    finally:
        lib.pg_query_free_parse_result(result)
    return stmts


def _judge(raw: bytes, stmt: Node) -> Statement:
    """Locations in the tree count bytes of the whole text; a Statement's count characters."""
    first = stmt.get("stmt_location", 0)
    length = stmt.get("stmt_len", 0)
    piece = raw[first : first + length] if length else raw[first:]
    kind, body = next(iter(stmt["stmt"].items()))
    tree = walk(stmt["stmt"])
    _require_few(tree)
    try:
        bodies = list(_bodies(tree))
        rule = judge(kind, body, tree, bodies)
    except PgQueryError as error:
        bodies, rule = [], refused(f"The function's body is no SQL: {error.message}.")
    everything = (tree, *bodies)
    return Statement(
        sql=piece.strip().decode(),
        kind=kind,
        node=body,
        tool=rule.tool,
        level=rule.level,
        refusal=rule.refusal,
        why=rule.why,
        wrap="select" if kind == "SelectStmt" and not tree.changes and not tree.into else "",
        targets=tuple(target for _, target in tree.targets),
        concurrently=tree.concurrently and kind != "RefreshMatViewStmt",
        cascade=tree.cascade,
        may_prepare=bool(tree.functions),
        star=tree.star,
        relations=frozenset(tree.relations),
        functions=tuple({name: None for found in everything for name in found.functions}),
        attributes=frozenset().union(*(found.attributes for found in everything)),
        selected=frozenset().union(*map(_selected, everything)),
        operators=tuple({name: None for found in everything for name in found.operators}),
        casts=tuple({name: None for found in everything for name in found.casts}),
        tables=tuple({name: None for found in everything for name in found.tables}),
        # Orjson has refused what is deep, so the walk in C is shallow, too.
        digest=digest(kind, piece, has_passed=rule.tool in ("pg_query", "pg_schema")),
    )


def _bodies(tree: Tree, depth: int = 0) -> Iterator[Tree]:
    """Yield what the bodies of functions in language sql hold, and the bodies inside those."""
    for kind, node in tree.kinds:
        if kind != "CreateFunctionStmt":
            continue
        options = {option["defname"]: option.get("arg") for option in options_of(node)}
        items = (options.get("as") or {}).get("List", {}).get("items", [])
        if text_of(options.get("language")) != "sql" or not items:
            continue
        if depth == MAX_BODIES:
            raise CallerError(
                f"sql makes functions inside functions, {MAX_BODIES + 1} deep. Make them one by "
                "one."
            )
        text = text_of(items[0]) or ""
        _check_runs(text)  # quotes that go on on the next line make one of several
        for stmt in _parse(text.encode()):
            found = walk(stmt["stmt"])
            yield found
            yield from _bodies(found, depth + 1)


def _selected(tree: Tree) -> set[str]:
    return tree.attributes if tree.has_function_alias else tree.selected


def _require_few(tree: Tree) -> None:
    if len(tree.targets) > MAX_TARGETS:
        raise CallerError(
            f"sql would drop or empty {len(tree.targets)} objects; {MAX_TARGETS} are allowed at "
            "once. Send it in parts."
        )
