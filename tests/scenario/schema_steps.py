"""
Making, finding and changing tables with pg_schema.

Leaves two filled tables behind for the steps that follow.
"""

from __future__ import annotations

from tests.scenario.reply import ScenarioFailed
from tests.scenario.world import TOOLS, World

TABLES = """
CREATE SCHEMA ~;
CREATE TABLE ~.customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL UNIQUE,
    tags text[] NOT NULL DEFAULT '{}',
    settings jsonb
);
COMMENT ON TABLE ~.customers IS 'Who buys';
COMMENT ON COLUMN ~.customers.email IS 'One address, one customer';
CREATE TABLE ~.orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES ~.customers (id),
    amount numeric(40, 2) NOT NULL CHECK (amount >= 0),
    valid tstzrange
);
CREATE INDEX orders_customer_id_idx ON ~.orders (customer_id);
CREATE VIEW ~.totals AS
    SELECT customer_id, sum(amount) AS total FROM ~.orders GROUP BY customer_id;
"""
EXISTS = "SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = '~'"
FILL_CUSTOMERS = """
INSERT INTO ~.customers (name, email, tags, settings)
VALUES ($1, 'ada@example.com', $2, $3), ('Bob', 'bob@example.com', '{}', NULL),
       ('Čeněk\tž', 'cenek@example.com', '{a,"b c"}', '{"n": 1}')
RETURNING id, name
"""
FILL_ORDERS = """
INSERT INTO ~.orders (customer_id, amount, valid)
SELECT c.id, a.amount, '[2026-01-01 00:00+00,)'
  FROM ~.customers AS c, unnest($1::numeric[]) AS a(amount) WHERE c.name <> 'Bob'
"""


async def five_tools_are_listed(world: World) -> None:
    """List the tools: exactly five."""
    names = await world.caller.tool_names()
    if sorted(names) != TOOLS:
        raise ScenarioFailed(f"the tools are {names}; they should be {TOOLS}")


async def dry_run_leaves_nothing(world: World) -> None:
    """Try the DDL out: the answer tells what would happen, and nothing has happened."""
    sql = world.named(TABLES)
    reply = await world.does("pg_schema", action="create", sql=sql, dry_run=True)
    reply.shows("dry run", "nothing was changed", "CREATE TABLE", "CREATE VIEW")

    (await world.query(EXISTS)).has_rows(("0",))


async def tables_are_made(world: World) -> None:
    """Make the tables by several statements in one call, all or none."""
    await world.does("pg_schema", action="create", sql=world.named(TABLES))

    (await world.query(EXISTS)).has_rows(("1",))


async def a_failing_piece_undoes_the_others(world: World) -> None:
    """Let the second statement of a call fail: the first is undone."""
    sql = world.named("CREATE TABLE ~.first (id int); CREATE TABLE ~.orders (id int)")
    await world.refuses("pg_schema", "42P07", action="create", sql=sql)

    reply = await world.query("SELECT to_regclass('~.first') IS NULL AS gone")
    reply.has_rows(("t",))


async def rows_are_written(world: World) -> None:
    """Insert with parameters of several types; RETURNING shows the keys."""
    settings = {"level": 3, "nested": {"ok": True}}
    reply = await world.write(FILL_CUSTOMERS, "Ada", ["vip", "new"], settings)
    reply.has_rows(("1", "Ada"), ("2", "Bob"), ("3", "Čeněk\tž"))

    reply = await world.write(FILL_ORDERS, ["10.50", "99999999999999999999999999999999999999.99"])
    reply.shows("INSERT 0 4")


async def listing_shows_the_tables(world: World) -> None:
    """List the schema: both tables and the view."""
    reply = await world.does("pg_schema", action="list", schema=world.schema)
    listed = sorted(reply.columns("name", "kind", "comment"))
    expected = [("customers", "table", "Who buys"), ("orders", "table", None)]
    if listed != [*expected, ("totals", "view", None)]:
        raise reply.wrong("should list customers, orders and totals")


async def describing_tells_what_is_needed(world: World) -> None:
    """Describe both tables: columns, defaults, keys, checks, comments, dependants."""
    described = {"action": "describe", "schema": world.schema}
    reply = await world.does("pg_schema", name="customers", **described)
    reply.shows("Who buys", "One address, one customer", "bigint", "text[]", "jsonb")
    reply.shows("generated always as identity", "customers_pkey", "customers_email_key")
    reply.shows("referenced by", "orders_customer_id_fkey")

    reply = await world.does("pg_schema", name="orders", **described)
    reply.shows("numeric(40,2)", "tstzrange", "orders_customer_id_idx", "orders_amount_check")
    reply.shows("orders_customer_id_fkey", f"REFERENCES {world.schema}.customers(id)", "totals")


async def searching_finds_a_column(world: World) -> None:
    """Search for a part of a name: tables and columns."""
    reply = await world.does(
        "pg_schema", action="search", schema=world.schema, pattern="customer_id"
    )
    reply.has_row(kind="column", name=f"{world.schema}.orders.customer_id", detail="bigint")
    reply.has_row(kind="index", name=f"{world.schema}.orders_customer_id_idx")


async def altering_says_what_it_locks(world: World) -> None:
    """Try an ALTER out, which names its lock and changes nothing; then do it."""
    sql = world.named("ALTER TABLE ~.orders ADD COLUMN note text DEFAULT 'none'")
    reply = await world.does("pg_schema", action="alter", sql=sql, dry_run=True)
    reply.shows(f"{world.schema}.orders AccessExclusiveLock", "blocks reading and writing")
    await world.refuses("pg_query", "42703", sql=world.named("SELECT note FROM ~.orders"))

    await world.does("pg_schema", action="alter", sql=sql)

    reply = await world.query("SELECT DISTINCT note FROM ~.orders")
    reply.has_rows(("none",))


async def dry_runs_find_what_hurts(world: World) -> None:
    """Try out a change of type and a CASCADE: what is rewritten, what goes along, what to do."""
    sql = world.named("ALTER TABLE ~.orders ALTER COLUMN id TYPE int")
    reply = await world.does("pg_schema", action="alter", sql=sql, dry_run=True)
    reply.shows("rewritten", "changing-column-type", "instead:")

    sql = world.named("DROP TABLE ~.customers CASCADE")
    reply = await world.does("pg_schema", action="drop", sql=sql, dry_run=True)
    reply.shows("CASCADE takes along", "orders_customer_id_fkey")

    (await world.query("SELECT count(*) FROM ~.customers")).has_rows(("3",))


async def dropping_needs_a_confirmation(world: World) -> None:
    """Drop a view: refused, with the value to confirm with; done with that value."""
    sql = world.named("DROP VIEW ~.totals")
    await world.confirms("pg_schema", world.named("~.totals"), action="drop", sql=sql)

    reply = await world.query("SELECT to_regclass('~.totals') IS NULL")
    reply.has_rows(("t",))


STEPS = (
    five_tools_are_listed,
    dry_run_leaves_nothing,
    tables_are_made,
    a_failing_piece_undoes_the_others,
    rows_are_written,
    listing_shows_the_tables,
    describing_tells_what_is_needed,
    searching_finds_a_column,
    altering_says_what_it_locks,
    dry_runs_find_what_hurts,
    dropping_needs_a_confirmation,
)
