"""Each kind of statement belongs to one tool, or to none with a sentence what to use instead."""

from __future__ import annotations

import pytest

from pgmcp.kinds import Level, Tool
from pgmcp.statement import Parser

READS = [
    "SELECT 1",
    "SELECT * FROM t ORDER BY a FETCH FIRST 3 ROWS WITH TIES",
    "VALUES (1), (2)",
    "TABLE t",
    "WITH a AS (SELECT 1) SELECT * FROM a",
    "SELECT 1 UNION ALL SELECT 2",
    "SHOW search_path",
    "SHOW ALL",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE SELECT 1",
    "EXPLAIN (ANALYZE, BUFFERS) SELECT 1",
    "EXPLAIN DELETE FROM t",
    "EXPLAIN (ANALYZE off) DELETE FROM t WHERE a = 1",
    "EXPLAIN (ANALYZE false, VERBOSE) DELETE FROM t WHERE a = 1",
    "EXPLAIN CREATE TABLE t AS SELECT 1",
    "SELECT pg_sleep(1)",
    "SELECT pg_advisory_xact_lock(1)",
    "SELECT lo_get(1)",
    "SELECT shop.lo_margin(1), lo_margin(2)",
    "SELECT 'DELETE FROM t', \"DROP TABLE\" FROM t -- COMMIT",
    "SELECT $$; DROP TABLE t; $$, $a$ COMMIT $a$",
    "SELECT E'\\'; DROP TABLE t; --'",
    "SELECT /* nested /* ; DELETE FROM t */ */ 1",
]
WRITES = [
    "INSERT INTO t VALUES (1)",
    "INSERT INTO t SELECT 1 ON CONFLICT DO NOTHING RETURNING *",
    "UPDATE t SET a = 1 WHERE b",
    "DELETE FROM t WHERE a",
    "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE",
    "TRUNCATE t",
    "CALL p(1)",
    "LOCK TABLE t",
    "LOCK t IN ACCESS SHARE MODE NOWAIT",
    "SET CONSTRAINTS ALL DEFERRED",
    "SELECT * FROM t FOR UPDATE",
    "SELECT * FROM t FOR KEY SHARE SKIP LOCKED",
    "SELECT * FROM (SELECT * FROM t FOR SHARE) AS x",
    "SELECT nextval('s')",
    "SELECT pg_catalog.setval('s', 1)",
    "SELECT U&\"\\006eextval\"('s')",
    "WITH d AS (DELETE FROM t WHERE a RETURNING *) SELECT * FROM d",
    "WITH a AS (WITH b AS (UPDATE t SET a = 1 WHERE b RETURNING 1) SELECT * FROM b) TABLE a",
    "SELECT (WITH i AS (INSERT INTO t VALUES (1) RETURNING 1) SELECT * FROM i)",
]
DEFINITIONS = [
    "CREATE TABLE t (a int)",
    "CREATE TEMP TABLE t (a int)",
    "CREATE TABLE t AS SELECT 1",
    "CREATE MATERIALIZED VIEW v AS SELECT 1",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
    "SELECT 1 INTO t",
    "WITH a AS (SELECT 1) SELECT * INTO t FROM a",
    "CREATE VIEW v AS SELECT 1",
    "CREATE INDEX CONCURRENTLY ON t (a)",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1",
    "CREATE TRIGGER g BEFORE UPDATE ON t EXECUTE FUNCTION f()",
    "CREATE POLICY p ON t",
    "CREATE TYPE e AS ENUM ('a')",
    "CREATE DOMAIN d AS int",
    "CREATE SEQUENCE s",
    "CREATE SCHEMA s",
    "CREATE STATISTICS x ON a, b FROM t",
    "ALTER TABLE t ADD b int",
    "ALTER TABLE t OWNER TO o",
    "ALTER TABLE t RENAME TO u",
    "ALTER TYPE e ADD VALUE 'b'",
    "ALTER FUNCTION f() STABLE",
    "DROP TABLE t",
    "DROP INDEX i",
    "DROP FUNCTION f(int)",
    "COMMENT ON TABLE t IS 'x'",
]
ADMINISTRATION = [
    ("GRANT SELECT ON t TO r", "action=grant"),
    ("REVOKE ALL ON t FROM r", "action=revoke"),
    ("GRANT a TO b", "action=grant"),
    ("VACUUM t", "action=vacuum"),
    ("VACUUM (FULL, ANALYZE)", "action=vacuum"),
    ("ANALYZE t", "action=analyze"),
    ("REINDEX TABLE t", "action=reindex"),
    ("CLUSTER t", "full=true"),
    ("ALTER SYSTEM SET work_mem = '1MB'", "action=set"),
    ("CREATE DATABASE d", "action=create_database"),
    ("DROP DATABASE d", "action=drop_database"),
    ("ALTER DATABASE d SET work_mem = '1MB'", "action=set"),
    ("CREATE ROLE r", "action=create_role"),
    ("CREATE USER r PASSWORD 'x'", "action=create_role"),
    ("ALTER ROLE r SUPERUSER", "action=alter_role"),
    ("ALTER USER r SET work_mem = '1MB'", "action=alter_role"),
    ("ALTER ROLE r RENAME TO q", "action=alter_role"),
    ("DROP ROLE r", "action=drop_role"),
    ("CREATE EXTENSION x", "action=create_extension"),
    ("DROP EXTENSION x CASCADE", "action=drop_extension"),
]
TRANSACTIONS = [
    ("BEGIN", "action=begin"),
    ("START TRANSACTION READ ONLY", "action=begin"),
    ("COMMIT", "action=commit"),
    ("END", "action=commit"),
    ("COMMIT AND CHAIN", "action=commit"),
    ("ROLLBACK", "action=rollback"),
    ("ABORT", "action=rollback"),
    ("SAVEPOINT a", "action=savepoint"),
    ("RELEASE a", "action=release"),
    ("ROLLBACK TO a", "action=rollback_to"),
    ("/* hidden */ commit", "action=commit"),
]
NOWHERE = [
    ("DO $$ BEGIN END $$", "function with pg_schema"),
    ("COPY t TO STDOUT", "SELECT"),
    ("COPY t FROM PROGRAM 'x'", "unnest"),
    ("COPY (DELETE FROM t RETURNING *) TO '/tmp/x'", "SELECT"),
    ("SET search_path = x", "do not outlive"),
    ("SET LOCAL work_mem = '1MB'", "timeout_seconds"),
    ("SET TRANSACTION READ WRITE", "isolation"),
    ("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", "do not outlive"),
    ("SET ROLE postgres", "do not outlive"),
    ("SET SESSION AUTHORIZATION postgres", "do not outlive"),
    ("RESET ALL", "do not outlive"),
    ("RESET ROLE", "do not outlive"),
    ("DISCARD ALL", "nothing to discard"),
    ("LISTEN x", "poll"),
    ("UNLISTEN *", "poll"),
    ("NOTIFY x", "operator"),
    ("PREPARE p AS SELECT 1", "params"),
    ("EXECUTE p", "params"),
    ("DEALLOCATE ALL", "params"),
    ("DECLARE c CURSOR FOR SELECT 1", "max_rows"),
    ("FETCH c", "max_rows"),
    ("MOVE c", "max_rows"),
    ("CLOSE ALL", "max_rows"),
    ("LOAD 'x'", "operator"),
    ("CHECKPOINT", "operator"),
    ("CREATE TABLESPACE x LOCATION '/x'", "operator"),
    ("CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p", "operator"),
    ("DROP OWNED BY r", "operator"),
    ("REASSIGN OWNED BY r TO q", "operator"),
    ("ALTER DATABASE a RENAME TO b", "operator"),
    ("PREPARE TRANSACTION 'x'", "action=commit"),
    ("COMMIT PREPARED 'x'", "operator"),
    ("EXPLAIN ANALYZE DELETE FROM t WHERE a", "explain=analyze"),
    ("EXPLAIN (ANALYZE on) INSERT INTO t VALUES (1)", "explain=analyze"),
    ("EXPLAIN ANALYZE SELECT * FROM t FOR UPDATE", "explain=analyze"),
    ("EXPLAIN ANALYZE SELECT nextval('s')", "explain=analyze"),
    ("EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1", "leave ANALYZE out"),
    ("EXPLAIN ANALYZE EXECUTE p", "params"),
    ("EXPLAIN EXECUTE p", "params"),
]
FUNCTIONS = [
    ("SELECT pg_terminate_backend(1)", "action=terminate"),
    ("SELECT pg_cancel_backend(1)", "action=cancel"),
    ("SELECT pg_reload_conf()", "action=reload"),
    ("SELECT set_config('role', 'x', false)", "do not outlive"),
    ("SELECT U&\"\\0073et_config\"('a', 'b', false)", "do not outlive"),
    ("SELECT \"pg_catalog\".\"set_config\"('a', 'b', false)", "do not outlive"),
    ("SELECT * FROM pg_terminate_backend(1)", "action=terminate"),
    ("SELECT 1 WHERE pg_terminate_backend(1)", "action=terminate"),
    ("SELECT 1 ORDER BY pg_cancel_backend(1)", "action=cancel"),
    ("SELECT count(*) FILTER (WHERE pg_cancel_backend(1))", "action=cancel"),
    ("SELECT * FROM t, LATERAL (SELECT pg_reload_conf()) AS x", "action=reload"),
    ("INSERT INTO t VALUES (pg_cancel_backend(1))", "action=cancel"),
    ("UPDATE t SET a = set_config('a', 'b', true) WHERE b", "do not outlive"),
    ("CALL p(pg_cancel_backend(1))", "action=cancel"),
    ("EXPLAIN SELECT pg_cancel_backend(1)", "action=cancel"),
    ("SELECT pg_advisory_lock(1)", "pg_advisory_xact_lock"),
    ("SELECT pg_try_advisory_lock_shared(1)", "_xact_lock"),
    ("SELECT pg_stat_reset()", "action=reset_statistics"),
    ("SELECT pg_stat_statements_reset()", "action=reset_statistics"),
    ("SELECT dblink_exec('', 'DELETE FROM t')", "in database"),
    ("SELECT lo_import('/etc/passwd')", "lo_get"),
    ("SELECT lo_export(1, '/tmp/x')", "lo_get"),
    ("SELECT lo_unlink(1)", "lo_get"),
    ("SELECT pg_create_logical_replication_slot('a', 'b')", "operator"),
    ("SELECT pg_logical_emit_message(true, 'a', 'b')", "operator"),
    ("SELECT pg_notify('a', 'b')", "operator"),
    ("SELECT pg_export_snapshot()", "repeatable read"),
    ("SELECT pg_switch_wal()", "operator"),
    ("SELECT pg_promote()", "operator"),
]


def cases(
    statements: list[str] | list[tuple[str, str]], tool: Tool | None, level: Level | None
) -> list[object]:
    """Return one case a statement; its id is its text."""
    pairs = [(found, "") if isinstance(found, str) else found for found in statements]
    return [pytest.param(sql, tool, level, words, id=sql) for sql, words in pairs]


@pytest.mark.parametrize(
    ("sql", "tool", "level", "words"),
    [
        *cases(READS, "pg_query", "read"),
        *cases(WRITES, "pg_query", "write"),
        *cases(DEFINITIONS, "pg_schema", "ddl"),
        *cases(ADMINISTRATION, "pg_admin", "admin"),
        *cases(TRANSACTIONS, "pg_tx", "read"),
        *cases(NOWHERE, None, None),
        *cases(FUNCTIONS, None, "admin"),
    ],
)
async def test_a_statement_belongs_to_one_tool(
    parser: Parser, sql: str, tool: Tool | None, level: Level | None, words: str
) -> None:
    statement = await parser.parse_one(sql)

    assert statement.tool == tool
    assert level in (None, statement.level)
    assert words in statement.refusal
    assert bool(statement.refusal) == bool(words) or tool == "pg_schema"


WRAPPED = [
    pytest.param("SELECT 1", "select", id="SELECT"),
    pytest.param("VALUES (1)", "select", id="VALUES"),
    pytest.param("SELECT * FROM t FOR UPDATE", "select", id="FOR UPDATE"),
    pytest.param("WITH a AS (SELECT 1) SELECT 2", "select", id="reading CTE"),
    pytest.param("WITH a AS (DELETE FROM t) SELECT 2", "", id="changing CTE"),
    pytest.param("INSERT INTO t VALUES (1) RETURNING 1", "", id="RETURNING"),
    pytest.param("SHOW a", "", id="SHOW"),
    pytest.param("EXPLAIN SELECT 1", "", id="EXPLAIN"),
]


@pytest.mark.parametrize(("sql", "wrap"), WRAPPED)
async def test_only_what_allows_it_is_wrapped(parser: Parser, sql: str, wrap: str) -> None:
    assert (await parser.parse_one(sql)).wrap == wrap


HONEST = [
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t",
    "SELECT rank() OVER w, sum(a) FILTER (WHERE b > 1) FROM t WINDOW w AS (PARTITION BY c)",
    "SELECT * FROM t, LATERAL (SELECT * FROM u WHERE u.a = t.a LIMIT 1) AS x",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 9) TABLE r",
    "SELECT * FROM JSON_TABLE('[1]', '$[*]' COLUMNS (a int PATH '$')) AS j",
    "SELECT JSON_QUERY(a, '$.b' WITH WRAPPER), a ->> 'b', a #> '{c}' FROM t",
    "SELECT a, b, count(*) FROM t GROUP BY GROUPING SETS ((a), (b), ()), CUBE (c)",
    "SELECT * FROM XMLTABLE('/a' PASSING x COLUMNS b int)",
    "SELECT ST_Distance(a, b), similarity(c, 'x'), a <-> b FROM t",
    "SELECT * FROM t TABLESAMPLE BERNOULLI (1) REPEATABLE (7)",
    "SELECT (a).b, (a).*, ARRAY(SELECT 1), x[1:2], CASE WHEN a THEN 1 END FROM t",
    "SELECT a AT TIME ZONE 'UTC', a::date, CAST(b AS text), a IS DISTINCT FROM b FROM t",
    "SELECT GREATEST(1, 2), COALESCE(a, b), NULLIF(a, b), EXTRACT(epoch FROM now())",
    "SELECT string_agg(DISTINCT a, ',' ORDER BY a), array_agg(b) FROM t HAVING count(*) > 1",
    "SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY[1])) WITH ORDINALITY",
    "SELECT a FROM t EXCEPT SELECT b FROM u INTERSECT ALL SELECT c FROM v",
    "SELECT * FROM t NATURAL LEFT JOIN u FULL JOIN v USING (a) CROSS JOIN w",
    "WITH a AS MATERIALIZED (SELECT 1), b AS NOT MATERIALIZED (SELECT 2) SELECT 3",
    "WITH RECURSIVE s AS (SELECT 1 AS a UNION SELECT 2) SEARCH DEPTH FIRST BY a SET o TABLE s",
    "SELECT '2024-01-01'::date + interval '1 month', U&'\\00e9', B'101', X'ff', 1_000, 0x1f",
    "SELECT * FROM unnest($1::int[], $2::text[]) AS u(a, b) WHERE a = ANY ($3)",
    "SELECT a || b" + " || c" * 46 + " FROM t",
    "SELECT " + "(" * 200 + "1" + ")" * 200,
    "SELECT * FROM t WHERE a IN (" + ", ".join(map(str, range(5000))) + ")",
    "SELECT * FROM t WHERE " + " AND ".join(f"a{n} = {n}" for n in range(500)),
    "SELECT 1" + " UNION ALL SELECT 1" * 400,
    "-- " + "-" * 190 + "\nSELECT 1",
]


@pytest.mark.parametrize("sql", HONEST, ids=lambda sql: sql[:60])
async def test_honest_queries_are_reads(parser: Parser, sql: str) -> None:
    statement = await parser.parse_one(sql)

    assert (statement.tool, statement.level) == ("pg_query", "read")
