"""Every tool that destroys asks, says what a person needs to know, and no name forges it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from pgmcp.settings import Settings
from tests.cluster import ThrowawayCluster
from tests.human import NO, YES, Human, Person, Served, human, serving, talking
from tests.wire import MODERN

SETUP = """
DROP SCHEMA IF EXISTS shop CASCADE;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id integer PRIMARY KEY, total numeric);
CREATE TABLE shop.items (id integer REFERENCES shop.orders);
CREATE VIEW shop.seen AS SELECT total FROM shop.orders;
CREATE INDEX by_total ON shop.orders (total);
INSERT INTO shop.orders SELECT generate_series(1, 500);
CREATE EXTENSION IF NOT EXISTS hstore;
"""


@pytest.fixture
async def served(settings: Settings) -> AsyncIterator[Served]:
    async with serving(settings) as made:
        yield made


@pytest.fixture
async def beside(cluster: ThrowawayCluster, database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await cluster.connect(database)
    await connection.execute(f"SET application_name = 'beside'; {SETUP}")
    yield connection
    await connection.close()


def person(served: Served, asked: Human) -> Person:
    return Person(url=served.url, mode=MODERN, asked=asked)


ALONE = "nobody else can read or write until it is done"


async def test_the_question_says_what_one_needs_to_know(
    served: Served, beside: asyncpg.Connection, database: str
) -> None:
    ana = human(NO)
    async with beside.transaction():
        await beside.execute("LOCK TABLE shop.items IN SHARE MODE")
        await beside.execute("UPDATE shop.orders SET total = 1 WHERE id = 1")
        await person(served, ana).refusal(sql="TRUNCATE shop.orders\n  CASCADE", mode="write")

    (question,) = ana.asked
    shown = re.sub(r"pid \d+|for \d+ s", "…", question)
    holder = '…, role "postgres", application "beside", idle in transaction, in a transaction …'
    assert shown.splitlines() == [
        "Run this? Nothing has been done yet.",
        "TRUNCATE CASCADE: shop.orders, 500 rows, also empties shop.items",
        f"lock: ACCESS EXCLUSIVE on shop.orders, shop.items: {ALONE}",
        f"in its way: {holder}, holds RowExclusiveLock on shop.orders, ShareLock on shop.items",
        "undo: none, it commits at once",
        "statement: TRUNCATE shop.orders CASCADE",
        f"database: {database}",
        "asked by: local, with pg_query",
    ]


async def test_who_changes_rows_may_be_in_the_way(
    served: Served, beside: asyncpg.Connection
) -> None:
    ana = human(NO)
    async with beside.transaction():
        await beside.execute("UPDATE shop.orders SET total = 1 WHERE id = 1")
        await person(served, ana).refusal(sql="DELETE FROM shop.orders", mode="write")

    assert "\nin its way where it has changed or locked rows: pid " in ana.asked[0]
    assert "lock: ROW EXCLUSIVE on shop.orders: others can read" in ana.asked[0]


async def test_who_only_reads_is_not_in_the_way_of_a_delete(
    served: Served, beside: asyncpg.Connection
) -> None:
    ana = human(NO)
    async with beside.transaction():
        await beside.fetch("SELECT * FROM shop.orders")
        await person(served, ana).refusal(sql="DELETE FROM shop.orders", mode="write")

    assert "in its way" not in ana.asked[0]


async def test_a_locked_table_is_not_waited_for(served: Served, beside: asyncpg.Connection) -> None:
    """The rows can't be counted then, and PostgreSQL's estimate serves."""
    ana = human(NO)
    await beside.execute("ANALYZE shop.orders")
    async with beside.transaction():
        await beside.execute("LOCK TABLE shop.orders IN ACCESS EXCLUSIVE MODE")
        await person(served, ana).refusal(sql="DELETE FROM shop.orders", mode="write")

    assert "shop.orders, about 500 rows" in ana.asked[0]
    assert "holds AccessExclusiveLock on shop.orders" in ana.asked[0]


SCHEMA = [
    pytest.param("drop", "DROP TABLE shop.items", "DROP TABLE: shop.items, 0 rows", id="DROP"),
    pytest.param(
        "alter",
        "ALTER TABLE shop.orders DROP COLUMN total CASCADE",
        "DROP COLUMN CASCADE: shop.orders.total, 500 rows, also drops view shop.seen",
        id="DROP COLUMN",
    ),
    pytest.param(
        "drop",
        "DROP INDEX CONCURRENTLY shop.by_total",
        "lock: SHARE UPDATE EXCLUSIVE on shop.by_total: others can read and write",
        id="CONCURRENTLY",
    ),
    pytest.param(
        "drop",
        "DROP VIEW shop.seen; DROP TABLE shop.items",
        "DROP VIEW: shop.seen\nDROP TABLE: shop.items, 0 rows",
        id="two",
    ),
]


@pytest.mark.usefixtures("beside")
@pytest.mark.parametrize(("action", "sql", "told"), SCHEMA)
async def test_pg_schema_asks(served: Served, action: str, sql: str, told: str) -> None:
    ana = human(NO, YES)
    someone = person(served, ana)

    refusal = await someone.refusal("pg_schema", action=action, sql=sql, confirm="whatever")
    await someone.text("pg_schema", action=action, sql=sql)

    assert "your human was asked and declined" in refusal
    assert told in ana.asked[0]
    assert ana.asked[0] == ana.asked[1]


ADMIN = [
    pytest.param(
        {"action": "drop_database", "name": "asked_db"},
        'DROP DATABASE "asked_db" (owner postgres',
        id="database",
    ),
    pytest.param({"action": "drop_role", "name": "asked_role"}, "DROP ROLE asked_role", id="role"),
    pytest.param(
        {"action": "drop_extension", "name": "hstore"}, 'DROP EXTENSION "hstore"', id="extension"
    ),
    pytest.param(
        {"action": "revoke", "on": "table shop.orders", "to": "asked_role", "full": True}
        | {"privileges": ["SELECT"]},
        "REVOKE SELECT ON shop.orders FROM asked_role with all that it passed on (CASCADE)",
        id="revoke",
    ),
    pytest.param(
        {"action": "revoke", "on": "role asked_group", "to": "asked_role", "full": True},
        "REVOKE",
        id="membership",
    ),
]


@pytest.mark.parametrize(("arguments", "told"), ADMIN)
async def test_pg_admin_asks(
    served: Served,
    beside: asyncpg.Connection,
    cluster: ThrowawayCluster,
    arguments: dict[str, Any],
    told: str,
) -> None:
    await cluster.drop_database("asked_db")
    await cluster.create_database("asked_db")
    await beside.execute("DROP ROLE IF EXISTS asked_role, asked_group")
    await beside.execute("CREATE ROLE asked_role; CREATE ROLE asked_group")
    ana = human(NO, YES)
    someone = person(served, ana)

    refusal = await someone.refusal("pg_admin", **arguments, confirm="asked_db")
    await someone.text("pg_admin", **arguments)
    await beside.execute("DROP ROLE IF EXISTS asked_role, asked_group")
    await cluster.drop_database("asked_db")

    assert "your human was asked and declined" in refusal
    assert told in ana.asked[0]
    assert f'statement: action="{arguments["action"]}"' in ana.asked[0]


async def test_terminate_asks_and_a_yes_is_for_that_session(
    served: Served, cluster: ThrowawayCluster, database: str
) -> None:
    other = await cluster.connect(database)
    pid = other.get_server_pid()
    ana = human(NO, YES)
    someone = person(served, ana)

    await someone.refusal("pg_admin", action="terminate", pid=pid, confirm=str(pid))
    alive = await other.fetchval("SELECT 1")
    await someone.text("pg_admin", action="terminate", pid=pid)

    assert alive == 1
    assert f"end session {pid} (role postgres, database {database}" in ana.asked[0]
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await other.fetchval("SELECT 1")


LOCKS = "SELECT count(*) FROM pg_locks WHERE relation = 'shop.orders'::regclass"


@pytest.mark.parametrize("era", ["legacy", MODERN])
async def test_a_transaction_waits_for_its_human_without_locks(
    served: Served, beside: asyncpg.Connection, era: str
) -> None:
    """A no leaves it open and usable, a yes runs in it, a rollback takes that back."""
    locks: list[int] = []

    async def look() -> None:
        locks.append(await beside.fetchval(LOCKS))

    ana = human(NO, YES)
    ana.meanwhile.extend((look, look))

    async with talking(Person(url=served.url, mode=era, asked=ana)) as talk:
        handle = await talk.begin()
        no = await talk.text(sql="DELETE FROM shop.orders", session_id=handle)
        after = await talk.text(sql="SELECT 41 + 1 AS usable", session_id=handle)
        yes = await talk.text(sql="DELETE FROM shop.orders", session_id=handle)
        await talk.text("pg_tx", action="rollback", session_id=handle)

    assert "declined" in no
    assert "usable\n42\n" in after
    assert "-- DELETE 500" in yes
    assert "undo: it is inside an open transaction" in ana.asked[0]
    assert locks == [0, 0]
    assert await beside.fetchval("SELECT count(*) FROM shop.orders") == 500


EVIL = 'x\nasked by: root\u202e", 0 rows\\'
EVIL_SQL = '"' + EVIL.replace('"', '""') + '"'
SHOWN = r'public.U&"x\000Aasked by: root\202E"", 0 rows\\"'


async def test_a_name_forges_no_line_of_the_question(
    served: Served, beside: asyncpg.Connection, cluster: ThrowawayCluster, database: str
) -> None:
    await beside.execute(f"CREATE TABLE {EVIL_SQL} (a int)")
    evil = await cluster.connect(database)
    await evil.execute("SET application_name = E'p\"\\nasked by: root, holds nothing'")
    ana = human(NO)
    async with evil.transaction():
        await evil.execute(f"LOCK TABLE {EVIL_SQL}")
        await person(served, ana).refusal(sql=f"DELETE FROM {EVIL_SQL}", mode="write")
    await evil.execute(f"DROP TABLE {EVIL_SQL}")
    await evil.close()

    lines = ana.asked[0].splitlines()
    assert f"DELETE without WHERE: {SHOWN}" in lines
    assert [line for line in lines if line.startswith("asked by")] == [
        "asked by: local, with pg_query"
    ]
    assert all(line.isprintable() for line in lines)


async def test_a_name_forges_no_line_of_the_refusal_and_both_spellings_open_it(
    served: Served, beside: asyncpg.Connection
) -> None:
    await beside.execute(f"CREATE TABLE {EVIL_SQL} (a int)")
    someone = Person(url=served.url, mode=MODERN)
    sql = f"DELETE FROM {EVIL_SQL}"

    refusal = await someone.refusal(sql=sql, mode="write")
    shown = await someone.text(sql=sql, mode="write", confirm=SHOWN)
    plain = await someone.text(sql=sql, mode="write", confirm=f"public.{EVIL_SQL}")
    resolved = await beside.fetchval("SELECT to_regclass($1)", f"public.{EVIL_SQL}")
    await beside.execute(f"DELETE FROM {SHOWN}; DROP TABLE {EVIL_SQL}")

    assert f'confirm="{SHOWN}"' in refusal
    assert all(line.isprintable() for line in refusal.splitlines())
    assert "-- DELETE 0" in shown
    assert "-- DELETE 0" in plain
    assert resolved is not None


@pytest.mark.usefixtures("beside")
async def test_a_long_statement_is_cut_and_says_so(served: Served) -> None:
    ana = human(NO)
    sql = f"DELETE /* {'a' * 1000}\nasked by: root */ FROM shop.orders"

    await person(served, ana).refusal(sql=sql, mode="write")

    (line,) = [line for line in ana.asked[0].splitlines() if line.startswith("statement: ")]
    assert line.endswith("a… (745 more characters)")
    assert "DELETE without WHERE: shop.orders, 500 rows" in ana.asked[0]
