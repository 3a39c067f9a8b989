"""What pg_monitor says of tables, indexes, sequences and vacuum, on tables with real troubles."""

from __future__ import annotations

import asyncpg
import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.watching import one, report, rows, session

MADE = """
CREATE SCHEMA shop;
CREATE TABLE shop.customers (id integer PRIMARY KEY, email text UNIQUE);
CREATE TABLE shop.orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id integer CONSTRAINT orders_customer REFERENCES shop.customers,
  status text,
  note text
);
INSERT INTO shop.customers SELECT i, 'c' || i FROM generate_series(1, 100) AS i;
INSERT INTO shop.orders (customer_id, status, note)
  SELECT 1 + i % 100, 'new', repeat('x', 50) FROM generate_series(1, 3000) AS i;
CREATE INDEX orders_status ON shop.orders (status);
CREATE INDEX orders_status_again ON shop.orders (status);
CREATE INDEX orders_id_again ON shop.orders (id);
CREATE TABLE shop.items (order_id bigint REFERENCES shop.orders, position smallint, a text,
                         PRIMARY KEY (order_id, position));
CREATE TABLE shop.covered (a integer, b integer, PRIMARY KEY (a, b));
CREATE TABLE shop.covering (x integer, y integer, FOREIGN KEY (x, y) REFERENCES shop.covered);
CREATE INDEX covering_includes ON shop.covering (x) INCLUDE (y);
CREATE TABLE shop.events (id smallserial, day date) PARTITION BY RANGE (day);
CREATE TABLE shop.events_2026 PARTITION OF shop.events
  FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX events_day ON shop.events (day);
INSERT INTO shop.events (day) SELECT '2026-01-01'::date + i FROM generate_series(1, 50) AS i;
SELECT setval('shop.events_id_seq', 32000);
CREATE SEQUENCE shop.wide;
CREATE TABLE shop.narrow (id integer DEFAULT nextval('shop.wide'));
SELECT setval('shop.wide', 2147483000);
CREATE SEQUENCE shop.downward INCREMENT -1 AS smallint;
SELECT setval('shop.downward', -16384);
CREATE SEQUENCE shop.everything INCREMENT 1 MINVALUE -9223372036854775808;
CREATE TABLE shop."Odd Name" (id integer);
ALTER TABLE shop.orders SET (autovacuum_enabled = off);
ANALYZE shop.events;
"""
CHANGED = """
DELETE FROM shop.orders WHERE id > 1200;
UPDATE shop.items SET a = 'b';
SELECT pg_stat_force_next_flush();
"""


@pytest.fixture(scope="module")
async def shop(cluster: ThrowawayCluster, database: str) -> str:
    """Fill the module's database with tables that have something wrong."""
    await cluster.execute(MADE, database=database)
    await cluster.execute(CHANGED, database=database)
    return database


@pytest.fixture(autouse=True)
def in_the_shop(shop: str) -> str:
    """Make the tables for every test here."""
    return shop


async def test_a_table_has_sizes_rows_and_dead_rows(call: Call) -> None:
    row = one(await rows(call, "tables", pattern="shop.orders"), table="shop.orders")

    assert row["kind"] == "table"
    assert row["total_bytes"] > row["index_bytes"] > 0
    assert (row["row_estimate"], row["dead_rows"], row["dead_percent"]) == (1200, 1800, 60)
    assert (row["inserts"], row["deletes"]) == (3000, 1800)
    assert (row["last_vacuum"], row["last_analyze"]) == (None, None)
    assert row["finding"] == (
        "many dead rows: see action=vacuum; never analyzed: pg_admin action=analyze"
    )


async def test_a_partitioned_table_sums_its_partitions(call: Call) -> None:
    whole, part = await rows(call, "tables", pattern="shop.events*")

    assert (whole["table"], whole["kind"]) == ("shop.events", "partitioned table")
    assert (part["table"], part["kind"]) == ("shop.events_2026", "partition")
    assert whole["total_bytes"] == part["total_bytes"] > 0
    assert whole["row_estimate"] == part["row_estimate"] == 50


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        pytest.param("orders", ["shop.orders"], id="part of a name"),
        pytest.param("ORDERS", ["shop.orders"], id="case ignored"),
        pytest.param("shop.ev*", ["shop.events", "shop.events_2026"], id="schema and star"),
        pytest.param("custom*", ["shop.customers"], id="table alone"),
        pytest.param("odd name", ['shop."Odd Name"'], id="a name that needs quotes"),
        pytest.param("_2", ["shop.events_2026"], id="underscore is no wildcard"),
        pytest.param("mers*", [], id="a wildcard means the whole name"),
    ],
)
async def test_a_pattern_chooses_tables(call: Call, pattern: str, found: list[str]) -> None:
    assert sorted(row["table"] for row in await rows(call, "tables", pattern=pattern)) == found


async def test_a_table_locked_exclusively_does_not_hold_up_the_others(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    async with session(cluster, database) as locker:
        await locker.execute("BEGIN; LOCK TABLE shop.customers")

        found = await rows(call, "tables")
        indexes = await rows(call, "indexes", pattern="customers")

    row = one(found, table="shop.customers")
    assert row["total_bytes"] is None
    assert row["finding"] == "locked exclusively, size not read: see action=locks"
    assert one(found, table="shop.orders")["total_bytes"] > 0
    assert {row["index"]: row["finding"] for row in indexes} == {
        "customers_pkey": "locked exclusively",
        "customers_email_key": "locked exclusively",
    }


async def test_rows_beyond_max_rows_are_announced(call: Call) -> None:
    found = await report(call, "tables", max_rows=2)

    assert (len(found["rows"]), found["more"]) == (2, True)
    assert found["remarks"] == ["raise max_rows or narrow pattern"]


async def test_an_unused_index_says_how_to_drop_it(call: Call) -> None:
    row = one(await rows(call, "indexes", pattern="orders_status"), index="orders_status")

    assert (row["finding"], row["scans"]) == ("unused", 0)
    assert row["index_bytes"] > 0
    assert row["advice"].startswith("DROP INDEX CONCURRENTLY shop.orders_status; first see")


async def test_a_duplicate_names_the_index_that_stays(call: Call) -> None:
    found = await rows(call, "indexes", pattern="shop.orders")

    again = one(found, index="orders_status_again")
    assert again["finding"] == "duplicate of orders_status"
    assert again["advice"] == "DROP INDEX CONCURRENTLY shop.orders_status_again"
    assert one(found, index="orders_id_again")["finding"] == "duplicate of orders_pkey"
    assert one(found, index="orders_pkey")["finding"] is None


async def test_a_foreign_key_without_an_index_has_the_index_to_create(call: Call) -> None:
    found = await rows(call, "indexes", pattern="shop.orders")

    row = one(found, finding="foreign key without index")
    assert row["definition"] == "FOREIGN KEY (customer_id) of orders_customer"
    assert row["advice"] == "CREATE INDEX CONCURRENTLY ON shop.orders (customer_id)"


async def test_an_index_that_begins_with_the_foreign_key_is_enough(call: Call) -> None:
    found = await rows(call, "indexes", pattern="shop.items")

    assert "foreign key without index" not in {row["finding"] for row in found}


async def test_an_included_column_does_not_serve_a_foreign_key(call: Call) -> None:
    found = await rows(call, "indexes", pattern="shop.covering")

    assert one(found, finding="foreign key without index")["advice"].endswith("(x, y)")


async def test_an_index_whose_build_failed_is_invalid(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute("DROP INDEX IF EXISTS shop.orders_note", database=database)
    with pytest.raises(asyncpg.UniqueViolationError):
        await cluster.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY orders_note ON shop.orders (note)", database=database
        )

    first = (await rows(call, "indexes"))[0]
    health = one(await rows(call, "health", pattern="invalid indexes"))

    assert (first["index"], first["finding"]) == ("orders_note", "invalid")
    assert first["advice"] == "REINDEX INDEX CONCURRENTLY shop.orders_note, or drop it"
    assert (health["status"], health["value"]) == ("warn", "1, such as shop.orders_note")


async def test_an_index_of_a_partitioned_table_is_judged_as_a_whole(call: Call) -> None:
    found = await rows(call, "indexes", pattern="shop.events*")

    whole = one(found, index="events_day")
    (part,) = [row for row in found if row["index"] != "events_day"]
    assert (whole["finding"], whole["scans"]) == ("unused", 0)
    assert whole["index_bytes"] == part["index_bytes"] > 0
    assert part["finding"] is None


async def test_a_nearly_exhausted_smallint_is_first_among_the_sequences(call: Call) -> None:
    first, *_ = [row for row in await rows(call, "sequences") if row["type"] == "smallint"]

    assert first["sequence"] == "shop.events_id_seq"
    assert first["used_by"] == "shop.events.id"
    assert (first["limit_value"], first["values_left"]) == (32767, 767)
    assert first["percent_used"] == 97.66
    assert first["advice"] == (
        "ALTER TABLE shop.events ALTER COLUMN id TYPE bigint rewrites the table; "
        "ALTER SEQUENCE shop.events_id_seq AS bigint"
    )


async def test_the_columns_type_limits_a_wider_sequence(call: Call) -> None:
    row = one(await rows(call, "sequences", pattern="wide"), sequence="shop.wide")

    assert (row["type"], row["column_type"]) == ("bigint", "integer")
    assert (row["used_by"], row["limit_value"]) == ("shop.narrow.id", 2147483647)
    assert row["percent_used"] == 100
    assert row["advice"] == (
        "ALTER TABLE shop.narrow ALTER COLUMN id TYPE bigint rewrites the table"
    )


async def test_sequences_may_run_downward_and_over_the_whole_of_bigint(call: Call) -> None:
    found = await rows(call, "sequences")

    down = one(found, sequence="shop.downward")
    assert (down["percent_used"], down["limit_value"], down["values_left"]) == (50, -32768, 16384)
    assert one(found, sequence="shop.everything")["values_left"] == str(2**63 - 1)


async def test_health_warns_of_the_sequence(call: Call) -> None:
    row = one(await rows(call, "health", pattern="sequences"))

    assert row["status"] == "crit"
    assert row["value"] == "shop.events_id_seq is 97.7% used"


async def test_a_check_that_waits_for_a_lock_hides_no_other(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    async with session(cluster, database) as locker:
        await locker.execute("BEGIN; ALTER SEQUENCE shop.wide CACHE 2")

        found = await rows(call, "health")
        listed = one(await rows(call, "sequences", pattern="wide"))

    failed = one(found, check="sequences")
    assert failed["status"] == "unknown"
    assert failed["value"] == "55P03: canceling statement due to lock timeout"
    assert failed["hint"] == "See who holds it: pg_monitor action=locks."
    assert {"server", "unused indexes", "statement statistics"} <= {row["check"] for row in found}
    assert (listed["last_value"], listed["percent_used"]) == (None, None)
    assert listed["advice"] == "locked: see action=locks"


async def test_vacuum_counts_as_autovacuum_does(call: Call) -> None:
    """50 + 0.2 of the 3,000 rows that CREATE INDEX counted."""
    row = one(await rows(call, "vacuum", pattern="shop.orders"))

    assert (row["dead_rows"], row["vacuum_at"], row["dead_percent"]) == (1800, 650, 276.9)
    assert row["vacuums"] == 0
    assert row["xid_age"] > 0
    assert row["finding"] == (
        "autovacuum is off for this table; vacuum is due; analyze is due; "
        "never vacuumed or analyzed"
    )


async def test_a_table_in_need_comes_before_one_that_is_clean(call: Call) -> None:
    found = [row["table"] for row in await rows(call, "vacuum", pattern="shop.*")]

    assert found.index("shop.orders") < found.index("shop.covered")


async def test_storage_parameters_come_before_the_servers_settings(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    await cluster.execute(
        "ALTER TABLE shop.covered SET (autovacuum_vacuum_threshold = 7, "
        "autovacuum_vacuum_scale_factor = 0)",
        database=database,
    )

    row = one(await rows(call, "vacuum", pattern="shop.covered"))

    assert row["vacuum_at"] == 7


async def test_databases_are_listed_with_size_and_age(call: Call, database: str) -> None:
    row = one(await rows(call, "databases", pattern=database))

    assert row["owner"] == "postgres"
    assert row["bytes"] > 5_000_000
    assert row["xid_age"] > 0
    assert (row["encoding"], row["finding"]) == ("UTF8", "")
