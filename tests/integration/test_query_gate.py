"""What pg_query refuses has no effect, and what is honest runs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from pgmcp.settings import load
from tests import tsv
from tests.asking import Asker, asking
from tests.cluster import ThrowawayCluster

SETUP = """
CREATE TABLE t (id integer PRIMARY KEY, a integer, b text, j jsonb, tags text[]);
INSERT INTO t SELECT n, n % 3, 'row ' || n, jsonb_build_object('n', n), ARRAY['x']
  FROM generate_series(1, 20) AS n;
CREATE TABLE u AS SELECT id, a FROM t;
CREATE SEQUENCE s;
CREATE FUNCTION sneaky() RETURNS integer LANGUAGE sql VOLATILE
    AS 'INSERT INTO u VALUES (99, 99) RETURNING id';
CREATE FUNCTION secure() RETURNS integer LANGUAGE sql SECURITY DEFINER
    AS 'DELETE FROM u RETURNING id';
CREATE VIEW sly AS SELECT sneaky() AS n;
CREATE PROCEDURE ends() LANGUAGE plpgsql AS 'BEGIN INSERT INTO u VALUES (1, 1); COMMIT; END';
"""
# All that the statements below could change, as one line of text.
STATE = """
SELECT concat_ws(' | ',
    (SELECT string_agg(t::text, ',' ORDER BY id) FROM t), (SELECT string_agg(u::text, ',') FROM u),
    (SELECT last_value::text || is_called::text FROM s),
    (SELECT string_agg(relname, ',' ORDER BY oid) FROM pg_class WHERE relnamespace <> 99),
    (SELECT string_agg(datname, ',' ORDER BY oid) FROM pg_database),
    (SELECT string_agg(rolname, ',' ORDER BY oid) FROM pg_roles),
    (SELECT string_agg(proname, ',') FROM pg_proc WHERE oid >= 16384),
    (SELECT string_agg(name || setting, ',') FROM pg_settings WHERE source LIKE 'database%'),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
    (SELECT count(*) FROM pg_prepared_xacts), (SELECT count(*) FROM pg_largeobject_metadata),
    (SELECT count(*) FROM pg_replication_slots), (SELECT string_agg(setconfig::text, ',')
       FROM pg_db_role_setting))
"""


@pytest.fixture(scope="module")
async def asker(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Asker]:
    await cluster.execute(SETUP, database=database)
    async with asking(load(environ=cluster.environment(database))) as made:
        yield made


@pytest.fixture(scope="module")
async def witness(cluster: ThrowawayCluster, database: str) -> AsyncIterator[asyncpg.Connection]:
    """Look from outside."""
    connection = await cluster.connect(database)
    yield connection
    await connection.close()


REFUSED = [
    "SELECT 1; DELETE FROM t",
    "SELECT 1;\0 DROP TABLE t",
    "COMMIT; DROP TABLE t",
    "ROLLBACK; INSERT INTO u VALUES (7, 7)",
    "SELECT 1 /* ' */; DELETE FROM t --'",
    "SELECT '\\'; DELETE FROM t; --'",
    "COMMIT",
    "BEGIN READ WRITE",
    "COMMIT AND CHAIN",
    "PREPARE TRANSACTION 'p'",
    "SET TRANSACTION READ WRITE",
    "SET transaction_read_only = off",
    "RESET transaction_read_only",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "SET ROLE postgres",
    "RESET ALL",
    "DISCARD ALL",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT U&\"\\0073et_config\"('work_mem', '1MB', false)",
    "SELECT pg_catalog . set_config ('work_mem', '1MB', false)",
    "CREATE TABLE made (a int)",
    "CREATE TABLE made AS SELECT 1",
    "SELECT 1 AS a INTO made",
    "CREATE TEMP TABLE made (a int)",
    "DROP TABLE t",
    "ALTER TABLE t ADD c int",
    "CREATE DATABASE made",
    "CREATE ROLE made",
    "ALTER SYSTEM SET work_mem = '1MB'",
    "GRANT SELECT ON t TO PUBLIC",
    "VACUUM t",
    "DO $$ BEGIN DELETE FROM t; END $$",
    "COPY t TO '/tmp/x'",
    "COPY t TO PROGRAM 'true'",
    "COPY u FROM PROGRAM 'echo 1'",
    "PREPARE p AS DELETE FROM t",
    "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
    "LISTEN x",
    "LOAD 'x'",
    "SELECT pg_advisory_lock(1)",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT pg_create_physical_replication_slot('made')",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "SELECT pg_reload_conf()",
    "DELETE FROM t",
    "UPDATE t SET a = 0",
    "TRUNCATE t",
    "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
    "WITH a AS (WITH b AS (UPDATE t SET a = 9 RETURNING *) TABLE b) TABLE a",
    "SELECT * FROM t WHERE id IN (WITH d AS (DELETE FROM u RETURNING id) SELECT id FROM d)",
    "EXPLAIN ANALYZE DELETE FROM t",
    "EXPLAIN (ANALYZE) CREATE TABLE made AS SELECT 1",
    "EXPLAIN ANALYZE SELECT nextval('s')",
    "CALL ends()",
]


@pytest.mark.parametrize("mode", ["read", "write"])
@pytest.mark.parametrize("sql", REFUSED, ids=lambda sql: sql[:50])
async def test_what_is_refused_has_no_effect(
    asker: Asker, witness: asyncpg.Connection, sql: str, mode: str
) -> None:
    before = await witness.fetchval(STATE)

    refusal = await asker.refusal(sql=sql, mode=mode)

    assert refusal.startswith("error")
    assert await witness.fetchval(STATE) == before


@pytest.mark.parametrize("mode", ["read", "write"])
@pytest.mark.parametrize(
    ("sql", "title"),
    [("LOCK TABLE t", "LOCK TABLE"), ("SET CONSTRAINTS ALL DEFERRED", "SET CONSTRAINTS")],
)
async def test_what_ends_with_its_transaction_needs_one(
    asker: Asker, sql: str, title: str, mode: str
) -> None:
    refusal = await asker.refusal(sql=sql, mode=mode)
    begun = await asker.ask("pg_tx", action="begin", mode="write")
    assert begun.structured_content is not None
    handle = begun.structured_content["session_id"]
    done = await asker.text(sql=sql, session_id=handle)
    ended = await asker.text("pg_tx", action="rollback", session_id=handle)

    assert f"{title} lasts until the end of its transaction, which would be this call" in refusal
    assert title in done
    assert ended == f"rolled back {handle[:8]}…; nothing of it was kept."


ONLY_READ = [
    "INSERT INTO u VALUES (7, 7)",
    "DELETE FROM t WHERE id = 1",
    "SELECT * FROM t FOR UPDATE",
    "SELECT nextval('s')",
    "LOCK TABLE t",
    "SELECT sneaky()",
    "SELECT secure()",
    "SELECT * FROM sly",
    "SELECT count(*) FROM t WHERE sneaky() > 0",
    "SELECT query_to_xml('INSERT INTO u VALUES (8, 8)', true, true, '')",
    "MERGE INTO u USING t ON u.id = t.id WHEN MATCHED THEN DELETE",
]


@pytest.mark.parametrize("sql", ONLY_READ)
async def test_reading_changes_nothing(asker: Asker, witness: asyncpg.Connection, sql: str) -> None:
    """Where the words do not tell, PostgreSQL's READ ONLY does."""
    before = await witness.fetchval(STATE)

    refusal = await asker.refusal(sql=sql)

    assert refusal.startswith("error")
    assert await witness.fetchval(STATE) == before


HONEST = [
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t",
    "SELECT rank() OVER w, sum(a) FILTER (WHERE a > 0) OVER w FROM t WINDOW w AS (ORDER BY id)",
    "SELECT lag(a) OVER (PARTITION BY a ORDER BY id ROWS 1 PRECEDING) FROM t",
    "SELECT t.id, x.n FROM t, LATERAL (SELECT count(*) AS n FROM u WHERE u.a = t.a) AS x",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 9) TABLE r",
    "SELECT a, count(*) FROM t GROUP BY GROUPING SETS ((a), ()) ORDER BY 1 NULLS LAST",
    "SELECT a, b, count(*) FROM t GROUP BY ROLLUP (a, b) HAVING count(*) > 1",
    "SELECT j -> 'n', j ->> 'n', j @> '{\"n\": 1}', jsonb_path_query(j, '$.n ? (@ > 3)') FROM t",
    "SELECT unnest(tags), string_agg(b, ', ' ORDER BY id DESC) FROM t GROUP BY 1",
    "SELECT * FROM generate_series(1, 3) WITH ORDINALITY, ROWS FROM (unnest(ARRAY[1, 2])) AS r",
    "SELECT 'a' || 'b'" + " || 'c'" * 46,
    "SELECT * FROM t WHERE id IN (" + ", ".join(map(str, range(3000))) + ")",
    "SELECT " + " + ".join(["1"] * 300),
    "SELECT CASE WHEN a = 1 THEN 'x' ELSE b END, COALESCE(b, ''), a::text FROM t",
    "SELECT DISTINCT ON (a) a, id FROM t ORDER BY a, id DESC FETCH FIRST 2 ROWS WITH TIES",
    "SELECT a FROM t EXCEPT ALL SELECT a FROM u INTERSECT SELECT 1 ORDER BY 1",
    "SELECT * FROM t TABLESAMPLE SYSTEM (100) REPEATABLE (1)",
    "SELECT * FROM t FULL JOIN u USING (id) NATURAL LEFT JOIN (SELECT 1 AS id) AS v",
    "SELECT to_tsvector('english', b) @@ to_tsquery('row'), now() - interval '1 day' FROM t",
    "SELECT pg_size_pretty(pg_total_relation_size('t')), obj_description('t'::regclass)",
    "SELECT pg_advisory_xact_lock(1), pg_sleep(0), txid_current_if_assigned()",
    "SELECT 'DROP TABLE t; COMMIT' AS \"DELETE FROM t\", $$;$$ -- ; COMMIT",
    "EXPLAIN (ANALYZE, COSTS off, TIMING off) SELECT * FROM t WHERE id = 1",
    "SHOW transaction_read_only",
    "TABLE pg_catalog.pg_tablespace",
    "SELECT * FROM information_schema.columns WHERE table_name = 't'",
]


@pytest.mark.parametrize("sql", HONEST, ids=lambda sql: sql[:50])
async def test_honest_queries_run(asker: Asker, sql: str) -> None:
    assert tsv.read(await asker.text(sql=sql)).receipt


@pytest.fixture
def json_table(cluster: ThrowawayCluster) -> None:
    """Skip where the server has no JSON_TABLE."""
    if cluster.major < 17:
        pytest.skip(f"PostgreSQL {cluster.major} has no JSON_TABLE; 17 is the first")


@pytest.mark.usefixtures("json_table")
async def test_json_table_runs_where_the_server_has_it(asker: Asker) -> None:
    sql = "SELECT * FROM JSON_TABLE('[1, 2]', '$[*]' COLUMNS (a int PATH '$')) AS j"
    table = tsv.read(await asker.text(sql=sql))

    assert table.rows == (("1",), ("2",))


HELD = [
    pytest.param("DELETE FROM t WHERE id = 1", id="change"),
    pytest.param("SELECT sneaky()", id="function"),
]


@pytest.mark.parametrize("sql", HELD)
async def test_a_reading_transaction_cannot_be_turned(asker: Asker, sql: str) -> None:
    begun = await asker.ask("pg_tx", action="begin", mode="read")
    assert begun.structured_content is not None
    handle = begun.structured_content["session_id"]

    turned = await asker.refusal(sql="SET TRANSACTION READ WRITE", session_id=handle)
    refusal = await asker.refusal(sql=sql, session_id=handle)
    await asker.text("pg_tx", action="rollback", session_id=handle)

    assert "SET is not run here." in turned
    assert "needs write" in refusal or "read-only transaction" in refusal
