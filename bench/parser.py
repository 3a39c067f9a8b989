"""
How long the gate's parser stops the event loop: `python -m bench.parser`.

Tries the texts that cost most, each as long as the gate's limits let it be.
"""

from __future__ import annotations

import asyncio
import gc
import re
import time
from dataclasses import dataclass

from pgmcp.errors import CallerError, PgmcpError
from pgmcp.statement import MAX_NODES, MAX_STATEMENTS, MAX_TARGETS, Parser

MAX_BYTES = 64_000
ROUNDS = 5
TICK = 0.001
TARGET = 50  # milliseconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """Name a text that repeats *unit* as often as the limits allow, at most *most* times."""

    name: str
    head: str = "SELECT "
    unit: str
    tail: str = ""
    most: int = MAX_BYTES

    def sql(self, count: int) -> str:
        """Return the text with *count* units."""
        body = (self.unit * count).rstrip(",") if self.unit.endswith(",") else self.unit * count
        return f"{self.head}{body}{self.tail}"


TEXTS = (
    Text(name="numbers", unit="1,"),
    Text(name="columns", unit="a,"),
    Text(name="stars", unit="*,"),
    Text(name="casts", unit="a::b,"),
    Text(name="calls", unit="f(),"),
    Text(name="window calls", unit="a()OVER(),"),
    Text(name="calls in FROM", head="SELECT FROM ", unit="f(),"),
    Text(name="tables", head="SELECT FROM ", unit="a,"),
    Text(name="ORDER BY", head="SELECT ORDER BY ", unit="a,"),
    Text(name="IN list", head="SELECT 1 WHERE a IN (", unit="1,", tail=")"),
    Text(name="AND", head="SELECT 1 WHERE a", unit=" AND a"),
    Text(name="CASE", head="SELECT CASE", unit=" WHEN a THEN a", tail=" END"),
    Text(name="JSON_ARRAY", head="SELECT JSON_ARRAY(", unit="a,", tail=")"),
    Text(name="JSON_OBJECT", head="SELECT JSON_OBJECT(", unit="a:a,", tail=")"),
    Text(name="subscripts", head="SELECT a", unit="[1]"),
    Text(name="names", head="SELECT a", unit=".a"),
    Text(name="VALUES", head="VALUES ", unit="(1),"),
    Text(name="INSERT", head="INSERT INTO t VALUES ", unit="(1,2),"),
    Text(name="UPDATE", head="UPDATE t SET ", unit="a=a,"),
    Text(name="chains of 400", unit="+".join("1" * 400) + ","),
    Text(name="parentheses", unit="(" * 400 + "1" + ")" * 400 + ","),
    Text(name="WITH", head="WITH ", unit="a AS(SELECT FROM b),", tail=" SELECT FROM a"),
    Text(name="WITH in WITH", unit="(WITH a AS(TABLE b)TABLE a),"),
    Text(name="columns of a table", head="CREATE TABLE t (", unit="a b,", tail=")"),
    Text(name="ALTER TABLE", head="ALTER TABLE t ", unit="ADD a b,"),
    Text(name="DROP", head="DROP TABLE ", unit="a,", most=MAX_TARGETS),
    Text(name="statements", head="", unit="SELECT a,b FROM c;", most=MAX_STATEMENTS),
    Text(name="statements too many", head="", unit="END;"),
    Text(name="body", head="CREATE FUNCTION f() LANGUAGE sql AS $b$SELECT ", unit="1,", tail="$b$"),
    Text(name="nested comments", head="SELECT 1 ", unit="/* ", tail=""),
    Text(name="short comments", head="SELECT 1 ", unit="/**/"),
    Text(name="runs of operators", head="SELECT 1 ", unit="+-" * 99 + " "),
    Text(name="dollar quotes", unit="$a$$a$,"),
    Text(name="open dollar quote", head="SELECT $a$", unit="$b"),
    Text(name="quotes over lines", head="SELECT 'a'", unit="\n'a'"),
    Text(name="escapes", head="SELECT U&'", unit="\\0041", tail="'"),
    Text(name="letters of two bytes", head="SELECT '", unit="é", tail="'"),
    Text(name="names of four bytes", unit="😀,"),
)


async def measure(parser: Parser, sql: str) -> tuple[float, float, str]:
    """Return the longest pause of the loop and the whole time, in ms, and how it ended."""
    gaps: list[float] = []

    async def tick() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(TICK)
            gaps.append((now := time.perf_counter()) - last)
            last = now

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(10 * TICK)
    gaps.clear()
    started = time.perf_counter()
    try:
        statements = await parser.parse(sql)
        end = f"{len(statements)} of {statements[0].kind}"
        del statements
    except PgmcpError as error:
        end = str(error)[:60]
    took = time.perf_counter() - started
    await asyncio.sleep(10 * TICK)
    ticking.cancel()
    return max(gaps) * 1000, took * 1000, end


async def fit(parser: Parser, text: Text) -> str:
    """Return the longest form of *text* that the limits of bytes and parts let through."""
    count = min(text.most, (MAX_BYTES - len(text.sql(0).encode())) // len(text.unit.encode()))
    try:
        await parser.parse(text.sql(count))
    except CallerError as error:
        if parts := re.search(r"has (\d+) parts", error.message):
            count = count * MAX_NODES // int(parts[1]) - 2
    except PgmcpError:
        pass
    return text.sql(count)


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Hold what the rounds of one text found, in ms."""

    name: str
    size: int
    median: float
    worst: float
    whole: float
    end: str


async def run() -> list[Found]:
    """Measure every text, and return the worst first."""
    parser = Parser(max_bytes=MAX_BYTES)
    gc.collect()
    gc.freeze()  # as the gateway does after its start
    found = []
    for text in TEXTS:
        sql = await fit(parser, text)
        rounds = [await measure(parser, sql) for _ in range(ROUNDS)]
        gaps = sorted(gap for gap, _, _ in rounds)
        found.append(
            Found(
                name=text.name,
                size=len(sql.encode()),
                median=gaps[ROUNDS // 2],
                worst=gaps[-1],
                whole=min(took for _, took, _ in rounds),
                end=rounds[0][2],
            )
        )
    parser.close()
    return sorted(found, key=lambda row: -row.median)


def main() -> None:
    """Measure and report."""
    print(
        f"{'ms: gap':>8}{'worst':>8}{'whole':>8}{'bytes':>8}  text (target: gaps below {TARGET} ms)"
    )
    for row in asyncio.run(run()):
        times = f"{row.median:>8.1f}{row.worst:>8.1f}{row.whole:>8.1f}"
        print(f"{times}{row.size:>8}  {row.name}: {row.end}")


if __name__ == "__main__":
    main()
