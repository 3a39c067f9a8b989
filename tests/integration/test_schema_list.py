"""pg_schema list and search: what is here, and where is what I remember half."""

from __future__ import annotations

import time

import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.schema_shop import SHOP, ask, cells, facts, refusal
from tests.integration.watching import session


@pytest.fixture(scope="module", autouse=True)
async def shop(cluster: ThrowawayCluster, database: str) -> str:
    """Fill the module's database."""
    await cluster.execute(SHOP, database=database)
    return database


async def test_list_with_nothing_gives_all_tables_and_views_one_row_each(call: Call) -> None:
    """A stranger's first question is "what is here?"."""
    found = cells(await ask(call, "list"))

    assert [row[:3] for row in found] == [
        ['"Odd Space"', '"Odd.Table"', "table"],
        ["other", "same", "table"],
        ["public", "people", "table"],
        ["public", "students", "table"],
        ["public", "twin", "table"],
        ["shop", "customers", "table"],
        ["shop", "events", "partitioned table"],
        ["shop", "order_items", "table"],
        ["shop", "orders", "table"],
        ["shop", "same", "table"],
        ["shop", "twin", "table"],
        ["shop", "recent", "view"],
        ["shop", "sums", "materialized view"],
    ]


async def test_list_tells_rows_size_and_comment(call: Call) -> None:
    """A row count nobody made is NULL, a partitioned table has its partitions' sums."""
    by_name = {row[1]: row[3:] for row in cells(await ask(call, "list", schema="shop"))}

    assert by_name["orders"][0] == "2000"
    assert by_name["orders"][1].endswith("kB")
    assert by_name["events"][0] == "500"
    assert by_name["same"] == ["\\N", "0 bytes", "\\N"]
    assert by_name["recent"] == ["\\N", "\\N", "\\N"]
    assert by_name["customers"][2] == "who buys\\n-- 1 row, 0.1 ms"


async def test_list_of_a_schema_shows_its_code_as_well(call: Call) -> None:
    """A function's name is what describe takes; an extension's objects are left out."""
    found = {tuple(row[1:3]) for row in cells(await ask(call, "list", schema="SHOP"))}

    assert ("area(integer, integer)", "function") in found
    assert ("tidy()", "procedure") in found
    assert ("order_status", "type") in found
    assert ("email", "domain") in found
    assert not [name for name, _ in found if "stat_statements" in name or "multirange" in name]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        pytest.param("table", {"customers", "orders", "order_items", "events", "same", "twin"}),
        pytest.param("view", {"recent", "sums"}),
        pytest.param("materialized view", {"sums"}),
        pytest.param("partitioned table", {"events"}),
        pytest.param("partition", {"events_2025", "events_rest"}),
        pytest.param("foreign table", set()),
        pytest.param("sequence", {"invoice", "orders_id_seq"}),
        pytest.param("procedure", {"tidy()"}),
        pytest.param("aggregate", set()),
        pytest.param("domain", {"email"}),
        pytest.param("type", {"address", "order_status", "price_range"}),
        pytest.param("trigger", {"touch on orders"}),
        pytest.param("policy", {"own on orders"}),
        pytest.param("schema", {"shop"}),
        pytest.param("extension", {"pg_stat_statements"}),
    ],
)
async def test_list_by_kind(call: Call, kind: str, names: set[str]) -> None:
    """Every kind lists its own; table and view are the wide words."""
    found = cells(await ask(call, "list", schema="shop", kind=kind))

    assert {row[1] for row in found} == names


@pytest.mark.parametrize("kind", ["index", "constraint", "function"])
async def test_list_by_kind_of_many(call: Call, kind: str) -> None:
    """Kinds with many objects list them, without a partition's copies."""
    found = {row[1] for row in cells(await ask(call, "list", schema="shop", kind=kind))}

    assert found & {"orders_pkey", "total_positive on orders", "touch()"}


async def test_list_takes_a_pattern(call: Call) -> None:
    """The pattern's rule: part of a name, or * for anything, without regard to case."""
    found = cells(await ask(call, "list", pattern="ORDER"))
    ending = cells(await ask(call, "list", pattern="*s"))
    underscore = cells(await ask(call, "list", pattern="order_"))

    assert [row[1] for row in found] == ["order_items", "orders"]
    assert "people" not in [row[1] for row in ending]
    assert [row[1] for row in underscore] == ["order_items"]


async def test_list_says_how_to_see_the_rest(call: Call) -> None:
    """Nothing is cut silently."""
    text = await ask(call, "list", max_rows=2)

    assert text.split("\n")[-1].startswith("-- 2 rows shown, more exist")
    assert "narrow it with schema, kind or pattern, or raise max_rows" in text


async def test_list_of_nothing_says_so(call: Call) -> None:
    """An empty answer tells what to change."""
    assert "nothing fits" in await ask(call, "list", pattern="nosuchthing")


async def test_list_knows_system_schemas_when_named(call: Call) -> None:
    """They are left out otherwise."""
    found = {row[1] for row in cells(await ask(call, "list", schema="pg_catalog", kind="view"))}

    assert "pg_stat_activity" in found


async def test_list_of_an_unknown_schema_names_the_nearest(call: Call) -> None:
    """A misspelt schema is no empty answer."""
    text = await refusal(call, "list", schema="shpo")

    assert 'schema "shpo" does not exist' in text
    assert "The nearest name is shop." in text


async def test_list_of_columns_names_the_right_action(call: Call) -> None:
    """List shows objects; a column is part of one."""
    assert "action=describe" in await refusal(call, "list", kind="column")


async def test_list_as_json_has_typed_rows(call: Call) -> None:
    """Estimates are numbers."""
    found = await facts(call, "list", schema="shop", pattern="orders")

    assert found["rows"][0][:4] == ["shop", "orders", "table", 2000]


async def test_list_does_not_wait_for_a_locked_table(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    """Measuring a table that somebody rewrites would wait as long as the rewrite."""
    async with session(cluster, database) as other:
        await other.execute("BEGIN; LOCK TABLE shop.orders; LOCK TABLE shop.events_2025")
        started = time.monotonic()

        by_name = {row[1]: row for row in cells(await ask(call, "list", schema="shop"))}
        schemas = await ask(call, "list", kind="schema")
        described = await ask(call, "describe", name="shop.customers")

    assert time.monotonic() - started < 2
    assert by_name["orders"][4] == "\\N"
    assert by_name["events"][4] == "\\N"
    assert by_name["customers"][4] != "\\N"
    assert "shop" in schemas
    assert "size: " in described


async def test_search_finds_names_of_all_kinds(call: Call) -> None:
    """One search goes over tables, columns, constraints, indexes, types, triggers, policies."""
    found = {(row[0], row[1]) for row in cells(await ask(call, "search", pattern="o"))}

    assert ("table", "shop.orders") in found
    assert ("column", "shop.order_items.order_id") in found
    assert ("constraint", "shop.orders.total_positive") in found
    assert ("index", "shop.orders_pkey") in found
    assert ("type", "shop.order_status") in found
    assert ("trigger", "shop.orders.touch") in found
    assert ("policy", "shop.orders.own") in found
    assert ("schema", "shop") in found


async def test_search_puts_the_exact_name_first(call: Call) -> None:
    """What is called so comes before what contains it."""
    found = cells(await ask(call, "search", pattern="orders"))

    assert found[0][:2] == ["table", "shop.orders"]


async def test_search_reads_comments(call: Call) -> None:
    """People remember what a thing is for."""
    (found,) = cells(await ask(call, "search", pattern="where we write"))

    assert found == ["column", "shop.customers.mail", "shop.email", "where we write\\tto"]


async def test_search_narrows_by_kind_and_schema(call: Call) -> None:
    """Kind and schema are the same as in list."""
    columns = cells(await ask(call, "search", pattern="*", kind="column", schema="public"))

    assert {row[1] for row in columns} == {
        "public.people.id",
        "public.students.id",
        "public.students.year",
        "public.twin.a",
    }


async def test_search_with_a_dot_compares_the_whole_name(call: Call) -> None:
    """shop.ord* is about one schema."""
    found = cells(await ask(call, "search", pattern="shop.twin*"))

    assert [row[1] for row in found] == ["shop.twin", "shop.twin.a"]


async def test_search_shows_a_functions_signature(call: Call) -> None:
    """Overloads are told apart."""
    found = cells(await ask(call, "search", pattern="area", kind="function"))

    assert [row[2] for row in found] == [
        "(integer, integer) returns integer",
        "(text) returns integer",
    ]


async def test_session_sees_its_own_uncommitted_objects(call: Call) -> None:
    """Inside a transaction list, search and describe see what it made; outside nobody does."""
    transaction = await call.transactions.begin(
        database=None, mode="ddl", isolation="read committed"
    )
    handle = transaction.handle
    await ask(call, "create", sql="CREATE TABLE shop.fresh (a integer)", session_id=handle)

    inside = await ask(call, "list", pattern="fresh", session_id=handle)
    found = await ask(call, "search", pattern="fresh", session_id=handle)
    described = await ask(call, "describe", name="shop.fresh", session_id=handle)
    outside = await ask(call, "list", pattern="fresh")
    await call.transactions.rollback(handle)

    assert "fresh" in inside
    assert "fresh" in found
    assert "a integer" in described
    assert cells(outside) == []
