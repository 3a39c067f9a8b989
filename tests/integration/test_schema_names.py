"""How pg_schema describe reads a name: as PostgreSQL would, and helpfully where it would not."""

from __future__ import annotations

import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster
from tests.integration.schema_shop import SHOP, ask, refusal, section


@pytest.fixture(scope="module", autouse=True)
async def shop(cluster: ThrowawayCluster, database: str) -> str:
    """Fill the module's database."""
    await cluster.execute(SHOP, database=database)
    return database


@pytest.mark.parametrize(
    "name",
    [
        "shop.orders",
        "SHOP.Orders",
        '"shop"."orders"',
        ' shop . "orders" ',
        "orders",
        "shop.orders.total",
    ],
)
async def test_name_is_read_as_postgresql_reads_it(call: Call, name: str) -> None:
    """Folded unless quoted; without a schema it may be the only one of its name."""
    assert (await ask(call, "describe", name=name)).startswith("table shop.orders\n")


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        pytest.param("Odd Space", "Odd.Table", id="as it is spelled"),
        pytest.param('"Odd Space"', '"Odd.Table"', id="quoted"),
        pytest.param(None, '"Odd Space"."Odd.Table"', id="as list shows it"),
        pytest.param(None, "Odd.Table", id="a dot inside"),
    ],
)
async def test_odd_names_are_found_and_shown_quoted(
    call: Call, schema: str | None, name: str
) -> None:
    """The answer shows how to write them in SQL."""
    text = await ask(call, "describe", name=name, schema=schema)

    assert text.startswith('table "Odd Space"."Odd.Table"\n')
    assert section(text, "columns") == ['"Select" integer', '"a\\nb" text']


async def test_search_path_decides_among_schemas(call: Call) -> None:
    """public.twin is what SELECT FROM twin would read."""
    text = await ask(call, "describe", name="twin")

    assert text.startswith("table public.twin\n")
    assert section(text, "also of this name") == ["table shop.twin"]


async def test_ambiguous_name_lists_the_candidates(call: Call) -> None:
    """Neither schema is on the search path."""
    relations = await refusal(call, "describe", name="same")
    functions = await refusal(call, "describe", name="shop.area")

    assert '"same" means 2 objects: table other.same, table shop.same.' in relations
    assert "function shop.area(integer, integer), function shop.area(text)" in functions


async def test_unknown_name_lists_the_nearest(call: Call) -> None:
    """A name that does not exist is usually misspelt."""
    text = await refusal(call, "describe", name="shop.ordrs")

    assert 'no object is called "shop.ordrs"' in text
    assert "The nearest names are shop.orders" in text
    assert "pg_schema action=search" in text


@pytest.mark.parametrize("name", ["total_positive", "touch", "own"])
async def test_part_of_a_table_names_the_table(call: Call, name: str) -> None:
    """Constraints, triggers and policies are described with their table."""
    text = await refusal(call, "describe", name=name, kind="table")

    assert "of shop.orders. Describe that: name=shop.orders." in text


async def test_schema_and_name_must_agree(call: Call) -> None:
    """Two schemas in one call are a mistake."""
    text = await refusal(call, "describe", name="shop.orders", schema="public")

    assert "name two schemas" in text


@pytest.mark.parametrize("name", ['"', '""', ".", " ", "a.b.c.d", "x(y", "$1", "a'b", "é\u2028"])
async def test_nonsense_is_an_unknown_name(call: Call, name: str) -> None:
    """No name breaks the query."""
    assert "no object is called" in await refusal(call, "describe", name=name)


async def test_nul_in_a_name_is_refused(call: Call) -> None:
    """PostgreSQL's text cannot hold it."""
    assert "holds a NUL" in await refusal(call, "describe", name="a\0b")
