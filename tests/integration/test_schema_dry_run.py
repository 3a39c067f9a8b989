"""pg_schema dry_run: it says what would happen, and nothing has happened."""

from __future__ import annotations

import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.schema_shop import SHOP, ask, refusal, section, tried
from tests.integration.watching import session

CATALOGUES = """
SELECT pg_catalog.md5(string_agg(row::text, '|' ORDER BY row::text)) AS all
  FROM (SELECT (oid, relname, relnamespace, relfilenode, relkind, relacl, relchecks, relnatts,
                reloptions, relhastriggers, relrowsecurity, relpersistence)::text FROM pg_class
         UNION ALL SELECT a::text FROM pg_attribute AS a
         UNION ALL SELECT (c.oid, c.conname, c.conrelid, c.convalidated)::text
                     FROM pg_constraint AS c
         UNION ALL SELECT (i.indexrelid, i.indisvalid)::text FROM pg_index AS i
         UNION ALL SELECT d::text FROM pg_depend AS d
         UNION ALL SELECT (t.oid, t.typname, t.typnamespace)::text FROM pg_type AS t
         UNION ALL SELECT e::text FROM pg_enum AS e
         UNION ALL SELECT (p.oid, p.proname, p.prosrc)::text FROM pg_proc AS p
         UNION ALL SELECT d::text FROM pg_description AS d
         UNION ALL SELECT (n.oid, n.nspname, n.nspacl)::text FROM pg_namespace AS n
         UNION ALL SELECT (t.oid, t.tgname)::text FROM pg_trigger AS t
         UNION ALL SELECT (p.oid, p.polname)::text FROM pg_policy AS p) AS found(row)
"""


@pytest.fixture(scope="module", autouse=True)
async def shop(cluster: ThrowawayCluster, database: str) -> str:
    """Fill the module's database; autovacuum would change the catalogues by itself."""
    await cluster.execute(SHOP, database=database)
    return database


async def catalogues(cluster: ThrowawayCluster, database: str) -> object:
    """Return a digest of everything that DDL writes."""
    async with session(cluster, database) as looking:
        return await looking.connection.fetchval(CATALOGUES)


TRIED = [
    pytest.param(
        "create", "CREATE TABLE shop.x (id serial PRIMARY KEY); COMMENT ON TABLE shop.x IS 'y'"
    ),
    pytest.param("create", "CREATE INDEX ON shop.orders (placed)"),
    pytest.param("create", "CREATE SCHEMA fresh CREATE TABLE a (b integer)"),
    pytest.param("create", "CREATE VIEW shop.v AS SELECT 1 AS a; COMMENT ON VIEW shop.v IS 'x'"),
    pytest.param(
        "create", "CREATE TYPE shop.mood AS ENUM ('a'); ALTER TYPE shop.mood ADD VALUE 'b'"
    ),
    pytest.param("create", "CREATE FUNCTION shop.one() RETURNS integer LANGUAGE sql AS 'SELECT 1'"),
    pytest.param("alter", "ALTER TABLE shop.order_items ALTER line TYPE bigint"),
    pytest.param("alter", "ALTER TABLE shop.orders ADD c text DEFAULT clock_timestamp()::text"),
    pytest.param("alter", "ALTER TYPE shop.order_status ADD VALUE 'late'"),
    pytest.param("alter", "ALTER TABLE shop.orders RENAME TO sales"),
    pytest.param("alter", "REFRESH MATERIALIZED VIEW shop.sums"),
    pytest.param("alter", "ALTER TABLE shop.events DETACH PARTITION shop.events_2025"),
    pytest.param("alter", "ALTER TABLE shop.order_items ADD y integer NOT NULL"),
    pytest.param("drop", "DROP TABLE shop.orders CASCADE"),
    pytest.param("drop", "DROP SCHEMA shop CASCADE"),
    pytest.param("drop", "DROP TABLE shop.orders"),
    pytest.param("drop", "DROP INDEX shop.orders_customer; DROP VIEW shop.recent"),
]


@pytest.mark.parametrize(("action", "sql"), TRIED)
async def test_nothing_is_left_behind(
    call: Call, cluster: ThrowawayCluster, database: str, action: str, sql: str
) -> None:
    """The catalogues are what they were, whether it would succeed or fail."""
    before = await catalogues(cluster, database)

    report = await tried(call, action, sql)

    assert report["rolled_back"] is True
    assert await catalogues(cluster, database) == before


@pytest.mark.parametrize(
    ("action", "sql", "locks"),
    [
        pytest.param(
            "alter",
            "ALTER TABLE shop.orders ADD x integer DEFAULT 5",
            {("shop.orders", "AccessExclusiveLock")},
            id="add column",
        ),
        pytest.param(
            "create",
            "CREATE INDEX ON shop.orders (placed)",
            {("shop.orders", "ShareLock")},
            id="index",
        ),
        pytest.param(
            "alter",
            "ALTER TABLE shop.same ADD FOREIGN KEY (a) REFERENCES public.people NOT VALID",
            {("public.people", "ShareRowExclusiveLock"), ("shop.same", "ShareRowExclusiveLock")},
            id="foreign key locks both",
        ),
        pytest.param(
            "create", "CREATE TABLE shop.x (id bigint PRIMARY KEY)", set(), id="new table"
        ),
        pytest.param(
            "alter",
            "COMMENT ON TABLE shop.same IS 'x'",
            {("shop.same", "ShareUpdateExclusiveLock")},
            id="comment",
        ),
        pytest.param("create", "CREATE VIEW shop.v AS SELECT * FROM shop.orders", set(), id="view"),
    ],
)
async def test_locks_are_those_that_others_would_meet(
    call: Call, action: str, sql: str, locks: set[tuple[str, str]]
) -> None:
    """The strongest on each existing relation; a table that is new is nobody's concern."""
    report = await tried(call, action, sql)

    assert {(lock["relation"], lock["mode"]) for lock in report.get("locks", [])} == locks


@pytest.mark.parametrize(
    ("sql", "rewritten"),
    [
        pytest.param("ALTER TABLE shop.orders ADD x integer DEFAULT 5", set(), id="constant"),
        pytest.param(
            "ALTER TABLE shop.order_items ADD x timestamptz DEFAULT clock_timestamp()",
            {"shop.order_items", "shop.order_items_pkey"},
            id="volatile default",
        ),
        pytest.param(
            "ALTER TABLE shop.order_items ALTER line TYPE bigint",
            {"shop.order_items", "shop.order_items_pkey"},
            id="type",
        ),
        pytest.param("REFRESH MATERIALIZED VIEW shop.sums", {"shop.sums"}, id="refresh"),
        pytest.param("ALTER TABLE shop.orders ADD CHECK (id > 0)", set(), id="a scan"),
    ],
)
async def test_rewritten_relations_are_named_with_their_size(
    call: Call, sql: str, rewritten: set[str]
) -> None:
    """A rewrite is a new file."""
    report = await tried(call, "alter", sql)
    found = report.get("rewritten", [])

    assert {entry["relation"] for entry in found} == rewritten
    assert all(entry["bytes"] > 0 for entry in found)


async def test_failing_piece_is_named(call: Call) -> None:
    """What ran before it is listed, too."""
    sql = "ALTER TABLE shop.same ADD b integer; ALTER TABLE shop.orders ADD y integer NOT NULL"

    text = await ask(call, "alter", sql=sql, dry_run=True)

    assert text.startswith("dry run: would fail; rolled back, nothing was changed\n")
    assert "fails at statement 2, ALTER TABLE" in text
    assert 'error 23502: column "y" of relation "orders" contains null values' in text


async def test_text_has_outcome_locks_findings_and_time(call: Call) -> None:
    """One report, compact, for people and models."""
    text = await ask(
        call, "alter", sql="ALTER TABLE shop.order_items ALTER line TYPE bigint", dry_run=True
    )

    assert text.startswith("dry run: would succeed; rolled back, nothing was changed\nran\n")
    assert section(text, "locks, held until commit") == [
        "table shop.order_items AccessExclusiveLock: blocks reading and writing"
    ]
    assert section(text, "findings")[0].startswith("changing-column-type shop.order_items.line: ")
    assert text.split("\n")[-1].endswith(" ms")


async def test_lint_knows_the_catalogue(call: Call) -> None:
    """The size, a volatile function, who uses a column; an empty table has no finding."""
    sql = """
    ALTER TABLE shop.orders ADD a uuid DEFAULT gen_random_uuid();
    ALTER TABLE shop.orders RENAME total TO sum;
    CREATE INDEX ON shop.same (a);
    """
    pieces = sql.strip().split(";")

    volatile = await tried(call, "alter", pieces[0])
    renamed = await tried(call, "alter", pieces[1])
    empty = await tried(call, "create", pieces[2])

    assert [entry["rule"] for entry in volatile["findings"]] == ["adding-field-with-default"]
    assert "about 2000 rows" in volatile["findings"][0]["why"]
    assert "view shop.recent" in renamed["findings"][0]["why"]
    assert "findings" not in empty


async def test_check_that_proves_not_null_is_believed(
    call: Call, cluster: ThrowawayCluster, database: str
) -> None:
    """A validated CHECK spares the scan of a big table; an unvalidated one does not."""
    await cluster.execute(
        "CREATE TABLE shop.bulky AS SELECT i AS a, i AS b, repeat('x', 1000) AS c"
        " FROM generate_series(1, 12000) AS i;"
        "ALTER TABLE shop.bulky ADD CHECK (a IS NOT NULL),"
        " ADD CHECK (b IS NOT NULL) NOT VALID",
        database=database,
    )
    proven = await tried(call, "alter", "ALTER TABLE shop.bulky ALTER a SET NOT NULL")
    unproven = await tried(call, "alter", "ALTER TABLE shop.bulky ALTER b SET NOT NULL")

    assert "findings" not in proven
    assert unproven["findings"][0]["rule"] == "adding-not-nullable-field"
    await cluster.execute("DROP TABLE shop.bulky", database=database)


async def test_value_of_an_enum_cannot_be_used_before_commit(call: Call) -> None:
    """PostgreSQL's rule; the report says how to go on."""
    report = await tried(
        call,
        "alter",
        "ALTER TYPE shop.order_status ADD VALUE 'z';"
        "ALTER TABLE shop.orders ALTER status SET DEFAULT 'z'",
    )

    assert report["error"]["sqlstate"] == "55P04"
    assert "in a call of its own" in report["error"]["hint"]


async def test_dry_run_refuses_what_is_no_ddl(call: Call) -> None:
    """The same check of the pieces."""
    assert "Use pg_query" in await refusal(call, "alter", sql="DELETE FROM a", dry_run=True)
