"""A function that nobody may call is found wherever an expression can stand."""

from __future__ import annotations

import pytest

from pgmcp.statement import Parser

PLACES = [
    "SELECT {}",
    "SELECT 1 FROM {}",
    "SELECT 1 FROM ROWS FROM ({}, unnest(a)) WITH ORDINALITY",
    "SELECT 1 FROM t, LATERAL {} AS x (a int)",
    "SELECT 1 FROM t JOIN u ON {}",
    "SELECT 1 FROM t TABLESAMPLE SYSTEM ({})",
    "SELECT 1 FROM XMLTABLE('/a' PASSING {} COLUMNS b int)",
    "SELECT 1 FROM XMLTABLE('/a' PASSING a COLUMNS b int DEFAULT {})",
    "SELECT 1 FROM JSON_TABLE({}, '$[*]' COLUMNS (a int PATH '$'))",
    "SELECT 1 FROM JSON_TABLE(a, '$' PASSING {} AS x COLUMNS (a int))",
    "SELECT 1 FROM JSON_TABLE(a, '$' COLUMNS (a int DEFAULT {} ON EMPTY))",
    "SELECT 1 WHERE {}",
    "SELECT 1 GROUP BY {}",
    "SELECT 1 GROUP BY GROUPING SETS (({}), ())",
    "SELECT 1 HAVING {}",
    "SELECT 1 ORDER BY {} USING <",
    "SELECT 1 LIMIT {}",
    "SELECT 1 OFFSET {}",
    "SELECT 1 FETCH FIRST ({}) ROWS ONLY",
    "SELECT DISTINCT ON ({}) 1",
    "SELECT count(*) FILTER (WHERE {})",
    "SELECT count({}) OVER ()",
    "SELECT count(*) OVER (PARTITION BY {})",
    "SELECT count(*) OVER (ORDER BY a ROWS {} PRECEDING)",
    "SELECT 1 WINDOW w AS (ORDER BY {})",
    "SELECT string_agg(a, b ORDER BY {})",
    "SELECT percentile_cont({}) WITHIN GROUP (ORDER BY a)",
    "SELECT f(a => {})",
    "SELECT f(VARIADIC {})",
    "SELECT CASE {} WHEN 1 THEN 2 END",
    "SELECT CASE WHEN a THEN b ELSE {} END",
    "SELECT COALESCE(a, {})",
    "SELECT GREATEST(a, {})",
    "SELECT NULLIF(a, {})",
    "SELECT ARRAY[1, {}]",
    "SELECT ARRAY(SELECT {})",
    "SELECT ROW({})",
    "SELECT (ROW({})).a",
    "SELECT a[{}:2]",
    "SELECT {}::text",
    'SELECT CAST({} AS text) COLLATE "C"',
    "SELECT {} AT TIME ZONE 'UTC'",
    "SELECT EXTRACT(epoch FROM {})",
    "SELECT SUBSTRING(a FROM {})",
    "SELECT a BETWEEN b AND {}",
    "SELECT a LIKE b ESCAPE {}",
    "SELECT a SIMILAR TO {}",
    "SELECT a IN (1, {})",
    "SELECT a = ANY ({})",
    "SELECT a OPERATOR(pg_catalog.+) {}",
    "SELECT EXISTS (SELECT {})",
    "SELECT {} IS NULL",
    "SELECT NOT {} IS TRUE",
    "SELECT {} IS JSON",
    "SELECT XMLELEMENT(NAME a, {})",
    "SELECT XMLFOREST({} AS a)",
    "SELECT XMLSERIALIZE(CONTENT {} AS text)",
    "SELECT JSON_OBJECT('a': {})",
    "SELECT JSON_ARRAY({})",
    "SELECT JSON_ARRAYAGG({} ORDER BY a)",
    "SELECT JSON_OBJECTAGG('a': {})",
    "SELECT JSON_VALUE(a, '$' DEFAULT {} ON ERROR)",
    "SELECT JSON_QUERY({}, '$')",
    "SELECT JSON_SERIALIZE({})",
    "SELECT 1 UNION SELECT {}",
    "VALUES (1), ({})",
    "WITH a AS (SELECT {}) SELECT 1",
    "WITH RECURSIVE a AS (SELECT 1 UNION SELECT {} FROM a) SELECT 1",
    "EXPLAIN SELECT {}",
    "EXPLAIN (ANALYZE) SELECT {}",
    "EXPLAIN DECLARE c CURSOR FOR SELECT {}",
    "INSERT INTO t VALUES ({})",
    "INSERT INTO t SELECT {}",
    "INSERT INTO t VALUES (1) ON CONFLICT (lower({})) DO NOTHING",
    "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = {} WHERE b",
    "INSERT INTO t VALUES (1) RETURNING {}",
    "UPDATE t SET a = {} WHERE b",
    "UPDATE t SET (a, b) = (SELECT {}, 1) WHERE b",
    "DELETE FROM t USING {} AS x WHERE b",
    "MERGE INTO t USING u ON {} WHEN MATCHED THEN DELETE",
    "MERGE INTO t USING u ON a WHEN NOT MATCHED AND {} THEN INSERT VALUES (1)",
    "MERGE INTO t USING u ON a WHEN MATCHED THEN UPDATE SET a = {} RETURNING 1",
    "CALL p({})",
    "CREATE TABLE t AS SELECT {}",
    "CREATE MATERIALIZED VIEW v AS SELECT {} WITH NO DATA",
    "CREATE VIEW v AS SELECT {}",
    "CREATE TABLE t (a int DEFAULT {})",
    "CREATE TABLE t (a int CHECK (a > {}))",
    "CREATE TABLE t (a int GENERATED ALWAYS AS ({}) STORED)",
    "CREATE TABLE t (a int, EXCLUDE USING gist ({} WITH =))",
    "CREATE TABLE t (a int) PARTITION BY RANGE (lower({}))",
    "CREATE TABLE t PARTITION OF u FOR VALUES IN ({})",
    "ALTER TABLE t ADD a int DEFAULT {}",
    "ALTER TABLE t ALTER a TYPE text USING {}",
    "ALTER TABLE t ADD CHECK ({} > 0)",
    "CREATE INDEX ON t (({}))",
    "CREATE INDEX ON t (a) WHERE {}",
    "CREATE STATISTICS s ON ({}), a FROM t",
    "CREATE DOMAIN d AS int CHECK (VALUE > {})",
    "ALTER DOMAIN d SET DEFAULT {}",
    "CREATE POLICY p ON t USING ({})",
    "ALTER POLICY p ON t WITH CHECK ({})",
    "CREATE RULE r AS ON SELECT TO t DO INSTEAD SELECT {}",
    "CREATE RULE r AS ON DELETE TO t WHERE {} DO NOTHING",
    "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW WHEN ({}) EXECUTE FUNCTION f()",
    "CREATE FUNCTION f(a int DEFAULT {}) RETURNS int LANGUAGE plpgsql AS ''",
    "CREATE FUNCTION f() RETURNS int RETURN {}",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT {}; END",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $b$ SELECT 1; SELECT {} $b$",
    (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $b$ CREATE FUNCTION g() RETURNS int"
        " LANGUAGE sql AS $c$ SELECT {} $c$ $b$"
    ),
    "CREATE PUBLICATION p FOR TABLE t WHERE ({})",
]


@pytest.mark.parametrize("place", PLACES)
async def test_a_denied_function_is_found_everywhere(parser: Parser, place: str) -> None:
    statement = await parser.parse_one(place.format("set_config('a', 'b', true)"))

    assert (statement.tool, statement.level) == (None, "admin")
    assert statement.refusal.startswith("It calls set_config(). Settings of a session")


@pytest.mark.parametrize("place", PLACES)
async def test_the_same_place_takes_another_function(parser: Parser, place: str) -> None:
    """It is the function that is refused above, not the place."""
    statement = await parser.parse_one(place.format("shop.total('a', 'b', true)"))

    assert statement.tool in ("pg_query", "pg_schema")
    assert ("shop", "total") in statement.functions


USED = [
    "CREATE OPERATOR ## (FUNCTION = set_config, LEFTARG = text)",
    "CREATE OPERATOR ## (PROCEDURE = pg_catalog.set_config, LEFTARG = text)",
    "CREATE AGGREGATE a (text) (SFUNC = set_config, STYPE = text)",
    "CREATE AGGREGATE a (text) (SFUNC = 'set_config', STYPE = text)",
    "CREATE AGGREGATE a (text) (SFUNC = f, STYPE = text, FINALFUNC = set_config)",
    "CREATE CAST (a AS b) WITH FUNCTION set_config(a)",
    "CREATE TYPE r AS RANGE (SUBTYPE = a, CANONICAL = set_config)",
    "CREATE TRIGGER g BEFORE UPDATE ON t EXECUTE FUNCTION set_config()",
    "CREATE CONVERSION c FOR 'UTF8' TO 'LATIN1' FROM set_config",
]


@pytest.mark.parametrize("sql", USED)
async def test_nothing_is_defined_that_calls_it_later(parser: Parser, sql: str) -> None:
    statement = await parser.parse_one(sql)

    assert statement.refusal.startswith("It calls set_config().")
