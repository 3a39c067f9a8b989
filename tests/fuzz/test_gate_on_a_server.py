"""What the gate says of a text is true for PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pgmcp.errors import CallerError, QueryFailed
from pgmcp.statement import Parser
from tests.cluster import ThrowawayCluster
from tests.fuzz.grammar import CHANGES, nested, reads, spelled_calls
from tests.fuzz.texts import bounded, mutated

WORLD = Path(__file__).with_name("world.sql").read_text(encoding="utf-8")
LIMIT = "SET statement_timeout = '2s'"
# All that a statement could change here, and what it could leave behind in its session.
STATE = """
SELECT concat_ws(' | ',
    (SELECT string_agg(t::text, ',' ORDER BY id) FROM t),
    (SELECT string_agg(u::text, ',' ORDER BY id) FROM u),
    (SELECT last_value::text || is_called::text FROM s),
    (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
    (SELECT count(*) FROM pg_prepared_xacts), (SELECT count(*) FROM pg_largeobject_metadata),
    (SELECT count(*) FROM pg_replication_slots), (SELECT count(*) FROM pg_listening_channels()),
    (SELECT string_agg(name || setting, ',' ORDER BY name) FROM pg_settings
      WHERE source = 'session'))
"""


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    made = Parser(max_bytes=64_000)
    yield made
    made.close()


@pytest.fixture(scope="module")
async def server(cluster: ThrowawayCluster, database: str) -> AsyncIterator[asyncpg.Connection]:
    """Be connected as the superuser, whom only the gate and READ ONLY hold."""
    await cluster.execute(WORLD, database=database)
    connection = await cluster.connect(database)
    await connection.execute(LIMIT)
    yield connection
    await connection.close()


async def run_reading(server: asyncpg.Connection, sql: str) -> None:
    """Run *sql* as a read, and let PostgreSQL refuse it."""
    transaction = server.transaction(readonly=True)
    await transaction.start()
    try:
        await server.fetch(sql)
    except (asyncpg.PostgresError, asyncpg.InterfaceError):
        pass  # whether it works is not the question
    finally:
        await transaction.rollback()


@bounded(150)
@given(sql=st.one_of(reads(), mutated(), st.sampled_from(CHANGES).flatmap(nested)))
async def test_what_is_called_a_read_changes_nothing(
    parser: Parser, server: asyncpg.Connection, sql: str
) -> None:
    try:
        statement = await parser.parse_one(sql)
    except (CallerError, QueryFailed):
        assume(False)  # noqa: FBT003 - the way hypothesis has it
        raise
    assume((statement.tool, statement.level) == ("pg_query", "read"))
    before = await server.fetchval(STATE)

    await run_reading(server, statement.sql)

    assert await server.fetchval(STATE) == before
    assert await server.fetchval("SELECT current_user = session_user")


async def words_of_the_server(server: asyncpg.Connection, sql: str) -> str:
    """Return PostgreSQL's error when it parses *sql*, "" for none; nothing is run."""
    try:
        await server.prepare(sql)
    except asyncpg.PostgresError as error:
        return str(error.message)
    except (asyncpg.InterfaceError, asyncpg.InternalClientError, UnicodeError):
        return ""
    return ""


GRAMMAR = 18  # libpg_query's
RAW = ("syntax error", "unterminated", "invalid Unicode escape", "trailing junk")
# The gate's parser takes $1 in more places, and words right behind it; PostgreSQL refuses these.
LAXER = ('at or near "$', "trailing junk after parameter")


@bounded(300)
@given(sql=st.one_of(mutated(), reads(), spelled_calls().map("SELECT {}".format)))
async def test_one_statement_is_one_for_postgresql_too(
    parser: Parser, server: asyncpg.Connection, sql: str
) -> None:
    """The server's lexer and grammar find no other end, and no other statement."""
    try:
        statement = await parser.parse_one(sql)
    except (CallerError, QueryFailed):
        assume(False)  # noqa: FBT003 - the way hypothesis has it
        raise

    words = await words_of_the_server(server, statement.sql)

    newer = server.get_server_version().major < GRAMMAR  # its grammar lacks what came since
    assert "multiple commands" not in words
    assert newer or not words.startswith(RAW) or any(place in words for place in LAXER)


@pytest.fixture(scope="module")
def same_grammar(cluster: ThrowawayCluster) -> None:
    """Skip where the server's grammar is not the gate's."""
    if cluster.major != GRAMMAR:
        pytest.skip(f"the gate's grammar is PostgreSQL {GRAMMAR}'s, not {cluster.major}'s")


async def words_of_the_gate(parser: Parser, sql: str) -> str:
    """Return the grammar's error about *sql*, "" for none."""
    try:
        await parser.parse(sql)
    except QueryFailed as error:
        return error.report.message
    except CallerError:
        return ""
    return ""


@pytest.mark.usefixtures("same_grammar")
@bounded(500)
@given(sql=mutated())
async def test_what_does_not_parse_has_the_servers_words(
    parser: Parser, server: asyncpg.Connection, sql: str
) -> None:
    words = await words_of_the_gate(parser, sql)
    assume(words)

    theirs = await words_of_the_server(server, sql)
    assert theirs == words or any(place in theirs for place in LAXER)
