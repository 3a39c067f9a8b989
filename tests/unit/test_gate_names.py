"""What nobody may call or read by name, however it is spelled and wherever it stands."""

from __future__ import annotations

import pytest

from pgmcp.denied import CORE, EXTENSIONS, SECRET
from pgmcp.statement import Parser, Statement

FAMILIES = [
    "pg_ls_dir",
    "pg_ls_waldir",
    "pg_read_file",
    "pg_read_binary_file",
    "pg_file_write",
    "pg_advisory_unlock_all",
    "pg_try_advisory_lock",
    "pg_stat_reset_shared",
    "pg_replication_slot_advance",
    "pg_drop_replication_slot",
    "pg_create_restore_point",
    "pg_logical_slot_peek_changes",
    "pg_copy_logical_replication_slot",
    "pg_replication_origin_session_setup",
    "pg_wal_replay_pause",
    "pg_backup_start",
    "pg_stop_backup",
    "pg_restore_relation_stats",
    "pg_clear_attribute_stats",
    "pg_set_relation_stats",
    "binary_upgrade_set_next_pg_type_oid",
    "dblink",
    "dblink_connect",
    "pg_background_launch",
    "pg_buffercache_evict_all",
]
FUNCTIONS = [*CORE, *EXTENSIONS, *FAMILIES]


def escaped(name: str) -> str:
    """Spell a name by its characters' numbers."""
    return 'U&"' + "".join(f"\\{ord(letter):04x}" for letter in name) + '"'


@pytest.mark.parametrize("name", FUNCTIONS)
async def test_a_denied_function_is_refused_in_every_spelling(parser: Parser, name: str) -> None:
    texts = [
        f"SELECT {name}()",
        f'SELECT "{name}"()',
        f"SELECT {name.upper()} /* ( */ ()",
        f"SELECT pg_catalog . {name}()",
        f"SELECT {escaped(name)}()",
        f"SELECT db.PG_CATALOG.{name}()",
    ]

    statements = [await parser.parse_one(sql) for sql in texts]

    assert {(found.tool, found.level) for found in statements} == {(None, "admin")}
    assert all(f"It calls {name}(). " in found.refusal for found in statements)


ALLOWED = [
    pytest.param("SELECT pg_sleep(1), current_setting('a'), random(), now()", "read", id="own"),
    pytest.param("SELECT lo_get(1), pg_advisory_xact_lock(1)", "read", id="of the transaction"),
    pytest.param("SELECT pg_current_xact_id_if_assigned(), txid_status(1)", "read", id="xid"),
    pytest.param("SELECT app.set_config('a'), shop.lo_put(1)", "read", id="name of one's own"),
    pytest.param("SELECT crosstab_report(), lo_margin(1)", "read", id="similar name"),
    pytest.param("SELECT ts_rewrite(a, b, c)", "read", id="ts_rewrite of three"),
    pytest.param("SELECT pg_current_xact_id()", "write", id="assigns an xid"),
    pytest.param("SELECT txid_current()", "write", id="assigns a txid"),
    pytest.param("SELECT setval('s', nextval('s'))", "write", id="sequence"),
    pytest.param("SELECT http_post('https://x', a, b)", "write", id="changes elsewhere"),
    pytest.param("CREATE TABLE t (a int DEFAULT nextval('s'))", "ddl", id="nextval in DDL"),
    pytest.param(
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN PERFORM set_config(1); END'",
        "ddl",
        id="body that is not SQL",
    ),
    pytest.param("ALTER FUNCTION set_config() STABLE", "ddl", id="ALTER of a name"),
    pytest.param("DROP FUNCTION lo_put(int)", "ddl", id="DROP of a name"),
]


@pytest.mark.parametrize(("sql", "level"), ALLOWED)
async def test_what_only_looks_like_it_is_allowed(parser: Parser, sql: str, level: str) -> None:
    statement = await parser.parse_one(sql)

    assert (statement.refusal, statement.level) == ("", level)


async def test_a_rewrite_by_sql_text_is_refused(parser: Parser) -> None:
    statement = await parser.parse_one("SELECT ts_rewrite(a, b, c), ts_rewrite(a, 'SELECT 1')")

    assert statement.refusal.startswith("It calls ts_rewrite(). It runs SQL given as text")


@pytest.mark.parametrize("name", SECRET)
async def test_a_secret_relation_is_refused_in_every_spelling(parser: Parser, name: str) -> None:
    texts = [
        f"SELECT * FROM {name}",
        f"TABLE {name.upper()}",
        f'SELECT 1 FROM ONLY "{name}" AS x',
        f"SELECT 1 FROM t JOIN LATERAL (SELECT * FROM {escaped(name)}) AS x ON true",
        f"WITH a AS (SELECT * FROM {name}) SELECT 1",
        f"WITH a AS (SELECT * FROM {name}), {name} AS (SELECT 1) SELECT * FROM a",
        f"SELECT (SELECT count(*) FROM {name})",
        f"INSERT INTO t SELECT * FROM {name}",
        f"CREATE TABLE t AS TABLE {name}",
        f"CREATE VIEW v AS SELECT * FROM {name}",
        f"CREATE TABLE t (LIKE {name})",
        f"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT count(*) FROM {name}'",
        f"EXPLAIN SELECT * FROM {name}",
        f"LOCK TABLE {name}",
    ]

    statements = [await parser.parse_one(sql) for sql in texts]

    assert {found.tool for found in statements} == {None}
    assert all(f"It reads {name}. " in found.refusal for found in statements)


NEAR = [
    "SELECT * FROM pg_roles, pg_user, pg_stats, pg_stats_ext, pg_stat_subscription, pg_settings",
    "SELECT * FROM information_schema.user_mappings, pg_largeobject_metadata, pg_proc",
    "SELECT * FROM app.user_mapping_options",
    "WITH pg_authid AS (SELECT 1) SELECT * FROM pg_authid",
    "WITH RECURSIVE a AS (SELECT * FROM pg_shadow), pg_shadow AS (SELECT 1) SELECT * FROM a",
    "WITH pg_shadow AS (SELECT 1) SELECT (WITH b AS (SELECT * FROM pg_shadow) TABLE b)",
    "SELECT 'pg_authid'::regclass, pg_authid.a FROM t AS pg_authid",
    "SELECT pg_relation_size('pg_toast.pg_toast_1255')",
]


@pytest.mark.parametrize("sql", NEAR)
async def test_what_is_no_secret_is_read(parser: Parser, sql: str) -> None:
    assert (await parser.parse_one(sql)).refusal == ""


STILL_SECRET = [
    "WITH pg_authid AS (SELECT 1) SELECT * FROM pg_catalog.pg_authid",
    "WITH pg_authid AS (SELECT * FROM pg_authid) SELECT * FROM pg_authid",
    "SELECT (WITH pg_authid AS (SELECT 1) TABLE pg_authid), a FROM pg_authid",
    "WITH a AS (WITH pg_authid AS (SELECT 1) TABLE pg_authid) SELECT * FROM pg_authid",
    "SELECT * FROM pg_toast.pg_toast_1260",
    "SELECT * FROM db.pg_catalog.pg_authid",
    "SELECT * FROM app.pg_shadow",
    "SELECT * FROM information_schema._pg_user_mappings",
]


@pytest.mark.parametrize("sql", STILL_SECRET)
async def test_a_with_hides_only_what_it_does_for_postgresql(parser: Parser, sql: str) -> None:
    assert (await parser.parse_one(sql)).refusal.startswith("It reads ")


SYSTEM = [
    ("UPDATE pg_settings SET setting = 'off' WHERE name = 'a'", "Settings of a session"),
    ("UPDATE pg_catalog.pg_settings SET setting = 'off' WHERE name = 'a'", "Settings of a session"),
    ("DELETE FROM pg_class WHERE oid = 1", "changes pg_class, which is PostgreSQL's own"),
    ("INSERT INTO pg_proc VALUES (1)", "changes pg_proc"),
    ("MERGE INTO pg_type USING t ON a WHEN MATCHED THEN DELETE", "changes pg_type"),
    ("TRUNCATE information_schema.sql_parts", "changes sql_parts"),
    ("LOCK TABLE pg_class", "changes pg_class"),
    ("WITH a AS (DELETE FROM pg_class WHERE oid = 1) SELECT 1", "changes pg_class"),
    ("WITH pg_class AS (SELECT 1) DELETE FROM pg_class WHERE oid = 1", "changes pg_class"),
    ("CREATE RULE r AS ON DELETE TO t DO DELETE FROM pg_class", "changes pg_class"),
]


@pytest.mark.parametrize(("sql", "words"), SYSTEM, ids=[sql[:60] for sql, _ in SYSTEM])
async def test_the_systems_own_tables_are_not_written(parser: Parser, sql: str, words: str) -> None:
    statement = await parser.parse_one(sql)

    assert statement.tool is None
    assert words in statement.refusal


def names_of(statement: Statement) -> dict[str, object]:
    """Return what a statement names."""
    return {
        "functions": set(statement.functions),
        "attributes": statement.attributes,
        "operators": set(statement.operators),
        "casts": set(statement.casts),
        "tables": set(statement.tables),
    }


async def test_what_a_statement_names_is_told(parser: Parser) -> None:
    sql = (
        'WITH c AS (SELECT x.f, (y).g[1].h FROM s.a AS x) INSERT INTO "B" SELECT'
        " app.fn(1::app.mood), 1 OPERATOR(app.###) 2, 3 + 4, CAST(a AS text)"
        " FROM c JOIN d ON c.k = ANY (SELECT 1) ORDER BY 1 USING OPERATOR(app.<)"
    )

    assert names_of(await parser.parse_one(sql)) == {
        "functions": {("app", "fn")},
        "attributes": {"f", "g", "h", "k"},
        "operators": {"app.###", "+", "=", "app.<"},
        "casts": {("app", "mood"), (None, "text")},
        "tables": {("s", "a"), (None, "B"), (None, "d")},
    }


async def test_what_a_body_of_sql_names_is_told(parser: Parser) -> None:
    sql = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT g(a.b) FROM s.a'"

    statement = await parser.parse_one(sql)

    assert statement.functions == ((None, "g"),)
    assert statement.tables == (("s", "a"),)
    assert statement.attributes == {"b"}
