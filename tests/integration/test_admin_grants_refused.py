"""pg_admin on privileges: what is not there, not the gateway's or not harmless is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.administering import calling, drops, refusal, role

ROLES = ("admin_reader", "admin_other", "admin_team")
MADE = """
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int, total numeric);
CREATE TABLE shop."Odd ""T"" Table" (id int);
CREATE SEQUENCE shop.numbers;
CREATE FUNCTION shop.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION shop.f(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
"""


@pytest.fixture(scope="module")
async def shop(cluster: ThrowawayCluster, database: str) -> AsyncIterator[str]:
    """Make a schema with one object of each kind, and roles to grant to."""
    await cluster.execute("; ".join([drops(*ROLES), *(f"CREATE ROLE {name}" for name in ROLES)]))
    await cluster.execute(MADE, database=database)
    yield database
    await cluster.execute(f"DROP OWNED BY {', '.join(ROLES)}", database=database)
    await cluster.execute(drops(*ROLES))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param({"on": "table shop.ordrs"}, "on: table shop.ordrs does not exist", id="table"),
        pytest.param(
            {"on": "table shop.orders (nope)"}, "shop.orders has no column nope", id="column"
        ),
        pytest.param(
            {"on": "table shop.numbers"}, 'Write on="sequence shop.numbers"', id="sequence"
        ),
        pytest.param(
            {"on": "sequence shop.orders", "privileges": ["USAGE"]},
            'Write on="table shop.orders"',
            id="no sequence",
        ),
        pytest.param(
            {"on": "function shop.f", "privileges": ["EXECUTE"]},
            "there is no single routine shop.f",
            id="ambiguous function",
        ),
        pytest.param(
            {"on": "function shop.f(int) , shop.g()", "privileges": ["EXECUTE"]},
            "invalid type name",
            id="two functions",
        ),
        pytest.param(
            {"on": "all tables in schema nope"}, 'schema "nope" does not exist', id="schema"
        ),
        pytest.param({"on": "table pg_catalog.pg_authid"}, "PostgreSQL's own catalogue", id="own"),
        pytest.param(
            {"on": "function pg_read_file(text)", "privileges": ["EXECUTE"]},
            "PostgreSQL's own catalogue",
            id="own function",
        ),
        pytest.param(
            {"on": "all functions in schema pg_catalog", "privileges": ["EXECUTE"]},
            "PostgreSQL's own catalogue",
            id="own schema",
        ),
        pytest.param(
            {"on": "parameter archive_command", "privileges": ["ALTER SYSTEM"]},
            "run programs or load code",
            id="parameter",
        ),
        pytest.param({"to": "admin_none"}, 'to: role "admin_none" does not exist', id="to"),
        pytest.param({"to": "postgres"}, "the gateway itself uses", id="own role"),
        pytest.param({"owner": "admin_other"}, 'owner belongs to on="future', id="owner"),
        pytest.param({"on": "role admin_team"}, "privileges does not go with", id="role"),
    ],
)
@pytest.mark.usefixtures("shop")
async def test_what_cannot_be_granted_is_refused(
    call: Call, arguments: dict[str, object], words: str
) -> None:
    given = {"on": "table shop.orders", "to": "admin_reader", "privileges": ["SELECT"]}

    text = await refusal(call, "grant", **(given | arguments))

    assert words in text


@pytest.mark.parametrize(
    "on", ["role pg_execute_server_program", "role pg_read_server_files", "role admin_super"]
)
@pytest.mark.usefixtures("shop")
async def test_membership_that_reaches_the_operating_system_is_refused(
    cluster: ThrowawayCluster, call: Call, on: str
) -> None:
    async with role(cluster, "admin_super", "LOGIN SUPERUSER"):
        text = await refusal(call, "grant", on=on, to="admin_reader")

    assert "which reach the server's files and programs" in text


async def test_nothing_granted_is_an_error_although_postgresql_only_warns(
    cluster: ThrowawayCluster, shop: str
) -> None:
    """A role with some privilege on the table, but no grant option, grants nothing."""
    then = "GRANT USAGE ON SCHEMA shop TO admin_plain; GRANT SELECT ON shop.orders TO admin_plain"
    async with role(cluster, "admin_plain"):
        await cluster.execute(then, database=shop)
        async with calling(cluster, shop, "admin_plain") as plain:
            given = {"to": "admin_reader", "privileges": ["SELECT"]}
            warned = await refusal(plain, "grant", on="table shop.orders", **given)
            denied = await refusal(plain, "grant", on='table shop."Odd ""T"" Table"', **given)
            member = await refusal(plain, "grant", on="role admin_team", to="admin_reader")
        await cluster.execute("DROP OWNED BY admin_plain", database=shop)

    assert "nothing was changed on shop.orders. PostgreSQL says: WARNING" in warned
    assert "GRANT … TO admin_plain WITH GRANT OPTION" in warned
    assert "error 42501: permission denied for table" in denied
    assert 'GRANT "admin_team" TO admin_plain WITH ADMIN OPTION' in member
