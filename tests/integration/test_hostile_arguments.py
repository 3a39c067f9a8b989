"""Whatever JSON a client sends as arguments: an answer or a sentence, and the next call works."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgmcp.settings import Settings, load
from pgmcp.tools import tools
from tests.asking import Asker, asking, text_of
from tests.cluster import ThrowawayCluster

SETUP = """
CREATE SCHEMA shop;
CREATE TABLE shop.orders AS SELECT generate_series(1, 9) AS id;
CREATE TABLE t (id integer, j jsonb, a text[]);
"""
TOOLS = {tool.name: tool for tool in tools(Settings())}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.characters(categories=["Cs"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
# What gets past the first checks now and then; nothing that would outlive the test.
WORDS = st.sampled_from(
    [
        "t",
        "shop.orders",
        '"t',
        "public",
        "nobody",
        "work_mem",
        "a.b.c.d",
        "*",
        "%",
        "'",
        "$1",
        "tx_AAAAAAAAAAAAAAAAAAAAAA",
        "table t",
        "all tables in schema shop",
        "future tables in schema shop",
        "SELECT",
        "2020-01-01",
        "\ud800",
        "a\0b",
        "x" * 3000,
    ]
)
STATEMENTS = st.sampled_from(
    [
        "SELECT 1",
        "SELECT $1::int, $2::text[]",
        "SELECT $1::jsonb",
        "SELECT * FROM t WHERE id = $1 AND a = $2",
        "INSERT INTO t VALUES ($1, $2, $3)",
        "DELETE FROM t",
        "CREATE TABLE IF NOT EXISTS made (a int)",
        "DROP TABLE IF EXISTS made",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS z int",
        "BEGIN",
        "SELECT '\0'",
        "\ud800",
        "",
        ";",
    ]
)


def arguments_of(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Draw arguments for a tool: its own names oftener than others, plausible values too."""
    fields = TOOLS[name].params.model_fields
    choices: list[object] = []
    for field in fields.values():
        choices += [choice for choice in all_args(field.annotation) if isinstance(choice, str)]
    values = JSON | WORDS | STATEMENTS | st.sampled_from(sorted(map(str, choices)) or ["x"])
    names = st.sampled_from([field.alias or key for key, field in fields.items()])
    return st.dictionaries(names | st.text(max_size=8), values, max_size=6)


def all_args(annotation: object) -> list[object]:
    """Return the members of a Literal, within unions too."""
    inner = get_args(annotation)
    return [annotation] if not inner else [leaf for part in inner for leaf in all_args(part)]


checked = settings(
    max_examples=100,
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
async def asker(newest_cluster: ThrowawayCluster) -> AsyncIterator[Asker]:
    name = "hostile_arguments"
    await newest_cluster.drop_database(name)
    await newest_cluster.create_database(name)
    await newest_cluster.execute(SETUP, database=name)
    async with asking(load(environ=newest_cluster.environment(name))) as made:
        yield made
    await newest_cluster.drop_database(name)


async def insist(asker: Asker, name: str, arguments: dict[str, Any]) -> None:
    """Call, and insist on words that any client can read; then call again."""
    result = await asker.ask(name, **arguments)
    text = text_of(result)
    text.encode()
    assert "incident" not in text
    assert text.startswith("error") == bool(result.is_error)
    assert len(text) < 30_000
    assert await asker.text(sql="SELECT 1")


@checked
@given(arguments=arguments_of("pg_query"))
async def test_pg_query_takes_anything(asker: Asker, arguments: dict[str, Any]) -> None:
    await insist(asker, "pg_query", arguments)


@checked
@given(arguments=arguments_of("pg_schema"))
async def test_pg_schema_takes_anything(asker: Asker, arguments: dict[str, Any]) -> None:
    await insist(asker, "pg_schema", arguments)


@checked
@given(arguments=arguments_of("pg_tx"))
async def test_pg_tx_takes_anything(asker: Asker, arguments: dict[str, Any]) -> None:
    await insist(asker, "pg_tx", arguments)


@checked
@given(arguments=arguments_of("pg_monitor"))
async def test_pg_monitor_takes_anything(asker: Asker, arguments: dict[str, Any]) -> None:
    await insist(asker, "pg_monitor", arguments)


@checked
@given(arguments=arguments_of("pg_admin"))
async def test_pg_admin_takes_anything(asker: Asker, arguments: dict[str, Any]) -> None:
    await insist(asker, "pg_admin", arguments)


# A required action with one or two arguments gets further than chance alone does.
@checked
@given(data=st.data())
@pytest.mark.parametrize("name", ["pg_schema", "pg_tx", "pg_monitor", "pg_admin"])
async def test_every_action_takes_anything(asker: Asker, name: str, data: st.DataObject) -> None:
    actions = all_args(TOOLS[name].params.model_fields["action"].annotation)
    harmless = [action for action in actions if action not in ("terminate", "cancel", "backup")]
    fields = TOOLS[name].params.model_fields
    others = [field.alias or key for key, field in fields.items() if key != "action"]
    arguments = data.draw(
        st.dictionaries(st.sampled_from(others), WORDS | STATEMENTS | JSON, max_size=3)
    )

    await insist(asker, name, {**arguments, "action": data.draw(st.sampled_from(harmless))})


@checked
@given(
    sql=STATEMENTS, params=st.lists(JSON | WORDS, max_size=3), mode=st.sampled_from([None, "write"])
)
async def test_parameters_take_any_json(
    asker: Asker, sql: str, params: list[object], mode: str | None
) -> None:
    await insist(asker, "pg_query", {"sql": sql, "params": params, "mode": mode})
