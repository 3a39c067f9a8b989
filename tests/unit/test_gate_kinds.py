"""Every kind of statement that PostgreSQL's grammar knows is decided, and none by default."""

from __future__ import annotations

import importlib

import pytest

from pgmcp.definitions import rule_of
from pgmcp.kinds import RULES
from pgmcp.statement import Parser
from pgmcp.titles import title_of

pg_query_pb2 = importlib.import_module("postgast.pg_query_pb2")  # its stubs do not parse
# Nodes that the grammar never makes a statement by itself.
INNER = {"PLAssignStmt", "RawStmt", "ReplicaIdentityStmt", "ReturnStmt", "SetOperationStmt"}
NODES = {
    field.message_type.name
    for field in pg_query_pb2.Node.DESCRIPTOR.fields
    if field.message_type is not None and field.message_type.name.endswith("Stmt")
}
TYPED = [
    (field.message_type.name, message.name, field.json_name)
    for message in pg_query_pb2.DESCRIPTOR.message_types_by_name.values()
    for field in message.fields
    if field.message_type is not None and message.name not in ("Node", "RangeTblEntry", "Query")
]


def test_every_kind_is_decided() -> None:
    assert set(RULES) | INNER | {"TransactionStmt"} == NODES


def test_an_unknown_kind_is_refused() -> None:
    rule = rule_of("CreateSurpriseStmt", {})

    assert (rule.tool, rule.level) == (None, "admin")
    assert "does not know this kind" in rule.refusal


@pytest.mark.parametrize("kind", sorted(INNER))
def test_what_is_no_statement_is_refused(kind: str) -> None:
    assert rule_of(kind, {}).tool is None


@pytest.mark.parametrize("kind", sorted(set(RULES)))
def test_a_refusal_names_what_to_use(kind: str) -> None:
    rule = rule_of(kind, {})

    assert (rule.tool in ("pg_query", "pg_schema")) != bool(rule.refusal)
    assert bool(rule.why) == (rule.tool == "pg_schema" and rule.level == "admin")


@pytest.mark.parametrize("kind", sorted(set(RULES)))
def test_a_kind_has_a_name_in_sql(kind: str) -> None:
    """The words that libpg_query makes one of, or shortens, are not SQL's."""
    words = set(title_of(kind, {"removeType": "OBJECT_TABLE", "kind": "OBJECT_TYPE"}).split())

    assert not words & {"OP", "SEQ", "STATS", "T", "P", "FDW", "TRIG", "AM", "COLL", "OBJECT", ""}


FIELDS = [
    pytest.param("FuncCall", {"funccall"}, id="calls"),
    pytest.param("WithClause", {"withClause"}, id="WITH"),
    pytest.param("IntoClause", {"into", "intoClause"}, id="INTO"),
    pytest.param("SelectStmt", {"larg", "rarg", "val"}, id="SELECT"),
    pytest.param("GrantStmt", {"action"}, id="GRANT"),
    pytest.param("VariableSetStmt", {"setstmt"}, id="SET"),
    pytest.param("CreateStmt", {"base"}, id="CREATE TABLE"),
]


@pytest.mark.parametrize(("node", "fields"), FIELDS)
def test_a_node_without_its_name_is_known_by_its_field(node: str, fields: set[str]) -> None:
    """Where the grammar says what a field holds, the tree leaves the node's name out."""
    assert {field for name, _, field in TYPED if name == node} == fields


BEYOND = [
    "CREATE SERVER s FOREIGN DATA WRAPPER w",
    "ALTER SERVER s OPTIONS (host 'x')",
    "DROP SERVER s",
    "ALTER SERVER s OWNER TO o",
    "CREATE USER MAPPING FOR u SERVER s OPTIONS (password 'x')",
    "DROP USER MAPPING FOR u SERVER s",
    "CREATE FOREIGN DATA WRAPPER w",
    "DROP FOREIGN DATA WRAPPER w",
    "IMPORT FOREIGN SCHEMA a FROM SERVER s INTO b",
    "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()",
    "ALTER EVENT TRIGGER e DISABLE",
    "ALTER EVENT TRIGGER e OWNER TO o",
    "DROP EVENT TRIGGER e",
    "CREATE ACCESS METHOD m TYPE INDEX HANDLER h",
    "CREATE OPERATOR CLASS c FOR TYPE t USING btree AS OPERATOR 1 <",
    "CREATE OPERATOR FAMILY f USING btree",
    "ALTER OPERATOR FAMILY f USING btree ADD OPERATOR 1 < (a, b)",
    "CREATE TRANSFORM FOR t LANGUAGE l (FROM SQL WITH FUNCTION f(internal))",
    "CREATE CAST (a AS b) WITHOUT FUNCTION",
    "CREATE TYPE t",
    "CREATE TYPE t (INPUT = i, OUTPUT = o)",
    "ALTER TYPE t SET (STORAGE = extended)",
    "CREATE TEXT SEARCH PARSER p (START = a, GETTOKEN = b, END = c, LEXTYPES = d)",
    "CREATE TEXT SEARCH TEMPLATE p (LEXIZE = a)",
    "CREATE PUBLICATION p FOR ALL TABLES",
    "CREATE PUBLICATION p FOR TABLES IN SCHEMA s",
    "ALTER PUBLICATION p ADD TABLES IN SCHEMA s",
    "CREATE FOREIGN TABLE t (a int) SERVER s OPTIONS (program 'rm -r /')",
    "CREATE FOREIGN TABLE t (a int) SERVER s OPTIONS (filename '/etc/passwd')",
    "ALTER FOREIGN TABLE t OPTIONS (SET filename '/etc/passwd')",
    "SECURITY LABEL ON TABLE t IS 'x'",
    "COMMENT ON ROLE r IS 'x'",
    "COMMENT ON TABLESPACE x IS 'x'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
    "CREATE OR REPLACE PROCEDURE p() EXTERNAL SECURITY DEFINER LANGUAGE plpgsql AS ''",
    "CREATE FUNCTION f() RETURNS int SECURITY DEFINER RETURN 1",
    "ALTER FUNCTION f() SECURITY DEFINER",
    "ALTER PROCEDURE p() SECURITY DEFINER",
    "ALTER ROUTINE p() STABLE EXTERNAL SECURITY DEFINER",
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'a', 'b'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE internal AS 'pg_terminate_backend'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'x'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE plperlu AS 'x'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE 'SQL' AS 'SELECT 1'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE \"PlPgSql\" AS 'x'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql LEAKPROOF AS 'SELECT 1'",
    "ALTER FUNCTION f() LEAKPROOF",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SUPPORT g AS 'SELECT 1'",
    "CREATE FUNCTION pg_catalog.length(name) RETURNS int LANGUAGE sql RETURN 1",
    "CREATE OPERATOR pg_catalog.+ (FUNCTION = f, LEFTARG = t)",
    "CREATE TABLE pg_catalog.t (a int)",
    "ALTER FUNCTION pg_catalog.f() STABLE",
    "DROP FUNCTION pg_catalog.f()",
    "DROP VIEW a, information_schema.b",
    "ALTER FUNCTION f() SET SCHEMA pg_catalog",
    (
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS "
        "'CREATE FUNCTION g() RETURNS int LANGUAGE sql SECURITY DEFINER RETURN 1'"
    ),
]
OWNERS = [
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY INVOKER SET search_path = '' RETURN 1",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_notify(1); END'",
    "ALTER FUNCTION f() SECURITY INVOKER SET work_mem = '1MB' RESET ALL",
    "ALTER FUNCTION f() NOT LEAKPROOF",
    "ALTER TABLE t OWNER TO o",
    "ALTER SCHEMA s OWNER TO o",
    "COMMENT ON DATABASE d IS 'x'",
    "COMMENT ON EXTENSION e IS 'x'",
    "COMMENT ON FUNCTION f() IS 'x'",
    "CREATE CAST (a AS b) WITH FUNCTION pg_catalog.f(a)",
    "CREATE CAST (a AS b) WITH INOUT AS ASSIGNMENT",
    (
        "CREATE TRIGGER g BEFORE UPDATE ON t"
        " EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()"
    ),
    "CREATE TABLE t (a pg_catalog.int4 DEFAULT pg_catalog.nextval('s'))",
    "ALTER TABLE t ALTER a TYPE pg_catalog.text USING pg_catalog.upper(a)",
    "CREATE DOMAIN d AS pg_catalog.int4 CHECK (VALUE > 0)",
    "CREATE TYPE t AS RANGE (SUBTYPE = pg_catalog.float8, SUBTYPE_DIFF = pg_catalog.float8mi)",
    "CREATE AGGREGATE a (int) (SFUNC = pg_catalog.int4pl, STYPE = int)",
    "CREATE OPERATOR ## (FUNCTION = pg_catalog.int4pl, LEFTARG = int, RIGHTARG = int)",
    "CREATE TEXT SEARCH CONFIGURATION c (COPY = pg_catalog.english)",
    "ALTER TEXT SEARCH CONFIGURATION c ALTER MAPPING FOR word WITH pg_catalog.english_stem",
    'CREATE COLLATION c FROM pg_catalog."C"',
    "CREATE FOREIGN TABLE t (a int) SERVER s OPTIONS (schema_name 'x')",
    "CREATE PUBLICATION p FOR TABLE t",
    "CREATE SCHEMA s CREATE TABLE t (a int) CREATE VIEW v AS SELECT 1",
    "CREATE RULE r AS ON DELETE TO t DO INSTEAD UPDATE t SET a = 1",
    "ALTER TABLE t DISABLE TRIGGER ALL",
    "ALTER COLLATION c REFRESH VERSION",
    "CREATE VIEW pg_temp.v AS SELECT 1",
]
INSIDE = [
    ("CREATE SCHEMA s GRANT SELECT ON t TO PUBLIC", "action=grant"),
    ("CREATE RULE r AS ON DELETE TO t DO NOTIFY x", "operator"),
    ("CREATE TABLE t AS EXECUTE p", "params"),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'COPY t TO ''/x''; SELECT 1'", "SELECT"),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SET ROLE r; COMMIT'", "action=commit"),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC GRANT a TO b; END", "grant"),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT FROM WHERE'", "body is no SQL"),
    ("ALTER DATABASE d OWNER TO o", "operator"),
    ("ALTER LANGUAGE l OWNER TO o", "operator"),
    ("DROP LANGUAGE l", "action=drop_extension"),
    ("CREATE LANGUAGE l", "action=create_extension"),
    ("ALTER EXTENSION e SET SCHEMA s", "action=create_extension"),
    ("ALTER TABLESPACE x RENAME TO y", "operator"),
    ("ALTER SUBSCRIPTION s OWNER TO o", "operator"),
    ("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO r", "action=grant"),
]


def by_text(statements: list[str]) -> list[object]:
    """Return one case a statement; its id is its text."""
    return [pytest.param(sql, id=sql[:70]) for sql in statements]


@pytest.mark.parametrize("sql", by_text(BEYOND))
async def test_what_an_owner_could_not_do_needs_admin(parser: Parser, sql: str) -> None:
    statement = await parser.parse_one(sql)

    assert (statement.tool, statement.level, statement.refusal) == ("pg_schema", "admin", "")
    assert statement.why


@pytest.mark.parametrize("sql", by_text(OWNERS))
async def test_what_an_owner_may_do_is_ddl(parser: Parser, sql: str) -> None:
    statement = await parser.parse_one(sql)

    assert (statement.tool, statement.level, statement.refusal) == ("pg_schema", "ddl", "")


@pytest.mark.parametrize(("sql", "words"), INSIDE, ids=[sql[:70] for sql, _ in INSIDE])
async def test_what_a_definition_may_not_hold_is_refused(
    parser: Parser, sql: str, words: str
) -> None:
    statement = await parser.parse_one(sql)

    assert statement.tool in (None, "pg_admin")
    assert words in statement.refusal
