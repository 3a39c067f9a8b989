"""pg_admin on databases: listed, made, copied and dropped, with sessions in the way or not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.administering import calling, one, refusal, role, rows, session

NAME = 'admin "odd", Näme'  # confirm takes commas for separators


@pytest.fixture
async def made(cluster: ThrowawayCluster, call: Call) -> AsyncIterator[str]:
    """Make a database by the tool and drop it from outside."""
    await cluster.execute('DROP DATABASE IF EXISTS "admin ""odd"", Näme" WITH (FORCE)')
    await one(call, "create_database", name=NAME)
    yield NAME
    await cluster.execute('DROP DATABASE IF EXISTS "admin ""odd"", Näme" WITH (FORCE)')


async def test_a_database_is_made_with_owner_and_options(
    cluster: ThrowawayCluster, call: Call
) -> None:
    name = "admin_made"
    async with role(cluster, "admin_owner", "NOLOGIN"):
        answer = await one(
            call,
            "create_database",
            name=name,
            owner="admin_owner",
            template="template0",
            attributes=["ENCODING UTF8", "LOCALE C", "CONNECTION LIMIT 7"],
        )
        listed = await one(call, "databases", name=name)
        await one(call, "drop_database", name=name, confirm=name)

    assert (answer["database"], answer["owner"], answer["template"]) == (
        name,
        "admin_owner",
        "template0",
    )
    assert (listed["owner"], listed["connection_limit"], listed["encoding"]) == (
        "admin_owner",
        7,
        "UTF8",
    )
    assert listed["size"].endswith("kB")


async def test_a_pattern_narrows_the_list(call: Call) -> None:
    found = await rows(call, "databases", name="TEMPLATE*")

    assert [row["name"] for row in found] == ["template0", "template1"]


async def test_the_gateways_own_idle_sessions_stand_in_no_ones_way(made: str, call: Call) -> None:
    """A connection lies in the pool of the template and of the database to drop."""
    await rows(call, "extensions", database=made)
    await one(call, "create_database", name="admin_copy", template=made)
    await rows(call, "extensions", database="admin_copy")

    dropped = await one(call, "drop_database", name="admin_copy", confirm="admin_copy")

    assert dropped["change"] == "dropped"
    assert await rows(call, "databases", name="admin_copy") == []


async def test_the_default_database_can_be_copied(
    cluster: ThrowawayCluster, database: str, call: Call
) -> None:
    await rows(call, "extensions")

    await one(call, "create_database", name="admin_twin", template=database)

    assert await rows(call, "extensions", database="admin_twin")
    await cluster.drop_database("admin_twin")


async def test_a_template_in_use_says_who_uses_it(
    cluster: ThrowawayCluster, made: str, call: Call
) -> None:
    async with session(cluster, made) as other:
        text = await refusal(call, "create_database", name="admin_copy", template=made)

        assert "error 55006: source database" in text
        assert f'pid {other.get_server_pid()} (postgres, "somebody", ' in text


async def test_dropping_needs_the_name_and_says_what_would_go(made: str, call: Call) -> None:
    text = await refusal(call, "drop_database", name=made)

    assert "not confirmed, nothing was done" in text
    assert f'DROP DATABASE "{made}" (owner postgres, ' in text
    assert 'confirm="admin "odd",Näme"' in text
    assert await rows(call, "databases", name=made)


async def test_a_database_in_use_is_not_dropped_but_says_who_uses_it(
    cluster: ThrowawayCluster, made: str, call: Call
) -> None:
    async with session(cluster, made) as other:
        text = await refusal(call, "drop_database", name=made, confirm=made)

        assert f'database "{made}" is in use: 1 session: pid {other.get_server_pid()}' in text
        assert "full=true" in text
        assert await rows(call, "databases", name=made)


async def test_full_ends_the_sessions_after_naming_them(
    cluster: ThrowawayCluster, made: str, call: Call
) -> None:
    async with session(cluster, made) as other:
        text = await refusal(call, "drop_database", name=made, full=True)
        answer = await one(call, "drop_database", name=made, full=True, confirm=made)

        assert f"ending 1 session: pid {other.get_server_pid()}" in text
        assert answer["change"] == "dropped"
        assert await rows(call, "databases", name=made) == []


@pytest.mark.parametrize("name", ["template0", "template1", "postgres"])
async def test_the_servers_own_databases_are_never_dropped(call: Call, name: str) -> None:
    assert "part of every PostgreSQL server" in await refusal(
        call, "drop_database", name=name, confirm=name
    )


async def test_the_gateways_default_database_is_never_dropped(call: Call, database: str) -> None:
    text = await refusal(call, "drop_database", name=database, confirm=database, full=True)

    assert "the gateway uses where a call names none" in text


async def test_a_template_is_not_dropped(cluster: ThrowawayCluster, made: str, call: Call) -> None:
    await cluster.execute('ALTER DATABASE "admin ""odd"", Näme" IS_TEMPLATE true')

    text = await refusal(call, "drop_database", name=made, confirm=made)

    assert "is a template" in text
    await cluster.execute('ALTER DATABASE "admin ""odd"", Näme" IS_TEMPLATE false')


async def test_a_misspelt_database_is_met_with_the_nearest(call: Call) -> None:
    text = await refusal(call, "drop_database", name="templat1", confirm="templat1")

    assert 'database "templat1" does not exist. The nearest names are: template1' in text


async def test_a_name_that_postgresql_would_cut_is_refused(call: Call) -> None:
    assert "PostgreSQL keeps 63" in await refusal(call, "create_database", name="x" * 64)


async def test_a_login_without_createdb_learns_which_grant_it_lacks(
    cluster: ThrowawayCluster, database: str, made: str
) -> None:
    async with (
        role(cluster, "admin_plain"),
        calling(cluster, database, "admin_plain") as plain,
    ):
        creating = await refusal(plain, "create_database", name="admin_never")
        dropping = await refusal(plain, "drop_database", name=made, confirm=made)

    assert "error 42501: permission denied to create database" in creating
    assert "ALTER ROLE admin_plain CREATEDB" in creating
    assert "error 42501: must be owner of database" in dropping
    assert 'Näme" OWNER TO admin_plain; the operator runs it' in dropping
