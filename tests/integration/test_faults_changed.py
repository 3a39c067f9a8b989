"""What calls stand on changes under them, or was never there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pgmcp.errors import (
    Unavailable,
)
from pgmcp.http import Gateway
from pgmcp.settings import Settings
from tests.cluster import ThrowawayCluster
from tests.people import Person, adjusted, gateway_with, lent, refusal
from tests.witness import Witness, witnessing


@pytest.fixture
async def witness(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Witness]:
    async with witnessing(cluster, database) as looking:
        await looking.connection.execute(
            "DROP TABLE IF EXISTS t; CREATE TABLE t (id int); INSERT INTO t VALUES (0)"
        )
        yield looking


@pytest.fixture
async def gateway(settings: Settings) -> AsyncIterator[Gateway]:
    async with gateway_with(adjusted(settings, pools={"wait": 1})) as made:
        yield made


@pytest.fixture
def ana(gateway: Gateway) -> Person:
    return Person(gateway)


async def test_a_database_dropped_and_made_again_under_the_pool_works_at_once(
    gateway: Gateway, cluster: ThrowawayCluster, ana: Person
) -> None:
    await cluster.create_database("phoenix")
    await ana.call("pg_query", sql="SELECT 1", database="phoenix")
    await cluster.drop_database("phoenix")

    gone = await refusal(ana.query("SELECT 1", database="phoenix"))
    await cluster.create_database("phoenix")
    await cluster.execute("CREATE TYPE mood AS ENUM ('calm')", database="phoenix")

    assert 'database "phoenix" does not exist' in gone
    assert await ana.cell("SELECT 'calm'::mood", database="phoenix") == "calm"
    assert lent(gateway) == 0
    await gateway.databases.drain("phoenix")
    await cluster.drop_database("phoenix")


@pytest.mark.parametrize(
    ("columns", "change", "header"),
    [
        pytest.param("*", "ADD extra text", "id\textra\tpg_sleep", id="a column more"),
        pytest.param("id", "ALTER id TYPE text", "id", id="another type"),
    ],
)
async def test_a_table_altered_under_a_prepared_read_is_read_anew_without_a_word(
    ana: Person, witness: Witness, columns: str, change: str, header: str
) -> None:
    """All pooled connections hold the old plan, not only the one that meets it first."""
    sql = f"SELECT {columns} FROM t, pg_sleep(0.05)"
    await asyncio.gather(*(ana.query(sql) for _ in range(3)))
    assert len(await witness.pids()) == 3

    await witness.connection.execute(f"ALTER TABLE t {change}")

    answers = [await ana.query(sql) for _ in range(4)]
    assert {answer.text.split("\n")[0] for answer in answers} == {header}


async def test_a_table_altered_under_a_prepared_write_does_nothing_and_says_so(
    ana: Person, witness: Witness
) -> None:
    """A write is never repeated on its own, and the repeated call works."""
    sql = "INSERT INTO t SELECT 1 RETURNING *"
    await ana.write(sql)
    await witness.connection.execute("ALTER TABLE t ADD COLUMN extra text DEFAULT 'new'")

    words = await refusal(ana.write(sql))
    count = await witness.value("SELECT count(*) FROM t")
    again = await ana.write(sql)

    assert "a table changed since the statement was prepared. Nothing was done" in words
    assert count == 2
    assert again.text.split("\n")[0] == "id\textra"


async def test_a_table_altered_after_rollback_to_is_read_anew(
    ana: Person, witness: Witness
) -> None:
    handle = await ana.begin()
    await ana.tx("savepoint", session_id=handle, name="s")
    await ana.query("SELECT id FROM t", session_id=handle)
    await ana.tx("rollback_to", session_id=handle, name="s")  # lets go of the table's lock
    await witness.connection.execute("ALTER TABLE t ALTER id TYPE text USING 'text'")

    assert await ana.cell("SELECT id FROM t", session_id=handle) == "text"


async def test_a_table_altered_in_the_transaction_is_read_anew(ana: Person) -> None:
    """The DDL of one's own transaction must not abort it at the next read."""
    handle = await ana.begin(mode="ddl")
    await ana.query("SELECT id FROM t", session_id=handle)
    change = "ALTER TABLE t ALTER id TYPE text USING 'own'"
    await ana.call("pg_schema", action="alter", sql=change, session_id=handle)

    assert await ana.cell("SELECT id FROM t", session_id=handle) == "own"


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        pytest.param("boolean USING true", "t", id="bool"),
        pytest.param("inet USING '1.2.3.4'::inet", "1.2.3.4", id="inet"),
        pytest.param("character(6) USING 'ab'", "ab    ", id="padded"),
    ],
)
async def test_a_text_column_that_became_another_type_shows_that_types_own_text(
    ana: Person, witness: Witness, kind: str, shown: str
) -> None:
    """Its cells are sent as text, which hides the change from PostgreSQL's own check."""
    await witness.connection.execute(
        "DROP TABLE IF EXISTS w; CREATE TABLE w (a text); INSERT INTO w VALUES ('x')"
    )
    await ana.query("SELECT a FROM w")

    await witness.connection.execute(f"ALTER TABLE w ALTER a TYPE {kind}")

    assert (await ana.query("SELECT a FROM w")).text.split("\n")[1] == shown


async def test_a_table_dropped_and_made_again_under_a_prepared_read(
    ana: Person, witness: Witness
) -> None:
    await ana.query("SELECT * FROM t")
    await witness.connection.execute("DROP TABLE t; CREATE TABLE t (name text, id bigint)")

    assert (await ana.query("SELECT * FROM t")).text.split("\n")[0] == "name\tid"


async def test_a_database_that_does_not_exist_has_its_sentence(ana: Person) -> None:
    words = 'database "nope" does not exist. pg_monitor action=databases lists them.'

    assert words in await refusal(ana.query("SELECT 1", database="nope"))
    assert words in await refusal(ana.write("DELETE FROM t WHERE id = 1", database="nope"))
    assert words in await refusal(ana.tx("begin", database="nope"))


WRONG = [
    pytest.param({"password": "wr0ng"}, "refused the gateway's login", id="wrong password"),
    pytest.param({"user": "nobody_here"}, "refused the gateway's login", id="unknown role"),
    pytest.param({"host": "/nowhere"}, "cannot be reached at /nowhere", id="no such socket"),
    pytest.param({"host": "no.invalid"}, "cannot be reached at no.invalid", id="unknown host"),
    pytest.param(
        {"host": "127.0.0.1", "port": "1"}, "cannot be reached at 127.0.0.1", id="closed port"
    ),
]


@pytest.mark.parametrize(("wrong", "sentence"), WRONG)
async def test_a_server_that_cannot_be_logged_in_to_has_its_sentence(
    settings: Settings, wrong: dict[str, object], sentence: str
) -> None:
    async with gateway_with(adjusted(settings, server=wrong)) as gateway:
        with pytest.raises(Unavailable) as caught:
            await Person(gateway).query("SELECT 1")

        assert sentence in caught.value.message
        assert "The operator can" in caught.value.message
        assert "wr0ng" not in "\n".join(caught.value.lines())
        assert lent(gateway) == 0


async def test_a_wait_for_a_lock_has_its_own_limit_and_says_where_to_look(
    settings: Settings, witness: Witness
) -> None:
    quick = adjusted(settings, limits={"lock_timeout": 0.1})
    async with gateway_with(quick) as gateway, witness.connection.transaction():
        await witness.connection.execute("LOCK TABLE t")

        words = await refusal(Person(gateway).query("SELECT * FROM t"))

    assert "55P03" in words
    assert "pg_monitor action=locks" in words
