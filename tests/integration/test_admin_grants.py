"""pg_admin on privileges: what is granted is there, what is not granted is an error."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.administering import (
    drops,
    one,
    refusal,
    report,
    session,
)

ROLES = ("admin_reader", "admin_other", "admin_team")
MADE = """
DROP SCHEMA IF EXISTS shop CASCADE;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int, total numeric, "Odd, Column" text);
CREATE TABLE shop."Odd ""T"" Table" (id int);
CREATE VIEW shop.totals AS SELECT total FROM shop.orders;
CREATE SEQUENCE shop.numbers;
CREATE TYPE shop.mood AS ENUM ('ok');
CREATE DOMAIN shop.price AS numeric;
CREATE FUNCTION shop.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION shop.f(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION shop.g(timestamp with time zone) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE shop.p() LANGUAGE sql AS 'SELECT 1';
"""
SINCE_OPTIONS = 16
SINCE_MAINTAIN = 17


@pytest.fixture(scope="module")
async def shop(cluster: ThrowawayCluster, database: str) -> AsyncIterator[str]:
    """Make a schema with one object of each kind, and roles to grant to."""
    await cluster.execute("; ".join([drops(*ROLES), *(f"CREATE ROLE {name}" for name in ROLES)]))
    await cluster.execute(MADE, database=database)
    yield database
    await cluster.execute(f"DROP OWNED BY {', '.join(ROLES)}", database=database)
    await cluster.execute(drops(*ROLES))


@pytest.fixture
async def server(
    cluster: ThrowawayCluster, shop: str
) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Look at the server from outside."""
    async with session(cluster, shop) as opened:
        yield opened


@pytest.mark.parametrize(
    ("on", "privileges", "has"),
    [
        pytest.param(
            "table shop.orders",
            ["SELECT", "INSERT"],
            "has_table_privilege('admin_reader', 'shop.orders', 'INSERT')",
            id="table",
        ),
        pytest.param(
            'table shop."Odd ""T"" Table"',
            ["ALL"],
            "has_table_privilege('admin_reader', 'shop.\"Odd \"\"T\"\" Table\"', 'TRUNCATE')",
            id="odd table",
        ),
        pytest.param(
            'table shop.orders (id, "Odd, Column")',
            ["UPDATE"],
            "has_column_privilege('admin_reader', 'shop.orders', 'Odd, Column', 'UPDATE')",
            id="columns",
        ),
        pytest.param(
            "view shop.totals",
            ["SELECT"],
            "has_table_privilege('admin_reader', 'shop.totals', 'SELECT')",
            id="view",
        ),
        pytest.param(
            "sequence shop.numbers",
            ["USAGE"],
            "has_sequence_privilege('admin_reader', 'shop.numbers', 'USAGE')",
            id="sequence",
        ),
        pytest.param(
            "schema shop",
            ["USAGE", "CREATE"],
            "has_schema_privilege('admin_reader', 'shop', 'CREATE')",
            id="schema",
        ),
        pytest.param(
            "function shop.f(integer)",
            ["EXECUTE"],
            "has_function_privilege('admin_reader', 'shop.f(int)', 'EXECUTE')",
            id="function",
        ),
        pytest.param(
            "function shop.g",
            ["EXECUTE"],
            "has_function_privilege('admin_reader', 'shop.g(timestamptz)', 'EXECUTE')",
            id="function without types",
        ),
        pytest.param(
            "procedure shop.p()",
            ["EXECUTE"],
            "has_function_privilege('admin_reader', 'shop.p()', 'EXECUTE')",
            id="procedure",
        ),
        pytest.param(
            "type shop.mood",
            ["USAGE"],
            "has_type_privilege('admin_reader', 'shop.mood', 'USAGE')",
            id="type",
        ),
        pytest.param(
            "domain shop.price",
            ["USAGE"],
            "has_type_privilege('admin_reader', 'shop.price', 'USAGE')",
            id="domain",
        ),
        pytest.param(
            "language plpgsql",
            ["USAGE"],
            "has_language_privilege('admin_reader', 'plpgsql', 'USAGE')",
            id="language",
        ),
        pytest.param(
            "parameter log_min_duration_statement",
            ["SET", "ALTER SYSTEM"],
            "has_parameter_privilege('admin_reader', 'log_min_duration_statement', 'ALTER SYSTEM')",
            id="parameter",
        ),
    ],
)
@pytest.mark.usefixtures("shop")
async def test_a_privilege_is_granted_and_revoked(
    call: Call,
    server: asyncpg.Connection[asyncpg.Record],
    on: str,
    privileges: list[str],
    has: str,
) -> None:
    granted = await one(call, "grant", on=on, to="admin_reader", privileges=privileges)
    allowed = await server.fetchval(f"SELECT {has}")
    revoked = await one(call, "revoke", on=on, to="admin_reader", privileges=privileges)

    assert allowed is True
    assert "admin_reader=" in granted["after"]
    assert granted["before"] != granted["after"]
    assert "admin_reader=" not in (revoked["after"] or "")


async def test_a_database_is_granted(
    call: Call, shop: str, server: asyncpg.Connection[asyncpg.Record]
) -> None:
    await one(
        call, "grant", on=f"database {shop}", to="admin_reader", privileges=["CREATE", "TEMP"]
    )

    assert await server.fetchval(
        "SELECT has_database_privilege('admin_reader', current_database(), 'CREATE')"
    )
    await one(call, "revoke", on=f"database {shop}", to="admin_reader", privileges=["ALL"])


@pytest.mark.usefixtures("shop")
async def test_all_tables_of_a_schema_are_counted(
    call: Call, server: asyncpg.Connection[asyncpg.Record]
) -> None:
    answer = await one(
        call, "grant", on="all tables in schema shop", to="admin_reader", privileges=["SELECT"]
    )

    assert answer["objects"] == "3"
    assert await server.fetchval(
        "SELECT bool_and(has_table_privilege('admin_reader', oid, 'SELECT')) FROM pg_class "
        "WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('r', 'v')"
    )
    await one(call, "revoke", on="all tables in schema shop", to="admin_reader", privileges=["ALL"])


@pytest.mark.usefixtures("shop")
async def test_future_tables_are_granted_when_they_are_made(
    call: Call, server: asyncpg.Connection[asyncpg.Record]
) -> None:
    on = "future tables in schema shop"
    answer = await one(call, "grant", on=on, to="admin_reader", privileges=["SELECT"])
    await server.execute("CREATE TABLE shop.later (id int)")

    assert answer["on"] == 'future tables of "postgres" in schema "shop"'
    assert await server.fetchval("SELECT has_table_privilege('admin_reader','shop.later','SELECT')")
    await one(call, "revoke", on=on, to="admin_reader", privileges=["SELECT"])
    await server.execute("DROP TABLE shop.later")


@pytest.mark.usefixtures("shop")
async def test_future_objects_of_another_role_are_granted(call: Call) -> None:
    answer = await one(
        call,
        "grant",
        on="future sequences",
        owner="admin_other",
        to="PUBLIC",
        privileges=["USAGE"],
    )

    assert answer["on"] == 'future sequences of "admin_other"'
    assert answer["to"] == "PUBLIC"
    await one(
        call,
        "revoke",
        on="future sequences",
        owner="admin_other",
        to="public",
        privileges=["USAGE"],
    )


@pytest.mark.usefixtures("shop")
async def test_membership_is_granted_and_revoked(
    call: Call, server: asyncpg.Connection[asyncpg.Record]
) -> None:
    granted = await one(
        call, "grant", on="role admin_team", to="admin_reader", attributes=["ADMIN OPTION"]
    )
    member = await server.fetchval("SELECT pg_has_role('admin_reader', 'admin_team', 'MEMBER')")
    narrowed = await one(
        call, "revoke", on="role admin_team", to="admin_reader", attributes=["ADMIN OPTION"]
    )
    revoked = await one(call, "revoke", on="role admin_team", to="admin_reader")

    assert member is True
    assert "ADMIN" in granted["after"]
    assert "ADMIN" not in narrowed["after"]
    assert revoked["after"] is None


@pytest.mark.usefixtures("shop")
async def test_membership_options_come_with_16(cluster: ThrowawayCluster, call: Call) -> None:
    known = cluster.major >= SINCE_OPTIONS
    text = await (_change if known else refusal)(
        call, "grant", on="role admin_team", to="admin_reader", attributes=["INHERIT FALSE"]
    )

    assert ("'after': 'member, SET (by postgres)'" in text) is known
    assert ("is not known here. Known are: ADMIN OPTION" in text) is not known
    await cluster.execute("REVOKE admin_team FROM admin_reader")


@pytest.mark.usefixtures("shop")
async def test_maintain_comes_with_17(cluster: ThrowawayCluster, call: Call) -> None:
    known = cluster.major >= SINCE_MAINTAIN
    text = await (_change if known else refusal)(
        call, "grant", on="table shop.orders", to="admin_reader", privileges=["MAINTAIN"]
    )

    assert ("MAINTAIN exists from PostgreSQL 17 on" in text) is not known
    await one(call, "revoke", on="table shop.orders", to="admin_reader", privileges=["ALL"])


@pytest.mark.usefixtures("shop")
async def test_what_a_role_passed_on_goes_with_full_and_confirm(
    cluster: ThrowawayCluster, shop: str, call: Call
) -> None:
    on = {"on": "table shop.orders", "to": "admin_reader", "privileges": ["SELECT"]}
    await one(call, "grant", **on, attributes=["GRANT OPTION"])
    await cluster.execute(
        "GRANT USAGE ON SCHEMA shop TO admin_reader; "
        "SET ROLE admin_reader; GRANT SELECT ON shop.orders TO admin_other",
        database=shop,
    )

    plain = await refusal(call, "revoke", **on)
    unconfirmed = await refusal(call, "revoke", **on, full=True)
    answer = await one(call, "revoke", **on, full=True, confirm="shop.orders")

    assert "error 2BP01: dependent privileges exist" in plain
    assert 'confirm="shop.orders"' in unconfirmed
    assert "admin_other" not in (answer["after"] or "")


@pytest.mark.usefixtures("shop")
async def test_granting_again_says_that_it_was_so(call: Call) -> None:
    on = {"on": "table shop.orders", "to": "admin_other", "privileges": ["DELETE"]}
    await one(call, "grant", **on)

    answer = await report(call, "grant", **on)

    assert answer["remarks"] == ["it was so before"]
    await one(call, "revoke", **on)


async def _change(call: Call, action: str, **arguments: object) -> str:
    return str(await one(call, action, **arguments))
