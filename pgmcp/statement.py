"""
What a caller's SQL is, by PostgreSQL's own grammar: one statement, its kind, its tool.

Owns the noun Statement and the parser's threads; never talks to a server. Fails closed: what
does not parse is refused.
"""

from __future__ import annotations

import asyncio
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import orjson
from postgast.errors import PgQueryError, check_error
from postgast.native import lib

from pgmcp.errors import CallerError, QueryFailed, Report
from pgmcp.grammar import CHANGES, COUNTERS, Node, Target, Tree, walk
from pgmcp.kinds import Level, Rule, Tool, denied_function, rule_of

# Only the lexing of operator runs is quadratic, here and in the server, where statement_timeout
# does not interrupt it; nested comments are such runs as well.
OPERATOR_RUN = re.compile(r"[+\-*/<>=~!@#%^&|`?]{200,}")
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
    change when a table's do. *relations* are the names, without schemas, that it reads or writes.
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
    relations: frozenset[str] = frozenset()


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

    async def parse(self, sql: str) -> tuple[Statement, ...]:
        """
        Split *sql* by the parse tree and say of each statement what it is.

        Raises:
            CallerError: NUL, not UTF-8, too long, nested too deeply.
            QueryFailed: PostgreSQL's grammar refuses it; SQLSTATE 42601 and the position.
        """
        raw = _check_text(sql, self._max_bytes)
        if len(raw) < INLINE_BYTES:
            # A client's programs send the same few texts with other params again and again.
            return self._judge_short(sql, raw)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PARSE_LIMIT):
            return await loop.run_in_executor(self._threads, _judge_all, sql, raw)

    async def parse_one(self, sql: str) -> Statement:
        """Parse *sql*, which must hold exactly one statement; else a CallerError."""
        statements = await self.parse(sql)
        if not statements:
            raise CallerError("sql holds no statement. Send one SQL statement.")
        if len(statements) > 1:
            raise CallerError(
                f"sql holds {len(statements)} statements; one is allowed. Send them one by one; "
                "what belongs together goes into a transaction: pg_tx action=begin."
            )
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
    if (run := OPERATOR_RUN.search(sql)) is not None:
        raise CallerError(
            f"sql has a run of {len(run.group())} operator characters at character "
            f"{run.start() + 1}; fewer than 200 are allowed. Shorten a comment's banner, "
            "or pass a long text in params."
        )
    return raw


def _judge_all(sql: str, raw: bytes) -> tuple[Statement, ...]:
    result = lib.pg_query_parse(raw)
    try:
        check_error(result)
        stmts = orjson.loads(result.parse_tree).get("stmts") or []
    except PgQueryError as error:
        # Unlike the tree's locations, this one counts characters already.
        report = Report(sqlstate="42601", message=error.message, position=error.cursorpos)
        raise QueryFailed(report, sql=sql) from error
    except orjson.JSONDecodeError as error:
        raise CallerError(
            "sql is nested too deeply (about 500 levels are allowed). Break the expression up."
        ) from error
    finally:
        lib.pg_query_free_parse_result(result)
    return tuple(_judge(raw, stmt) for stmt in stmts)


def _judge(raw: bytes, stmt: Node) -> Statement:
    """Locations in the tree count bytes of the whole text; a Statement's count characters."""
    first = stmt.get("stmt_location", 0)
    length = stmt.get("stmt_len", 0)
    piece = raw[first : first + length] if length else raw[first:]
    kind, body = next(iter(stmt["stmt"].items()))
    tree = walk(stmt["stmt"])
    rule = _refine(kind, rule_of(kind, body), tree)
    return Statement(
        sql=piece.strip().decode(),
        kind=kind,
        node=body,
        tool=rule.tool,
        level=rule.level,
        refusal=rule.refusal,
        wrap="select" if kind == "SelectStmt" and not tree.changes and not tree.into else "",
        targets=tuple(target for _, target in tree.targets),
        concurrently=tree.concurrently and kind != "RefreshMatViewStmt",
        cascade=tree.cascade,
        may_prepare=bool(tree.functions),
        star=tree.star,
        relations=frozenset(tree.relations),
    )


def _refine(kind: str, rule: Rule, tree: Tree) -> Rule:
    """Look past the outer kind: what is inside may write, lock or reach beyond the call."""
    if rule.tool != "pg_query":
        return rule
    for function in tree.functions:
        if (instead := denied_function(function)) is not None:
            return Rule(tool=None, level="admin", refusal=f"It calls {function}(). {instead}")
    if tree.into:
        return Rule(
            tool="pg_schema",
            level="ddl",
            refusal="SELECT INTO makes a table: CREATE TABLE … AS in pg_schema action=create.",
        )
    writes = bool(tree.changes) or tree.locks or any(name in COUNTERS for name in tree.functions)
    if kind == "ExplainStmt":
        if tree.analyze and tree.explained not in ("SelectStmt", *CHANGES):
            instead = "EXPLAIN ANALYZE would run it: leave ANALYZE out."
            return Rule(tool=None, level="ddl", refusal=instead)
        if writes and tree.analyze:
            instead = "Send the statement itself with explain=analyze: it is rolled back."
            return Rule(tool=None, level="write", refusal=instead)
        return rule
    if writes and rule.level == "read":
        return Rule(tool="pg_query", level="write")
    return rule
