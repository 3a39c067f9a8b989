"""What a parse tree is found to destroy, wherever it hides."""

from __future__ import annotations

import pytest

from pgmcp.statement import Parser
from pgmcp.titles import title_of

TARGETS = [
    pytest.param("DELETE FROM t", [("DELETE without WHERE", "t")], id="DELETE"),
    pytest.param("DELETE FROM d.s.t", [("DELETE without WHERE", "d.s.t")], id="three names"),
    pytest.param('DELETE FROM "S"."T t"', [("DELETE without WHERE", "S.T t")], id="quoted names"),
    pytest.param("DELETE FROM T", [("DELETE without WHERE", "t")], id="folded name"),
    pytest.param("DELETE FROM t USING u", [("DELETE without WHERE", "t")], id="USING"),
    *(
        pytest.param(
            f"DELETE FROM t WHERE {where}",
            [("DELETE with a WHERE that names no column", "t")],
            id=f"WHERE {where}",
        )
        for where in ("true", "1 = 1", "$1", "now() > $1::date", "(SELECT true)")
    ),
    pytest.param(
        "UPDATE t SET a = b WHERE 1=1",
        [("UPDATE with a WHERE that names no column", "t")],
        id="1=1",
    ),
    pytest.param("DELETE FROM t WHERE a = 1 OR true", [], id="WHERE with a column"),
    pytest.param("DELETE FROM t WHERE ($1 OR f(t.a))", [], id="WHERE with a column deeper"),
    pytest.param("DELETE FROM t WHERE t IS NOT NULL", [], id="WHERE with the row"),
    pytest.param("UPDATE t SET a = 1", [("UPDATE without WHERE", "t")], id="UPDATE"),
    pytest.param("UPDATE t SET a = 1 FROM u", [("UPDATE without WHERE", "t")], id="UPDATE FROM"),
    pytest.param(
        "UPDATE t SET a = (SELECT 1 WHERE true)", [("UPDATE without WHERE", "t")], id="inner WHERE"
    ),
    pytest.param("UPDATE t SET a = 1 WHERE CURRENT OF c", [], id="WHERE CURRENT OF"),
    pytest.param("INSERT INTO t VALUES (1)", [], id="INSERT"),
    pytest.param(
        "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 1", [], id="ON CONFLICT"
    ),
    pytest.param(
        "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE",
        [("DELETE by a MERGE that names no column", "t")],
        id="MERGE ON true",
    ),
    pytest.param(
        "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE", [], id="MERGE by a column"
    ),
    pytest.param(
        "MERGE INTO t USING u ON true WHEN MATCHED AND t.a > 1 THEN UPDATE SET b = 1",
        [],
        id="MERGE with a condition",
    ),
    pytest.param(
        "MERGE INTO t USING u ON false WHEN NOT MATCHED THEN INSERT VALUES (1)",
        [],
        id="MERGE that inserts",
    ),
    pytest.param(
        "DELETE FROM t WHERE EXISTS (SELECT c.oid FROM pg_class AS c)",
        [("DELETE with a WHERE that names no column", "t")],
        id="another table's column in a sub-select",
    ),
    pytest.param(
        "DELETE FROM t AS x WHERE EXISTS (SELECT 1 FROM u WHERE u.a = x.a)", [], id="correlated"
    ),
    pytest.param("DELETE FROM t WHERE a IN (SELECT u.a FROM u)", [], id="IN a sub-select"),
    pytest.param("TRUNCATE a, b.c", [("TRUNCATE", "a"), ("TRUNCATE", "b.c")], id="TRUNCATE"),
    pytest.param("TRUNCATE a CASCADE", [("TRUNCATE CASCADE", "a")], id="TRUNCATE CASCADE"),
    pytest.param(
        "WITH b AS (DELETE FROM u), a AS (UPDATE v SET x = 1) DELETE FROM w",
        [
            ("DELETE without WHERE", "u"),
            ("UPDATE without WHERE", "v"),
            ("DELETE without WHERE", "w"),
        ],
        id="in statement order",
    ),
    pytest.param(
        "SELECT (WITH d AS (DELETE FROM t RETURNING 1) SELECT 1)",
        [("DELETE without WHERE", "t")],
        id="in an expression",
    ),
    pytest.param(
        "INSERT INTO a WITH d AS (DELETE FROM t RETURNING 1) SELECT * FROM d",
        [("DELETE without WHERE", "t")],
        id="in an INSERT",
    ),
    pytest.param("DROP TABLE a, s.b", [("DROP TABLE", "a"), ("DROP TABLE", "s.b")], id="tables"),
    pytest.param("DROP TABLE a CASCADE", [("DROP TABLE CASCADE", "a")], id="DROP CASCADE"),
    pytest.param("DROP MATERIALIZED VIEW v", [("DROP MATERIALIZED VIEW", "v")], id="matview"),
    pytest.param("DROP FOREIGN TABLE v", [("DROP FOREIGN TABLE", "v")], id="foreign table"),
    pytest.param("DROP SCHEMA s", [("DROP SCHEMA", "s")], id="schema"),
    pytest.param("DROP TYPE s.t", [("DROP TYPE", "s.t")], id="type"),
    pytest.param("DROP FUNCTION s.f(int)", [("DROP FUNCTION", "s.f")], id="function"),
    pytest.param("DROP TRIGGER g ON s.t", [("DROP TRIGGER", "s.t.g")], id="trigger"),
    pytest.param("DROP POLICY p ON t", [("DROP POLICY", "t.p")], id="policy"),
    pytest.param(
        "ALTER TABLE s.t DROP COLUMN a, DROP b",
        [("DROP COLUMN", "s.t.a"), ("DROP COLUMN", "s.t.b")],
        id="columns",
    ),
    pytest.param(
        "ALTER TABLE t DROP a CASCADE", [("DROP COLUMN CASCADE", "t.a")], id="column CASCADE"
    ),
    pytest.param("ALTER TABLE t ADD a int", [], id="ADD COLUMN"),
]


@pytest.mark.parametrize(("sql", "targets"), TARGETS)
async def test_what_a_statement_destroys_is_found(
    parser: Parser, sql: str, targets: list[tuple[str, str]]
) -> None:
    statement = await parser.parse_one(sql)

    assert [(found.verb, ".".join(found.names)) for found in statement.targets] == targets


async def test_a_functions_arguments_tell_it_from_others(parser: Parser) -> None:
    (statement,) = await parser.parse('DROP FUNCTION f(int, "My Type"[], VARIADIC s.t), g')

    (first, second) = statement.targets
    assert first.arguments == ('"pg_catalog"."int4"', '"My Type"[]', '"s"."t"')
    assert second.arguments is None


FACTS = [
    pytest.param("SELECT * FROM t", "star", True, id="star"),
    pytest.param("TABLE t", "star", True, id="TABLE is a star"),
    pytest.param("SELECT (f()).*", "star", True, id="star of a composite"),
    pytest.param("SELECT * FROM (SELECT a FROM t) AS x", "star", True, id="star of a subquery"),
    pytest.param("SELECT count(*) FROM t", "star", False, id="count star"),
    pytest.param("SELECT a FROM t", "star", False, id="named columns"),
    pytest.param("SELECT f()", "may_prepare", True, id="function"),
    pytest.param("SELECT 1", "may_prepare", False, id="no function"),
    pytest.param("CREATE INDEX CONCURRENTLY ON t (a)", "concurrently", True, id="index"),
    pytest.param("REINDEX TABLE CONCURRENTLY t", "concurrently", True, id="reindex"),
    pytest.param("REFRESH MATERIALIZED VIEW CONCURRENTLY v", "concurrently", False, id="refresh"),
    pytest.param(
        "ALTER TABLE t DETACH PARTITION p CONCURRENTLY", "concurrently", True, id="detach"
    ),
    pytest.param("DROP VIEW v CASCADE", "cascade", True, id="cascade"),
    pytest.param("DROP VIEW v RESTRICT", "cascade", False, id="restrict"),
]


@pytest.mark.parametrize(("sql", "fact", "expected"), FACTS)
async def test_facts_of_a_statement(parser: Parser, sql: str, fact: str, expected: object) -> None:
    assert getattr(await parser.parse_one(sql), fact) == expected


async def test_the_tables_of_a_statement_are_found_everywhere(parser: Parser) -> None:
    sql = (
        "WITH c AS (SELECT * FROM s.a) INSERT INTO b SELECT * FROM c"
        " WHERE x IN (SELECT y FROM d JOIN LATERAL (TABLE e) AS f ON true)"
    )

    assert (await parser.parse_one(sql)).relations == {"a", "b", "c", "d", "e"}


TITLES = [
    ("CHECKPOINT", "CHECKPOINT"),
    ("SET work_mem = '1MB'", "SET"),
    ("RESET ALL", "RESET"),
    ("RESET work_mem", "RESET"),
    ("REASSIGN OWNED BY a TO b", "REASSIGN OWNED"),
    ("DROP OWNED BY a", "DROP OWNED"),
    ("CREATE TABLESPACE a LOCATION '/a'", "CREATE TABLESPACE"),
    ("DROP TABLESPACE a", "DROP TABLESPACE"),
    ("SELECT 1 AS a INTO t", "SELECT INTO"),
    ("SELECT 1 AS a INTO t UNION SELECT 2 UNION SELECT 3", "SELECT INTO"),
    ("SELECT 1 UNION SELECT 2", "SELECT"),
]


@pytest.mark.parametrize(("sql", "title"), TITLES)
async def test_a_statement_is_called_what_sql_calls_it(
    parser: Parser, sql: str, title: str
) -> None:
    statement = await parser.parse_one(sql)

    assert title_of(statement.kind, statement.node) == title
