"""pg_schema describe: everything needed to write correct SQL, and nothing that forges a line."""

from __future__ import annotations

import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.schema_shop import SHOP, ask, refusal, section

VIRTUAL_COLUMNS = 18  # the first major version that has them


@pytest.fixture(scope="module", autouse=True)
async def shop(cluster: ThrowawayCluster, database: str) -> str:
    """Fill the module's database."""
    await cluster.execute(SHOP, database=database)
    return database


async def test_columns_have_type_null_default_identity_and_comment(call: Call) -> None:
    """A line each, in the table's order."""
    orders = section(await ask(call, "describe", name="shop.orders"), "columns")
    customers = section(await ask(call, "describe", name="shop.customers"), "columns")

    assert orders == [
        "id bigint not null, default nextval('shop.orders_id_seq'::regclass)",
        "customer_id bigint not null",
        "status shop.order_status not null, default 'new'::shop.order_status",
        "total numeric(12,2) not null",
        "net numeric, generated always as (total / 2::numeric) stored",
        "placed timestamp with time zone not null, default now()",
        'note text collate pg_catalog."C"',
        "period tstzrange",
    ]
    assert customers[0] == "id bigint not null, generated always as identity"
    assert customers[1] == "mail shop.email -- where we write\\tto"


async def test_types_of_the_columns_are_told_at_once(call: Call) -> None:
    """Labels of an enum, base and checks of a domain, attributes of a composite type."""
    orders = section(await ask(call, "describe", name="shop.orders"), "types used")
    customers = section(await ask(call, "describe", name="shop.customers"), "types used")

    assert orders == ["shop.order_status enum 'new', 'paid', 'it''s odd'"]
    assert customers == [
        'shop.address composite (street text, "Post Code" character varying(10))',
        r"shop.email domain over text not null CHECK (VALUE ~ '\S@\S'::text)",
    ]


async def test_keys_go_both_ways(call: Call) -> None:
    """What it references and what references it."""
    text = await ask(call, "describe", name="shop.orders")

    assert section(text, "primary key") == ["orders_pkey PRIMARY KEY (id)"]
    assert section(text, "foreign keys") == [
        (
            "orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES shop.customers(id) "
            "ON DELETE CASCADE"
        )
    ]
    assert section(text, "referenced by") == [
        (
            "shop.order_items order_items_order_id_fkey FOREIGN KEY (order_id) "
            "REFERENCES shop.orders(id)"
        )
    ]
    assert section(text, "checks") == ["total_positive CHECK (total >= 0::numeric)"]
    assert section(text, "exclusions") == ["no_overlap EXCLUDE USING gist (period WITH &&)"]


async def test_indexes_triggers_policies_statistics_and_dependants(call: Call) -> None:
    """The rest of what decides how a statement behaves."""
    text = await ask(call, "describe", name="shop.orders")
    indexes = section(text, "indexes")

    assert indexes[0].startswith("orders_pkey unique btree (id) (primary key, ")
    assert indexes[2].startswith(
        "orders_customer btree (customer_id) INCLUDE (total) WHERE (total > (5)::numeric)"
    )
    assert indexes[2].endswith("-- for the account page")
    assert section(text, "triggers and rules") == [
        (
            "touch CREATE TRIGGER touch BEFORE UPDATE ON shop.orders FOR EACH ROW "
            "EXECUTE FUNCTION shop.touch()"
        )
    ]
    assert section(text, "row security: enabled") == [
        "own permissive for select to public using (total > 0::numeric)"
    ]
    assert section(text, "statistics") == [
        "CREATE STATISTICS shop.orders_stat (dependencies) ON customer_id, status FROM shop.orders"
    ]
    assert section(text, "used by") == ["materialized view shop.sums", "view shop.recent"]


async def test_size_and_rows_are_estimates_and_say_so(call: Call) -> None:
    """A count that nobody made is not zero."""
    counted = await ask(call, "describe", name="shop.orders")
    uncounted = await ask(call, "describe", name="shop.same")

    assert "rows: about 2000" in counted
    assert "indexes " in counted
    assert "size: 0 bytes, rows: never analysed" in uncounted


async def test_partitioned_table_has_key_bounds_and_counts(call: Call) -> None:
    """And a partition says of what."""
    whole = await ask(call, "describe", name="shop.events")
    part = await ask(call, "describe", name="shop.events_2025")

    assert section(whole, "partitions: 2, by RANGE (at)") == [
        (
            "shop.events_2025 FOR VALUES FROM ('2025-01-01 00:00:00+00') TO "
            "('2026-01-01 00:00:00+00'), about 500 rows"
        ),
        "shop.events_rest DEFAULT, about 0 rows",
    ]
    assert "partition of shop.events FOR VALUES FROM ('2025-01-01 00:00:00+00')" in part


async def test_inheritance_goes_both_ways(call: Call) -> None:
    """The old kind, too."""
    child = await ask(call, "describe", name="students")
    parent = await ask(call, "describe", name="people")

    assert section(child, "inherits") == ["public.people"]
    assert section(child, "columns")[0] == "id integer not null, inherited"
    assert section(parent, "inherited by") == ["public.students"]


async def test_view_has_columns_and_definition_in_a_gutter(call: Call) -> None:
    """Its query stands behind a bar that nothing else has."""
    text = await ask(call, "describe", name="shop.recent")

    assert section(text, "columns") == ["id bigint", "total numeric(12,2)"]
    assert "definition\n    |  SELECT " in text
    assert "    |    FROM shop.orders o" in text


async def test_function_has_signature_properties_and_body(call: Call) -> None:
    """An overloaded one is named with its argument types, in any spelling."""
    text = await ask(call, "describe", name="shop.area(int, int4)")
    definer = await ask(call, "describe", name="area(text)", schema="shop")

    assert text.startswith("function shop.area(w integer, h integer DEFAULT 2)\n")
    assert "language sql, immutable" in text
    assert "returns: integer" in text
    assert "SECURITY DEFINER: runs as its owner" in definer
    assert "runs with: search_path=shop" in definer
    assert "    |   RETURN length(c);" in definer


async def test_procedure_and_sequence_and_schema(call: Call) -> None:
    """Each kind has what it needs."""
    procedure = await ask(call, "describe", name="shop.tidy")
    sequence = await ask(call, "describe", name="shop.orders_id_seq")
    unused = await ask(call, "describe", name="shop.invoice")
    schema = await ask(call, "describe", name="shop", kind="schema")

    assert procedure.startswith("procedure shop.tidy()")
    assert "owned by shop.orders.id" in sequence
    assert "last value: 2000" in sequence
    assert "start 1000" in unused
    assert "last value: none yet" in unused
    assert "on the search path: no" in schema
    assert "1 materialized views" in schema


async def test_types_by_kind(call: Call) -> None:
    """An enum's labels, a domain's checks, a composite's attributes, a range's subtype."""
    enum = await ask(call, "describe", name="shop.order_status")
    domain = await ask(call, "describe", name="shop.email")
    composite = await ask(call, "describe", name="shop.address")
    range_type = await ask(call, "describe", name="shop.price_range")

    assert section(enum, "labels, in order") == ["'new'", "'paid'", "'it''s odd'"]
    assert section(enum, "used by") == ["table column shop.orders.status"]
    assert "over text\nnot null\nchecks\n" in domain
    assert section(composite, "attributes") == [
        "street text",
        '"Post Code" character varying(10)',
    ]
    assert range_type.startswith("range type shop.price_range")
    assert "of numeric" in range_type


async def test_index_and_extension(call: Call) -> None:
    """An index names its table, an extension its members."""
    index = await ask(call, "describe", name="shop.orders_customer")
    extension = await ask(call, "describe", name="pg_stat_statements", kind="extension")

    assert "on shop.orders" in index
    assert "definition: CREATE INDEX orders_customer ON shop.orders USING btree" in index
    assert "view shop.pg_stat_statements" in section(extension, "members")


async def test_virtual_column_is_told_from_a_stored_one(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    """PostgreSQL 18 computes it when it is read."""
    if cluster.major < VIRTUAL_COLUMNS:
        pytest.skip("virtual generated columns exist from PostgreSQL 18 on")
    await cluster.execute(
        "CREATE TABLE shop.v (a integer, b integer GENERATED ALWAYS AS (a * 2) VIRTUAL); "
        "ALTER TABLE shop.v ADD CONSTRAINT a_there NOT NULL a NOT VALID",
        database=database,
    )
    text = await ask(call, "describe", name="shop.v")

    assert section(text, "columns") == [
        "a integer not null (not validated)",
        "b integer, generated always as (a * 2) virtual",
    ]


async def test_invalid_index_and_privileges_are_told(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    """An index that a failed CONCURRENTLY left, and who may do what."""
    await cluster.execute(
        "CREATE TABLE shop.half (a integer); INSERT INTO shop.half VALUES (1), (1); "
        "GRANT SELECT, INSERT ON shop.half TO PUBLIC",
        database=database,
    )
    await refusal(call, "create", sql="CREATE UNIQUE INDEX CONCURRENTLY half_a ON shop.half (a)")

    text = await ask(call, "describe", name="shop.half")

    assert "INVALID: not used, rebuild or drop it" in section(text, "indexes")[0]
    assert section(text, "privileges besides the owner's") == ["public: insert, select"]
    await cluster.execute("DROP TABLE shop.half", database=database)
