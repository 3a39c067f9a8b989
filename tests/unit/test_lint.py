"""The eight findings of DDL lint: what each one finds, and what it leaves in peace."""

from __future__ import annotations

import pytest

from pgmcp.statement import Parser
from pgmcp.tools.schema.lint import Column, Finding, Table, lint
from pgmcp.tools.schema.lint.finding import Name
from pgmcp.tools.schema.lint.gather import known_to

MEGABYTE = 1024 * 1024
TABLES: dict[Name, Table] = {
    ("shop", "orders"): Table(
        shown="shop.orders",
        bytes=50 * MEGABYTE,
        rows=1_000_000,
        columns={
            "id": Column(type="integer", typname="int4", not_null=True),
            "code": Column(type="character varying(10)", typname="varchar"),
            "fixed": Column(type="character(10)", typname="bpchar"),
            "total": Column(type="numeric(12,2)", typname="numeric", users=("view shop.sums",)),
            "placed": Column(type="timestamp(3) without time zone", typname="timestamp"),
            "net": Column(type="cidr", typname="cidr"),
            "tags": Column(type="text[]", typname="_text"),
            "proven": Column(type="integer", typname="int4", proven=True),
            "big": Column(type="bigint", typname="int8"),
        },
        users=("view shop.sums",),
    ),
    ("shop", "small"): Table(
        shown="shop.small",
        bytes=MEGABYTE,
        rows=9,
        columns={"a": Column(type="integer", typname="int4")},
    ),
    ("shop", "empty"): Table(
        shown="shop.empty",
        bytes=0,
        columns={"a": Column(type="integer", typname="int4")},
    ),
    ("shop", "locked"): Table(shown="shop.locked", bytes=None),
    ("shop", "parts"): Table(
        shown="shop.parts",
        kind="partitioned table",
        bytes=50 * MEGABYTE,
        columns={"a": Column(type="integer", typname="int4")},
    ),
}
VOLATILE = frozenset({"random", "clock_timestamp", "gen_random_uuid", "nextval"})


async def findings(parser: Parser, sql: str, *, version: int = 180000) -> list[Finding]:
    """Return what lint finds in *sql*, given the tables above."""
    pieces = await parser.parse(sql)
    known = known_to(pieces, tables=TABLES, volatile=VOLATILE, server_version=version)
    return lint(pieces, known)


ADD = "ALTER TABLE shop.orders ADD COLUMN x "
ALTER = "ALTER TABLE shop.orders ALTER COLUMN "
CONSTRAINT = "ALTER TABLE shop.orders ADD CONSTRAINT c "

FOUND = [
    pytest.param(ADD + "int NOT NULL", "adding-required-field", id="required"),
    pytest.param(ADD + "int NOT NULL DEFAULT NULL", "adding-required-field", id="default null"),
    pytest.param(
        "ALTER TABLE shop.locked ADD x int NOT NULL", "adding-required-field", id="size unknown"
    ),
    pytest.param(ADD + "float DEFAULT random()", "adding-field-with-default", id="volatile"),
    pytest.param(
        ADD + "text DEFAULT 'a' || gen_random_uuid()::text",
        "adding-field-with-default",
        id="volatile inside an expression",
    ),
    pytest.param(ADD + "bigserial", "adding-field-with-default", id="serial"),
    pytest.param(
        ADD + "bigint GENERATED ALWAYS AS IDENTITY", "adding-field-with-default", id="identity"
    ),
    pytest.param(
        ADD + "numeric GENERATED ALWAYS AS (total * 2) STORED",
        "adding-field-with-default",
        id="stored",
    ),
    pytest.param(ALTER + "id TYPE bigint", "changing-column-type", id="int to bigint"),
    pytest.param(ALTER + "code TYPE varchar(5)", "changing-column-type", id="shorter varchar"),
    pytest.param(ALTER + "fixed TYPE char(20)", "changing-column-type", id="char pads every row"),
    pytest.param(ALTER + "total TYPE numeric(14,3)", "changing-column-type", id="another scale"),
    pytest.param(ALTER + "total TYPE numeric(10,2)", "changing-column-type", id="fewer digits"),
    pytest.param(ALTER + "placed TYPE timestamptz", "changing-column-type", id="time zone"),
    pytest.param(ALTER + "placed TYPE timestamp(0)", "changing-column-type", id="less precise"),
    pytest.param(ALTER + "code TYPE text USING upper(code)", "changing-column-type", id="using"),
    pytest.param(ALTER + "tags TYPE varchar[]", "changing-column-type", id="array"),
    pytest.param(CONSTRAINT + "CHECK (total > 0)", "constraint-missing-not-valid", id="check"),
    pytest.param(
        ADD + "int DEFAULT 1 CHECK (x > 0)", "constraint-missing-not-valid", id="check of a column"
    ),
    pytest.param(
        CONSTRAINT + "FOREIGN KEY (id) REFERENCES shop.small",
        "adding-foreign-key-constraint",
        id="foreign key",
    ),
    pytest.param(
        ADD + "int DEFAULT 1 REFERENCES shop.small",
        "adding-foreign-key-constraint",
        id="foreign key of a filled column",
    ),
    pytest.param(
        "CREATE INDEX i ON shop.orders (code)", "require-concurrent-index-creation", id="index"
    ),
    pytest.param(
        "CREATE UNIQUE INDEX ON shop.small (a)",
        "require-concurrent-index-creation",
        id="index of a small table",
    ),
    pytest.param(
        "CREATE INDEX ON shop.parts (a)",
        "require-concurrent-index-creation",
        id="index of a partitioned table",
    ),
    pytest.param(ALTER + "code SET NOT NULL", "adding-not-nullable-field", id="not null"),
    pytest.param(
        "ALTER TABLE shop.orders ADD NOT NULL code", "adding-not-nullable-field", id="as constraint"
    ),
    pytest.param(CONSTRAINT + "UNIQUE (code)", "disallowed-unique-constraint", id="unique"),
    pytest.param(
        CONSTRAINT + "PRIMARY KEY (big)", "disallowed-unique-constraint", id="primary key"
    ),
    pytest.param(ADD + "text UNIQUE", "disallowed-unique-constraint", id="unique column"),
    pytest.param("DROP TABLE shop.orders", "ban-drop-table", id="drop table"),
    pytest.param("DROP TABLE IF EXISTS shop.empty", "ban-drop-table", id="drop an empty table"),
    pytest.param("ALTER TABLE shop.orders DROP total", "ban-drop-column", id="drop column"),
    pytest.param(
        "ALTER TABLE shop.orders RENAME total TO sum", "renaming-column", id="rename column"
    ),
    pytest.param("ALTER TABLE shop.orders RENAME TO sales", "renaming-table", id="rename table"),
    pytest.param(
        "CREATE TABLE a (id serial PRIMARY KEY)", "prefer-bigint-over-int", id="serial key"
    ),
    pytest.param(
        "CREATE TABLE a (id int, PRIMARY KEY (id))", "prefer-bigint-over-int", id="table key"
    ),
    pytest.param(
        "CREATE TABLE a (id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)",
        "prefer-bigint-over-int",
        id="small identity",
    ),
    pytest.param(
        "ALTER TABLE shop.empty ADD PRIMARY KEY (a)", "prefer-bigint-over-int", id="later key"
    ),
]


@pytest.mark.parametrize(("sql", "rule"), FOUND)
async def test_rule_finds(parser: Parser, sql: str, rule: str) -> None:
    """Each dangerous statement has exactly the one finding."""
    found = await findings(parser, sql)

    assert [finding.rule for finding in found] == [rule]


QUIET = [
    pytest.param(ADD + "int", id="nullable column"),
    pytest.param(ADD + "int NOT NULL DEFAULT 5", id="constant default"),
    pytest.param(ADD + "timestamptz NOT NULL DEFAULT now()", id="stable default"),
    pytest.param(
        ADD + "numeric GENERATED ALWAYS AS (total * 2) VIRTUAL", id="virtual column is computed"
    ),
    pytest.param(ADD + "int REFERENCES shop.small", id="foreign key of an empty column"),
    pytest.param("ALTER TABLE shop.empty ADD x int NOT NULL", id="required in an empty table"),
    pytest.param("ALTER TABLE shop.empty ADD x float DEFAULT random()", id="empty rewrite"),
    pytest.param("ALTER TABLE shop.gone ADD x int NOT NULL", id="unknown table"),
    pytest.param(ALTER + "code TYPE varchar(20)", id="longer varchar"),
    pytest.param(ALTER + "code TYPE text", id="varchar to text"),
    pytest.param(ALTER + "code TYPE text USING code::text", id="trivial using"),
    pytest.param(ALTER + "total TYPE numeric(14,2)", id="more digits"),
    pytest.param(ALTER + "total TYPE numeric", id="all digits"),
    pytest.param(ALTER + "placed TYPE timestamp(6)", id="more precise"),
    pytest.param(ALTER + "net TYPE inet", id="cidr to inet"),
    pytest.param("ALTER TABLE shop.empty ALTER a TYPE bigint", id="empty type change"),
    pytest.param(CONSTRAINT + "CHECK (total > 0) NOT VALID", id="check not valid"),
    pytest.param(CONSTRAINT + "FOREIGN KEY (id) REFERENCES shop.small NOT VALID", id="fk"),
    pytest.param(CONSTRAINT + "CHECK (total > 0) NOT ENFORCED", id="not enforced"),
    pytest.param("ALTER TABLE shop.orders VALIDATE CONSTRAINT c", id="validate"),
    pytest.param("CREATE INDEX CONCURRENTLY i ON shop.orders (code)", id="concurrently"),
    pytest.param("CREATE INDEX i ON shop.empty (a)", id="empty index"),
    pytest.param("CREATE INDEX i ON ONLY shop.parts (a)", id="on only"),
    pytest.param(ALTER + "id SET NOT NULL", id="not null already"),
    pytest.param(ALTER + "proven SET NOT NULL", id="proven by a check"),
    pytest.param("ALTER TABLE shop.small ALTER a SET NOT NULL", id="small scan"),
    pytest.param(
        "ALTER TABLE shop.orders VALIDATE CONSTRAINT c; " + ALTER + "code SET NOT NULL",
        id="proven in the same sql",
    ),
    pytest.param("ALTER TABLE shop.orders ADD NOT NULL code NOT VALID", id="not null not valid"),
    pytest.param(CONSTRAINT + "UNIQUE USING INDEX i", id="using index"),
    pytest.param("DROP TABLE shop.gone", id="drop what is not there"),
    pytest.param("DROP VIEW shop.sums", id="drop view"),
    pytest.param("ALTER INDEX shop.i RENAME TO j", id="rename index"),
    pytest.param("CREATE TABLE a (id bigint PRIMARY KEY)", id="bigint key"),
    pytest.param("CREATE TABLE a (id int)", id="int that is no key"),
    pytest.param("CREATE TABLE a (b int, c int, PRIMARY KEY (b, c))", id="key of two"),
    pytest.param("CREATE TABLE a (id int PRIMARY KEY REFERENCES shop.small)", id="key refers"),
    pytest.param(
        "CREATE TABLE a (id int PRIMARY KEY, FOREIGN KEY (id) REFERENCES shop.small)",
        id="key refers as a table constraint",
    ),
    pytest.param("ALTER TABLE shop.empty ADD UNIQUE (a)", id="unique of an empty table"),
]


@pytest.mark.parametrize("sql", QUIET)
async def test_rules_leave_in_peace(parser: Parser, sql: str) -> None:
    """What locks for a moment only, or was proven before, has no finding."""
    assert await findings(parser, sql) == []


CREATED = [
    pytest.param("CREATE INDEX ON shop.orders (code)", id="index"),
    pytest.param("ALTER TABLE shop.orders ADD x int NOT NULL", id="required column"),
    pytest.param("ALTER TABLE shop.orders ADD UNIQUE (code)", id="unique"),
    pytest.param("ALTER TABLE shop.orders ADD CHECK (total > 0)", id="check"),
    pytest.param("ALTER TABLE shop.orders ALTER code SET NOT NULL", id="not null"),
    pytest.param("ALTER TABLE shop.orders ALTER id TYPE bigint", id="type"),
    pytest.param("ALTER TABLE shop.orders DROP total", id="drop column"),
    pytest.param("DROP TABLE shop.orders", id="drop table"),
]


@pytest.mark.parametrize("sql", CREATED)
async def test_table_created_by_the_same_sql_is_exempt(parser: Parser, sql: str) -> None:
    """Nobody else can see it yet, so nobody waits for it."""
    assert await findings(parser, f"CREATE TABLE shop.orders (code text); {sql}") == []


async def test_if_not_exists_exempts_no_existing_table(parser: Parser) -> None:
    """CREATE TABLE IF NOT EXISTS creates nothing where the table is there."""
    sql = "CREATE TABLE IF NOT EXISTS shop.orders (a int); CREATE INDEX ON shop.orders (code)"

    found = await findings(parser, sql)

    assert [finding.rule for finding in found] == ["require-concurrent-index-creation"]


async def test_finding_says_what_where_why_and_what_instead(parser: Parser) -> None:
    """A finding is enough to act on: the object, the size, the users, the way around."""
    (finding,) = await findings(parser, ALTER + "total TYPE text")

    assert finding.object == "shop.orders.total"
    assert "about 1000000 rows (50 MB)" in finding.why
    assert "view shop.sums" in finding.why
    assert finding.instead.startswith("add a new column")
    assert finding.bytes == 50 * MEGABYTE


async def test_advice_for_not_null_fits_the_server(parser: Parser) -> None:
    """PostgreSQL 18 has NOT NULL … NOT VALID; before it a CHECK does the same."""
    (old,) = await findings(parser, ALTER + "code SET NOT NULL", version=150000)
    (new,) = await findings(parser, ALTER + "code SET NOT NULL", version=180000)

    assert "CHECK (column IS NOT NULL) NOT VALID" in old.instead
    assert "NOT NULL column NOT VALID" in new.instead


async def test_partitioned_foreign_key_before_18_goes_by_partition(parser: Parser) -> None:
    """NOT VALID foreign keys on partitioned tables exist from PostgreSQL 18 on."""
    sql = "ALTER TABLE shop.parts ADD FOREIGN KEY (a) REFERENCES shop.small"

    (old,) = await findings(parser, sql, version=150000)
    (new,) = await findings(parser, sql, version=180000)

    assert "each partition" in old.instead
    assert "each partition" not in new.instead


async def test_several_findings_come_in_statement_order(parser: Parser) -> None:
    """One ALTER TABLE may have several; the order is that of the statements."""
    sql = f"{ADD} serial PRIMARY KEY; DROP TABLE shop.empty"

    found = await findings(parser, sql)

    assert [finding.rule for finding in found] == [
        "adding-field-with-default",
        "disallowed-unique-constraint",
        "prefer-bigint-over-int",
        "ban-drop-table",
    ]
