"""What analysts and programs send every day is accepted, each at the level that it needs."""

from __future__ import annotations

import pytest

from pgmcp.kinds import Level
from pgmcp.statement import Parser

READ = [
    "SELECT percentile_cont(ARRAY[.5, .9]) WITHIN GROUP (ORDER BY ms) FROM calls",
    "SELECT mode() WITHIN GROUP (ORDER BY a), count(*) FILTER (WHERE a > 3) FROM t",
    "SELECT rank(5) WITHIN GROUP (ORDER BY a DESC) FROM t",
    "SELECT sum(a) OVER (ORDER BY d RANGE BETWEEN '7 days' PRECEDING AND CURRENT ROW) FROM t",
    (
        "SELECT lag(a, 1, 0) OVER w, first_value(a) OVER (w ROWS UNBOUNDED PRECEDING EXCLUDE TIES)"
        " FROM t WINDOW w AS (PARTITION BY b ORDER BY c)"
    ),
    "SELECT ntile(4) OVER (ORDER BY a), cume_dist() OVER (ORDER BY a) FROM t",
    "SELECT a, b, grouping(a, b), sum(c) FROM t GROUP BY GROUPING SETS ((a, b), (a), ())",
    "SELECT a, b FROM t GROUP BY DISTINCT ROLLUP (a, b), CUBE (b)",
    "SELECT date_trunc('month', d), count(DISTINCT user_id) FROM events GROUP BY 1",
    "SELECT * FROM t CROSS JOIN LATERAL (SELECT * FROM u WHERE u.a = t.a LIMIT 3) AS x",
    "SELECT * FROM t LEFT JOIN LATERAL unnest(t.tags) WITH ORDINALITY AS x (tag, n) ON true",
    (
        "WITH RECURSIVE tree AS (SELECT id, 0 AS depth FROM n UNION ALL SELECT n.id, depth + 1"
        " FROM n JOIN tree ON n.parent = tree.id) SEARCH DEPTH FIRST BY id SET o"
        " CYCLE id SET looped USING path SELECT * FROM tree"
    ),
    "WITH a AS MATERIALIZED (SELECT 1), b AS NOT MATERIALIZED (TABLE a) SELECT * FROM a, b",
    (
        "SELECT * FROM JSON_TABLE(j, '$.items[*]' AS root COLUMNS (n FOR ORDINALITY, name text"
        " PATH '$.name', NESTED PATH '$.tags[*]' COLUMNS (tag text PATH '$'))) AS x"
    ),
    "SELECT JSON_VALUE(j, '$.a' RETURNING int DEFAULT 0 ON EMPTY), JSON_EXISTS(j, '$.b') FROM t",
    "SELECT jsonb_agg(jsonb_build_object('id', id) ORDER BY id), json_object_agg(k, v) FROM t",
    "SELECT j -> 'a' ->> 0, j #>> '{a,b}', j @? '$.x[*] ? (@ > 2)', j['a']['b'] FROM t",
    "SELECT * FROM jsonb_to_recordset('[{\"a\": 1}]') AS x (a int, b text)",
    "SELECT x.* FROM t, XMLTABLE('//row' PASSING doc COLUMNS id int PATH '@id', n text) AS x",
    "SELECT xpath('/a/text()', doc), XMLELEMENT(NAME a, XMLATTRIBUTES(id AS i), b) FROM t",
    (
        "SELECT day::date, coalesce(n, 0) FROM generate_series('2024-01-01'::date, now(), '1 day')"
        " AS day LEFT JOIN (SELECT d, count(*) AS n FROM t GROUP BY 1) AS x ON x.d = day"
    ),
    "SELECT ST_AsGeoJSON(geom), ST_DWithin(a.geom, b.geom, 100) FROM a, b WHERE a.geom && b.geom",
    "SELECT similarity(a, $1), a <-> $1 FROM t WHERE a % $1 ORDER BY 2 LIMIT 5",
    "SELECT embedding <=> $1::vector FROM items ORDER BY 1 LIMIT 10",
    "SELECT time_bucket('5 minutes', ts), last(v, ts) FROM metrics GROUP BY 1",
    "SELECT crypt('x', gen_salt('bf')), digest('a', 'sha256'), uuid_generate_v4()",
    (
        "SELECT ts_headline('english', body, q), ts_rank_cd(v, q) FROM docs,"
        " websearch_to_tsquery('english', $1) AS q WHERE v @@ q"
    ),
    "SELECT to_tsvector('simple', a) || setweight(to_tsvector(b), 'A'), ts_debug('x') FROM t",
    "EXPLAIN (ANALYZE, BUFFERS, VERBOSE, SETTINGS, WAL, FORMAT JSON) SELECT * FROM t",
    "EXPLAIN (GENERIC_PLAN) SELECT * FROM t WHERE id = $1",
    "EXPLAIN UPDATE t SET a = 1 WHERE id = 1",
    "SELECT ARRAY[[1, 2], [3, 4]], a[2:], a || 5, a @> ARRAY[1], array_position(a, 2) FROM t",
    "SELECT unnest(a), cardinality(a), ARRAY(SELECT b FROM u), string_to_array('a,b', ',') FROM t",
    'SELECT shop.price_of(id, at => now()), shop."Total of"(VARIADIC ARRAY[1, 2]) FROM shop.o',
    "SELECT (shop.summary_of(id)).*, (row_value).total FROM orders",
    "SELECT * FROM t TABLESAMPLE BERNOULLI (1.5) REPEATABLE (42)",
    "SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b DESC NULLS LAST OFFSET 5",
    "SELECT a FROM t ORDER BY 1 FETCH FIRST 10 ROWS WITH TIES",
    "(SELECT a FROM t LIMIT 1) UNION ALL (SELECT b FROM u EXCEPT SELECT c FROM v) ORDER BY 1",
    "SELECT * FROM ROWS FROM (f(1) AS (a int), g(2)) WITH ORDINALITY AS x (a, b, n)",
    "SELECT CASE a WHEN 1 THEN 'x' ELSE 'y' END, a IS NOT DISTINCT FROM b, a BETWEEN 1 AND 2",
    "SELECT now() AT TIME ZONE 'Europe/Berlin', d + INTERVAL '1' DAY, EXTRACT(week FROM d) FROM t",
    "SELECT regexp_replace(a, '(\\w+)', '<\\1>', 'g'), a ~* '^x', a SIMILAR TO 'y%' FROM t",
    "SELECT format('%I.%L', a, b), quote_literal(a), E'tab\\there', U&'d\\0061t', $x$ it's $x$",
    "SELECT 0x1F, 1_000_000, 0b11, 1e3, '1'::money, DATE '2024-01-01', B'101'",
    "SELECT count(*) FROM t WHERE (a, b) IN (SELECT a, b FROM u) AND a = ANY ($1) AND c > ALL ($2)",
    "SELECT pg_get_viewdef('v'::regclass), pg_size_pretty(pg_total_relation_size('t'))",
    "SELECT relname, n_dead_tup FROM pg_stat_user_tables ORDER BY 2 DESC",
    "SELECT pid, query, pg_blocking_pids(pid) FROM pg_stat_activity WHERE state = 'active'",
    "SELECT * FROM information_schema.columns WHERE table_schema = 'public'",
    "SELECT name, setting FROM pg_settings WHERE name LIKE '%mem%'",
    "SELECT * FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 10",
    "SELECT currval('s'), pg_sequence_last_value('s'), last_value FROM s",
    "SELECT random(), random_normal(), gen_random_uuid(), clock_timestamp(), pg_sleep(.1)",
    "VALUES (1, 'a'), (2, NULL) ORDER BY 1",
    "TABLE shop.orders",
    "SHOW server_version",
    "SELECT",
    "-- 'SELECT' is below; DROP nothing\nSELECT /* COMMIT; */ \"DELETE\", 'x; y' FROM \"TABLE\"",
]
WRITE = [
    "INSERT INTO t (a, b) VALUES ($1, DEFAULT), ($2, now()) RETURNING id",
    "INSERT INTO t SELECT * FROM u ON CONFLICT (id) DO UPDATE SET a = EXCLUDED.a WHERE t.b",
    "INSERT INTO t OVERRIDING SYSTEM VALUE SELECT * FROM unnest($1::int[], $2::text[])",
    "UPDATE t SET (a, b) = ROW (1, 2), c[1] = 3, j['k'] = '1' FROM u WHERE u.id = t.id",
    "UPDATE t SET a = 1 WHERE id = 1 RETURNING old.a, new.a",
    "DELETE FROM ONLY t USING u WHERE t.id = u.id RETURNING t.*",
    (
        "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED AND u.gone THEN DELETE WHEN NOT MATCHED"
        " BY SOURCE THEN DO NOTHING WHEN NOT MATCHED THEN INSERT VALUES (u.id)"
        " RETURNING merge_action(), t.*"
    ),
    "WITH moved AS (DELETE FROM t WHERE old RETURNING *) INSERT INTO archive TABLE moved",
    "SELECT * FROM jobs WHERE done IS NULL ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1",
    "SELECT * FROM t AS x JOIN u ON true FOR NO KEY UPDATE OF x NOWAIT",
    "SELECT nextval('shop.order_id')",
    "TRUNCATE t, u RESTART IDENTITY CASCADE",
    "CALL shop.close_month(2024, 5)",
    "LOCK TABLE t IN SHARE MODE",
    "SET CONSTRAINTS ALL DEFERRED",
]
DDL = [
    (
        "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text NOT NULL"
        " DEFAULT 'x', b int REFERENCES u ON DELETE CASCADE, c int GENERATED ALWAYS AS (b * 2)"
        " STORED, EXCLUDE USING gist (r WITH &&)) PARTITION BY RANGE (id)"
    ),
    "CREATE TABLE p PARTITION OF t FOR VALUES FROM (1) TO (100)",
    "CREATE UNIQUE INDEX CONCURRENTLY ON t (lower(a)) INCLUDE (b) WHERE b > 0",
    "CREATE INDEX ON t USING gin (to_tsvector('english', a))",
    "CREATE MATERIALIZED VIEW v AS SELECT a, count(*) FROM t GROUP BY a",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
    "CREATE OR REPLACE VIEW v WITH (security_invoker) AS SELECT * FROM t",
    "ALTER TABLE t ADD b int DEFAULT nextval('s'), ALTER a TYPE int USING a::int, DROP c",
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY p ON t FOR SELECT TO app USING (owner = current_user)",
    "CREATE FUNCTION f(a int) RETURNS SETOF t LANGUAGE sql STABLE AS 'SELECT * FROM t WHERE id=a'",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER g AFTER INSERT ON t REFERENCING NEW TABLE AS n EXECUTE FUNCTION f()",
    "CREATE TYPE mood AS ENUM ('sad', 'ok')",
    "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'happy' AFTER 'ok'",
    "CREATE DOMAIN email AS citext CHECK (VALUE ~ '@')",
    "CREATE AGGREGATE product (numeric) (SFUNC = numeric_mul, STYPE = numeric, INITCOND = '1')",
    "COMMENT ON COLUMN t.a IS 'first; DROP TABLE t'",
    "DROP TABLE IF EXISTS t, u CASCADE",
    "ALTER INDEX i RENAME TO j",
    "ALTER SEQUENCE s RESTART WITH 100 OWNED BY t.id",
]


def by_level(level: Level, statements: list[str]) -> list[object]:
    """Return one case a statement."""
    return [pytest.param(sql, level, id=f"{level}: {sql[:50]}") for sql in statements]


@pytest.mark.parametrize(
    ("sql", "level"), [*by_level("read", READ), *by_level("write", WRITE), *by_level("ddl", DDL)]
)
async def test_an_honest_statement_is_accepted(parser: Parser, sql: str, level: Level) -> None:
    statement = await parser.parse_one(sql)

    assert statement.tool == ("pg_schema" if level == "ddl" else "pg_query")
    assert (statement.level, statement.refusal) == (level, "")
