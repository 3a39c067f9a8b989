"""What the gate judges is what PostgreSQL runs, whatever the database is set to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pgmcp.settings import Settings
from tests.cluster import ThrowawayCluster
from tests.people import Person, gateway_with, refusal


@pytest.fixture
async def ana(
    cluster: ThrowawayCluster, database: str, settings: Settings
) -> AsyncIterator[Person]:
    """Call a gateway on a database where a backslash escapes in ordinary strings."""
    await cluster.execute(
        f"""ALTER DATABASE "{database}" SET standard_conforming_strings = off;""",
        database=database,
    )
    await cluster.execute(
        """DROP TABLE IF EXISTS z; CREATE TABLE z (id int); INSERT INTO z VALUES (1), (2);
           CREATE OR REPLACE FUNCTION loosen() RETURNS int LANGUAGE plpgsql AS $$
           BEGIN SET standard_conforming_strings = off; RETURN 1; END $$""",
        database=database,
    )
    async with gateway_with(settings) as gateway:
        yield Person(gateway)


HIDDEN_CALL = "SELECT 'a\\' || ', pg_backend_pid() --'"
HIDDEN_DELETE = (
    "WITH a AS (SELECT 'a\\' || ' ), b AS (DELETE FROM z RETURNING *) "
    "SELECT * FROM b --' ) SELECT 1"
)


async def test_a_backslash_is_no_escape_where_the_database_says_it_is(ana: Person) -> None:
    assert await ana.cell(HIDDEN_CALL) == "a\\\\, pg_backend_pid() --"


async def test_no_delete_hides_behind_a_backslash(ana: Person) -> None:
    await ana.write(HIDDEN_DELETE)

    assert await ana.cell("SELECT count(*) FROM z") == "2"


async def test_a_function_cannot_loosen_the_strings_of_the_next_statement(ana: Person) -> None:
    handle = await ana.begin(mode="write")
    await ana.query("SELECT loosen()", session_id=handle)

    await ana.query(HIDDEN_DELETE, session_id=handle)

    assert await ana.cell("SELECT count(*) FROM z", session_id=handle) == "2"
    await refusal(ana.query("DELETE FROM z", session_id=handle))
    await ana.tx("rollback", session_id=handle)


async def test_a_cast_to_text_of_the_users_own_does_not_replace_the_types_text(
    ana: Person, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute(
        """DROP SCHEMA IF EXISTS own CASCADE; CREATE SCHEMA own;
           CREATE TYPE own.mood AS ENUM ('a', 'b');
           CREATE FUNCTION own.shout(own.mood) RETURNS text LANGUAGE sql AS $$ SELECT 'loud' $$;
           CREATE CAST (own.mood AS text) WITH FUNCTION own.shout(own.mood)""",
        database=database,
    )

    assert await ana.cell("SELECT 'a'::own.mood AS m") == "a"
    assert await ana.cell("SELECT NULL::own.mood AS m") == "\\N"
