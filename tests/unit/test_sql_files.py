"""What every catalogue query must be, and that PostgreSQL takes each one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from pgmcp import sql as sql_package
from pgmcp.sql import VARIANT, VERSIONS_PER_MAJOR, load
from pgmcp.statement import Parser
from tests.cluster import ThrowawayCluster
from tests.traps import COMPARING, COMPUTING

ROOT = Path(sql_package.__file__).parent
FILES = sorted(path for path in ROOT.glob("*/*.sql") if path.parent.name != "demo")
MONITOR = [path for path in FILES if path.parent.name == "monitor"]
# A report runs with a search_path of pg_catalog alone, so that it may be written for reading;
# tests/integration/test_own_queries_trapped.py holds that, and the operators of the others.
NAMING = [path for path in FILES if path not in MONITOR]
# The sample data are scripts of many statements; every other file is one query of one action.
HEADER = re.compile(r"-- Purpose: .*\bNeeds: .*\bSince: 1[4-9]\.", re.DOTALL)
COMMENT = re.compile(r"(--[^\n]*\n)+")
MAX_BYTES = 64_000
Node = Any  # a JSON tree


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def action_of(path: Path) -> tuple[str, str]:
    variant = VARIANT.fullmatch(path.name)
    return path.parent.name, variant["action"] if variant else path.stem


ACTIONS = sorted({action_of(path) for path in FILES})
MONITOR_ACTIONS = [action for tool, action in ACTIONS if tool == "monitor"]


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    made = Parser(max_bytes=MAX_BYTES)
    yield made
    made.close()


def nodes(tree: Node, kind: str) -> Iterator[Node]:
    """Yield every node of *kind* anywhere in *tree*."""
    if isinstance(tree, list):
        for item in tree:
            yield from nodes(item, kind)
    elif isinstance(tree, dict):
        if kind in tree:
            yield tree[kind]
        for item in tree.values():
            yield from nodes(item, kind)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_says_what_it_is_for_and_what_it_needs(path: Path) -> None:
    header = COMMENT.match(path.read_text())

    assert header is not None
    assert HEADER.match(header[0])


@pytest.mark.parametrize("path", MONITOR, ids=name_of)
def test_a_report_states_its_units(path: Path) -> None:
    assert re.search(r"^-- Units: [a-z]", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", MONITOR, ids=name_of)
def test_a_report_fits_the_page(path: Path) -> None:
    assert max(map(len, path.read_text().splitlines())) <= 100


@pytest.mark.parametrize("path", FILES, ids=name_of)
async def test_a_file_is_one_query(path: Path, parser: Parser) -> None:
    statements = await parser.parse(path.read_text())

    assert [statement.kind for statement in statements] == ["SelectStmt"]


@pytest.mark.parametrize("path", FILES, ids=name_of)
async def test_every_relation_is_schema_qualified(path: Path, parser: Parser) -> None:
    """A table that somebody puts into public must not be read in place of a catalogue."""
    (statement,) = await parser.parse(path.read_text())
    own = {found["ctename"] for found in nodes(statement.node, "CommonTableExpr")}

    bare = {
        found["relname"] for found in nodes(statement.node, "RangeVar") if "schemaname" not in found
    }

    assert bare <= own


@pytest.mark.parametrize("path", NAMING, ids=name_of)
async def test_every_function_is_schema_qualified(path: Path, parser: Parser) -> None:
    """One of a better fitting type in public must not run in its place (CVE-2018-1058)."""
    (statement,) = await parser.parse(path.read_text())

    calls = [found["funcname"] for found in nodes(statement.node, "FuncCall")]

    assert [name for name in calls if name[0]["String"]["sval"] != "pg_catalog"] == []


@pytest.mark.parametrize("path", NAMING, ids=name_of)
async def test_the_traps_know_every_operator(path: Path, parser: Parser) -> None:
    """Whose operands then must fit exactly: tests/integration/test_own_queries_trapped.py."""
    (statement,) = await parser.parse(path.read_text())

    names = [found["name"] for found in nodes(statement.node, "A_Expr")]

    used = {name[0]["String"]["sval"] for name in names if len(name) == 1}
    assert used <= {*COMPARING, *COMPUTING}


@pytest.mark.parametrize("path", MONITOR, ids=name_of)
async def test_a_report_has_an_order(path: Path, parser: Parser) -> None:
    (statement,) = await parser.parse(path.read_text())

    assert statement.node["sortClause"]


@pytest.fixture(scope="module")
async def connection(
    cluster: ThrowawayCluster, database: str
) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Open a connection to a database with pg_stat_statements."""
    await cluster.execute("CREATE EXTENSION pg_stat_statements", database=database)
    opened = await cluster.connect(database)
    yield opened
    await opened.close()


@pytest.mark.parametrize(("tool", "action"), ACTIONS)
async def test_postgresql_can_plan_it(
    connection: asyncpg.Connection[asyncpg.Record], tool: str, action: str
) -> None:
    """Names and types are right on this version, with or without parameters."""
    major = connection.get_server_version().major

    prepared = await connection.prepare(load(tool, action, major * VERSIONS_PER_MAJOR))

    assert prepared.get_attributes()


@pytest.mark.parametrize("action", MONITOR_ACTIONS)
async def test_a_report_runs_as_the_file_is(
    connection: asyncpg.Connection[asyncpg.Record], action: str
) -> None:
    """As `psql -f` does, without the gateway around it."""
    major = connection.get_server_version().major

    async with connection.transaction(readonly=True):
        tag = await connection.execute(load("monitor", action, major * VERSIONS_PER_MAJOR))

    assert tag.startswith("SELECT ")


def test_the_highest_variant_that_the_server_reaches_is_taken() -> None:
    base, later = (load("monitor", "wal_checkpoints", version) for version in (169_999, 170_000))

    assert "pg_stat_bgwriter" in base
    assert "pg_stat_checkpointer" in later
    assert load("monitor", "wal_checkpoints", 190_000) == later


def test_variants_of_a_report_have_the_same_columns() -> None:
    """A client need not know the server's version to read an answer."""
    base, later = (load("monitor", "slow_queries", version) for version in (150_000, 180_000))
    last_select = re.compile(r"\nSELECT s\.queryid.*", re.DOTALL)

    assert base != later
    assert last_select.findall(base) == last_select.findall(later)


def test_an_unknown_action_is_a_bug_not_an_empty_query() -> None:
    with pytest.raises(FileNotFoundError):
        load("monitor", "nothing", 180_000)
