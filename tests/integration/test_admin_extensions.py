"""pg_admin on extensions: offered, installed, updated and dropped with what depends on them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster, throwaway_cluster
from tests.integration.administering import calling, one, refusal, report, role, rows

USES_HSTORE = """
CREATE TABLE things (id int, facts hstore);
CREATE VIEW facts AS SELECT facts -> 'a' AS a FROM things;
"""


@pytest.fixture
async def clean(cluster: ThrowawayCluster, database: str) -> AsyncIterator[None]:
    """Drop what a test installs."""
    yield
    await cluster.execute(
        "DROP TABLE IF EXISTS things CASCADE; DROP SCHEMA IF EXISTS more CASCADE;"
        "DROP EXTENSION IF EXISTS hstore, pg_trgm, cube, earthdistance, pg_stat_statements CASCADE",
        database=database,
    )


async def test_installed_and_offered_extensions_are_listed(call: Call) -> None:
    installed = await report(call, "extensions")
    offered = await rows(call, "extensions", full=True, name="earth*")

    assert [row[0] for row in installed["rows"]] == ["plpgsql"]
    assert installed["remarks"] == ["full=true lists what can be installed"]
    assert [(row["name"], row["requires"]) for row in offered] == [("earthdistance", "cube")]


@pytest.mark.usefixtures("clean")
async def test_an_extension_is_installed_into_a_schema_and_updated(
    cluster: ThrowawayCluster, database: str, call: Call
) -> None:
    await cluster.execute("CREATE SCHEMA more", database=database)

    installed = await one(call, "create_extension", name="pg_trgm", schema="more", value="1.5")
    again = await refusal(call, "create_extension", name="pg_trgm")
    updated = await one(call, "create_extension", name="pg_trgm", value="1.6")

    assert installed["change"] == "installed"
    assert (installed["version"], installed["schema"]) == ("1.5", "more")
    assert 'installed already, version 1.5. value="1.6" updates it' in again
    assert (updated["change"], updated["version"]) == ("updated", "1.6")


@pytest.mark.usefixtures("clean")
async def test_what_an_extension_requires_comes_with_full(call: Call) -> None:
    text = await refusal(call, "create_extension", name="earthdistance")
    answer = await report(call, "create_extension", name="earthdistance", full=True)

    assert 'required extension "cube" is not installed' in text
    assert "it needs cube, earthdistance; full=true installs those too" in text
    assert answer["notices"] == ['NOTICE: installing required extension "cube"']


async def test_an_extension_without_its_library_says_what_is_missing(
    cluster: ThrowawayCluster,
) -> None:
    options = {"shared_preload_libraries": ""}
    with throwaway_cluster(cluster.major, options=options) as bare:
        async with calling(bare, "postgres") as call:
            answer = await report(call, "create_extension", name="pg_stat_statements")

    assert "adds it to shared_preload_libraries" in answer["remarks"][0]


async def test_a_misspelt_extension_is_met_with_the_nearest(call: Call) -> None:
    text = await refusal(call, "create_extension", name="pg_trgmm")

    assert 'extension "pg_trgmm" is not on this server. The nearest names are: pg_trgm' in text


async def test_an_extension_that_reads_the_servers_files_is_refused(call: Call) -> None:
    text = await refusal(call, "create_extension", name="file_fdw")

    assert "run code or read files on the server" in text


@pytest.mark.usefixtures("clean")
async def test_dropping_needs_the_name(call: Call) -> None:
    await one(call, "create_extension", name="hstore")

    text = await refusal(call, "drop_extension", name="hstore")
    answer = await one(call, "drop_extension", name="hstore", confirm="hstore")

    assert 'would DROP EXTENSION "hstore" 1.8 from database' in text
    assert answer["change"] == "dropped"
    assert await rows(call, "extensions", name="hstore") == []


@pytest.mark.usefixtures("clean")
async def test_what_depends_on_an_extension_is_named_and_goes_with_full_only(
    cluster: ThrowawayCluster, database: str, call: Call
) -> None:
    await one(call, "create_extension", name="hstore")
    await cluster.execute(USES_HSTORE, database=database)

    plain = await refusal(call, "drop_extension", name="hstore", confirm="hstore")
    unconfirmed = await refusal(call, "drop_extension", name="hstore", full=True)
    answer = await one(call, "drop_extension", name="hstore", full=True, confirm="hstore")

    named = "2 objects: column facts of table things, view facts"
    assert f'"hstore" cannot be dropped alone: {named}' in plain
    assert f"and with it (CASCADE) {named}" in unconfirmed
    assert answer["dropped_with_it"] == "2"


async def test_an_extension_that_is_not_installed_is_not_dropped(call: Call) -> None:
    assert 'extension "hstore" is not installed in database' in await refusal(
        call, "drop_extension", name="hstore", confirm="hstore"
    )


@pytest.mark.usefixtures("clean")
async def test_a_plain_login_learns_which_grant_it_lacks(
    cluster: ThrowawayCluster, database: str, call: Call
) -> None:
    await one(call, "create_extension", name="hstore")
    async with (
        role(cluster, "admin_plain"),
        calling(cluster, database, "admin_plain") as plain,
    ):
        trusted = await refusal(plain, "create_extension", name="pg_trgm")
        untrusted = await refusal(plain, "create_extension", name="pg_stat_statements")
        dropping = await refusal(plain, "drop_extension", name="hstore", confirm="hstore")

    assert "error 42501: permission denied to create extension" in trusted
    assert f'GRANT CREATE ON DATABASE "{database}" TO admin_plain' in trusted
    assert "only a superuser installs it" in untrusted
    assert "must be owner of extension hstore" in dropping
