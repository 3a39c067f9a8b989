"""A read runs nobody else's code, by whatever name that code is reached."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from pgmcp.http import Gateway
from tests.bypass.arena import Arena
from tests.bypass.conftest import Side
from tests.conftest import HandClock
from tests.people import Person, gateway_with, refusal

SETUP = """
CREATE SCHEMA app;
CREATE FUNCTION app.secret() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE FUNCTION app.secret(integer) RETURNS integer LANGUAGE sql IMMUTABLE SECURITY DEFINER
    AS 'SELECT $1';
CREATE FUNCTION app.add(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE SECURITY DEFINER
    AS 'SELECT $1 + $2';
CREATE FUNCTION app.is_fine(integer) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    AS 'SELECT true';
CREATE TABLE app.plain (a integer);
INSERT INTO app.plain VALUES (1);
CREATE VIEW app.view AS SELECT app.secret() AS n;
CREATE VIEW app.view_of_view AS SELECT n FROM app.view;
CREATE VIEW app.clean AS SELECT a FROM app.plain;
CREATE MATERIALIZED VIEW app.stored AS SELECT app.secret() AS n;
CREATE OPERATOR app.@@@ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = app.add);
CREATE OPERATOR public.<<<< (LEFTARG = integer, RIGHTARG = integer, FUNCTION = app.add);
CREATE AGGREGATE app.sum_up(integer) (SFUNC = app.add, STYPE = integer, INITCOND = '0');
CREATE DOMAIN app.checked AS integer CHECK (app.is_fine(VALUE));
CREATE DOMAIN app.twice AS app.checked;
CREATE TABLE app.of_domain (a app.twice);
INSERT INTO app.of_domain VALUES (1);
CREATE TYPE app.pair AS (x integer);
CREATE FUNCTION app.to_number(app.pair) RETURNS integer LANGUAGE sql SECURITY DEFINER
    AS 'SELECT 1';
CREATE CAST (app.pair AS integer) WITH FUNCTION app.to_number(app.pair);
CREATE TABLE app.of_pair (p app.pair);
CREATE FUNCTION public.of_text(text) RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE FUNCTION public.of_row(app.plain) RETURNS integer LANGUAGE sql SECURITY DEFINER
    AS 'SELECT 1';
CREATE FUNCTION app.atomic() RETURNS integer BEGIN ATOMIC SELECT app.secret(); END;
CREATE FUNCTION app.in_text() RETURNS integer LANGUAGE sql AS 'SELECT app . Secret ()';
CREATE FUNCTION app.in_plpgsql() RETURNS integer LANGUAGE plpgsql
    AS 'BEGIN RETURN (SELECT n FROM app.view_of_view); END';
CREATE FUNCTION app.by_default(a integer DEFAULT app.secret()) RETURNS integer LANGUAGE sql
    AS 'SELECT $1';
CREATE FUNCTION app.of_argument(app.twice) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.innocent() RETURNS integer LANGUAGE plpgsql
    AS 'DECLARE secret integer := 1; BEGIN RETURN secret; END';
CREATE TABLE app.filled (a integer DEFAULT app.secret(), b integer DEFAULT app.secret(3));
CREATE TABLE app.limited (a integer CHECK (app.is_fine(a)));
CREATE TABLE app.of_constant (a integer CHECK (a < app.secret(9)));
CREATE TABLE app.indexed (a integer);
CREATE INDEX ON app.indexed ((a + app.secret(1)));
CREATE TABLE app.parted (a integer) PARTITION BY RANGE ((a + app.secret(1)));
CREATE TABLE app.estimated (a integer, b integer);
CREATE STATISTICS app.guess ON (a + app.secret(1)), b FROM app.estimated;
CREATE TABLE app.guarded (a integer);
INSERT INTO app.guarded VALUES (1);
ALTER TABLE app.guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY fine ON app.guarded USING (app.is_fine(a));
CREATE VIEW app.over_guarded AS SELECT a FROM app.guarded;
CREATE VIEW app.as_reader WITH (security_invoker) AS SELECT a FROM app.guarded;
CREATE FUNCTION app.closed() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
REVOKE EXECUTE ON FUNCTION app.closed() FROM PUBLIC;
CREATE FUNCTION app.allowed() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
REVOKE EXECUTE ON FUNCTION app.allowed() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.allowed() TO pgmcp_read;
CREATE VIEW app.over_allowed AS SELECT app.allowed() AS n;
"""
TEARDOWN = """
DROP FUNCTION public.of_row; DROP FUNCTION public.of_text;
DROP OPERATOR public.<<<< (integer, integer); DROP SCHEMA app CASCADE;
"""
VIRTUAL_SINCE = 18
VIRTUAL = "CREATE TABLE app.virtual (a integer, b integer GENERATED ALWAYS AS (app.secret(a)))"


@pytest.fixture(scope="module", autouse=True)
async def prepared(arena: Arena) -> AsyncIterator[None]:
    """Make functions, and everything that reaches them."""
    await arena.witness.execute(SETUP)
    yield
    await arena.witness.execute(TEARDOWN)


REFUSED = [
    "SELECT app.secret()",
    'SELECT "app"."secret" ( 1 )',
    "SELECT * FROM app.secret()",
    "SELECT * FROM ROWS FROM (app.secret(), generate_series(1, 2))",
    "SELECT 1 WHERE (WITH w AS (SELECT app.secret() AS n) SELECT n FROM w) = 1",
    "SELECT n FROM app.view",
    "SELECT n FROM app.view_of_view",
    "TABLE app.view",
    "SELECT 1 OPERATOR(app.@@@) 2",
    "SELECT 1 <<<< 2",
    "SELECT a FROM app.plain ORDER BY a USING OPERATOR(app.@@@)",
    "SELECT app.sum_up(a) FROM app.plain",
    "SELECT app.sum_up(a) OVER () FROM app.plain",
    "SELECT 1::app.checked",
    "SELECT CAST(1 AS app.twice)",
    "SELECT app.twice '1'",
    "SELECT app.checked(1)",
    "SELECT ARRAY[1]::app.twice[]",
    "SELECT NULL::app.of_domain",
    "SELECT jsonb_populate_record(d, '{\"a\": 1}') FROM app.of_domain AS d",
    "SELECT * FROM json_to_recordset('[{\"a\": 1}]') AS j (a app.twice)",
    "SELECT * FROM xmltable('/a' PASSING '<a>1</a>' COLUMNS n app.checked PATH '.')",
    "SELECT app.of_argument('1')",
    "SELECT p::integer FROM app.of_pair",
    "SELECT plain.of_row FROM app.plain",
    "SELECT (plain).of_row FROM app.plain",
    "SELECT ('x'::text).of_text",
    "SELECT (a::text).of_text FROM app.plain",
    "SELECT (ARRAY['q'])[1].of_text",
    "SELECT t.of_text FROM unnest(ARRAY['q']) AS t",
    "SELECT (t).of_text.int4abs FROM unnest(ARRAY['q']) AS t",
    "SELECT app.atomic()",
    "SELECT app.in_text()",
    "SELECT app.in_plpgsql()",
    "SELECT app.by_default()",
    "SELECT a FROM app.of_constant",
    "SELECT a FROM app.indexed",
    "SELECT a FROM app.parted",
    "SELECT a FROM app.estimated",
    "EXPLAIN SELECT app.secret(1)",
]
# What looks alike, and runs none of it.
HONEST = [
    "SELECT count(*), max(a) FROM app.plain",
    "SELECT a FROM app.clean",
    "SELECT n FROM app.stored",
    "SELECT a FROM app.of_domain",
    "SELECT app.innocent()",
    "SELECT 'app.secret()', 1 AS secret",
    "WITH view AS (SELECT 1 AS n) SELECT n FROM view",
    "SELECT a FROM app.filled",
    "SELECT a FROM app.limited",
    "SELECT a BETWEEN 1 AND 2, a IN (1, 2), a = 1 FROM app.plain",
    "SELECT plain FROM app.plain",
    "SELECT p.of_text FROM (SELECT 1 AS of_text) AS p",
]


@pytest.mark.parametrize("sql", REFUSED)
async def test_a_read_runs_nobody_elses_code(reader: Side, sql: str) -> None:
    said = await refusal(reader.person.query(sql, explain="none"))

    assert 'SECURITY DEFINER and acts with all rights of its owner "postgres"' in said


@pytest.mark.parametrize("sql", HONEST)
async def test_what_runs_none_of_it_is_read(reader: Side, sql: str) -> None:
    answer = await reader.person.query(sql)

    assert "row" in answer.text.splitlines()[-1]


@pytest.mark.parametrize("explain", ["plan", "analyze"])
async def test_planning_runs_it_as_well(reader: Side, explain: str) -> None:
    """PostgreSQL computes constants when it plans."""
    said = await refusal(reader.person.query("SELECT app.add(1, 2)", explain=explain))

    assert said.splitlines()[1] == (
        'hint: Who may write can run it with mode="write", not explained.' + operators(reader)
    )


def operators(side: Side) -> str:
    """Return what the operator is told to do, where readers have a login of their own."""
    grant = "GRANT EXECUTE ON FUNCTION app.add(integer,integer) TO pgmcp_read"
    alone = side.person.owner.principal == "local"
    return "" if alone else f" The operator can allow it to readers: {grant}."


async def test_planning_a_change_computes_defaults(alone: Gateway) -> None:
    """A table's defaults do not run when it is read."""
    sql = "INSERT INTO app.filled DEFAULT VALUES"

    typed = await refusal(Person(alone).query(f"EXPLAIN {sql}"))
    asked = await refusal(Person(alone).query(sql, explain="plan"))

    assert "relation app.filled would run app.secret" in typed
    assert asked == typed


async def test_a_reading_transaction_goes_on(reader: Side) -> None:
    handle = await reader.person.begin(mode="read")

    said = await refusal(reader.person.query("SELECT app.secret(1)", session_id=handle))
    answer = await reader.person.query("SELECT a FROM app.plain", session_id=handle)
    await reader.person.tx("rollback", session_id=handle)

    assert "hint: Who may write can run it in a transaction of mode=write." in said
    assert answer.text.startswith("a\n1\n")


async def test_who_writes_may_run_it(writer: Side) -> None:
    answer = await writer.person.write("SELECT app.secret()")

    assert answer.text.startswith("secret\n1\n")


GUARDED = ["SELECT a FROM app.guarded", "SELECT a FROM app.as_reader"]


@pytest.mark.parametrize("sql", GUARDED)
async def test_a_policy_counts_for_whom_it_holds(roles: Gateway, alone: Gateway, sql: str) -> None:
    """Row security does not hold a superuser, nor a view that the table's owner made."""
    said = await refusal(Person(roles, "key:read").query(sql))
    whole = await Person(alone).query(sql)
    over = await Person(roles, "key:read").query("SELECT a FROM app.over_guarded")

    assert "would run app.is_fine(integer), which is SECURITY DEFINER" in said
    assert whole.text.startswith("a\n1\n")
    assert over.text.startswith("a\n1\n")


async def test_what_the_login_may_not_execute_is_postgresqls_to_refuse(roles: Gateway) -> None:
    said = await refusal(Person(roles, "key:read").query("SELECT app.closed()"))

    assert said.startswith("error 42501: permission denied for function closed")


@pytest.mark.parametrize("sql", ["SELECT app.allowed() AS n", "SELECT n FROM app.over_allowed"])
async def test_a_grant_to_readers_by_name_allows_it(
    roles: Gateway, alone: Gateway, sql: str
) -> None:
    answer = await Person(roles, "key:read").query(sql)
    said = await refusal(Person(alone).query(sql))

    assert answer.text.startswith("n\n1\n")
    assert "SECURITY DEFINER" in said


@pytest.fixture
def virtual(arena: Arena) -> None:
    """Skip where no column is computed when it is read."""
    if arena.cluster.major < VIRTUAL_SINCE:
        pytest.skip(f"PostgreSQL {arena.cluster.major} has no virtual columns; 18 is the first")


@pytest.mark.usefixtures("virtual")
async def test_a_virtual_column_takes_no_function_of_a_users(arena: Arena) -> None:
    """So the check has nothing to find there; where PostgreSQL comes to allow it, it looks."""
    with pytest.raises(asyncpg.FeatureNotSupportedError, match="user-defined function"):
        await arena.witness.execute(VIRTUAL)


async def test_what_is_made_behind_its_back_is_seen_soon(arena: Arena, clock: HandClock) -> None:
    """The window: five seconds, in which a new function may still be read."""
    async with gateway_with(arena.settings(roles=True), clock.clock) as gateway:
        person = Person(gateway)
        await person.query("SELECT a FROM app.clean")
        await arena.witness.execute("CREATE VIEW app.late AS SELECT app.secret() AS n")

        early = await person.query("SELECT n FROM app.late")
        clock.pass_seconds(5)
        late = await refusal(person.query("SELECT n FROM app.late"))

    assert early.text.startswith("n\n1\n")
    assert "relation app.late would run app.secret()" in late


async def test_what_pgmcp_changes_is_seen_at_once(arena: Arena) -> None:
    async with gateway_with(arena.settings(roles=False)) as gateway:
        person = Person(gateway)
        await person.query("SELECT a FROM app.clean")

        sql = "CREATE OR REPLACE VIEW app.clean AS SELECT app.secret() AS a"
        await person.call("pg_schema", action="create", sql=sql)
        said = await refusal(person.query("SELECT a FROM app.clean"))

    assert "relation app.clean would run app.secret()" in said


async def test_a_pool_of_one_is_enough(roles: Gateway) -> None:
    """The look goes on the connection that was borrowed already; others may hold the rest."""
    roles.definers.forget()

    answer = await Person(roles, "key:read").query("SELECT a FROM app.plain")

    assert answer.text.startswith("a\n1\n")
