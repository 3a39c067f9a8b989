"""What holds for every value: cells and arrays go to PostgreSQL and come back unchanged."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgmcp.settings import load
from tests import tsv
from tests.asking import Asker, asking
from tests.cluster import ThrowawayCluster

# PostgreSQL's text is any Unicode but NUL and surrogates; the separators are what hurts.
LETTERS = st.one_of(
    st.characters(codec="utf-8", exclude_characters="\0"),
    st.sampled_from("\t\n\r\\N,{}\"'-| \v\f\b\u2028\u0085"),
)
TEXTS = st.text(LETTERS, max_size=20)
CELLS = (
    st.none() | TEXTS | st.sampled_from(["\\N", "\\.", "-- 1 row, 1.0 ms", "NULL", "a\tb\n-- 3"])
)
SHAPES = st.lists(st.integers(1, 3), min_size=1, max_size=3)

# Every example is a round trip to PostgreSQL; time is no property.
checked = settings(
    max_examples=60,
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
async def asker(cluster: ThrowawayCluster, database: str) -> AsyncIterator[Asker]:
    async with asking(load(environ=cluster.environment(database))) as made:
        yield made


@checked
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=4))
async def test_cells_come_back_and_forge_no_line(
    asker: Asker, rows: list[tuple[str | None, str | None]]
) -> None:
    values = ", ".join(f"(${n}::text, ${n + 1}::text)" for n in range(1, 2 * len(rows), 2))

    text = await asker.text(sql=f"VALUES {values}", params=[cell for row in rows for cell in row])

    assert len(text.split("\n")) == len(rows) + 2
    assert tsv.read(text).rows == tuple(rows)


@checked
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=4))
async def test_json_holds_the_same_cells(
    asker: Asker, rows: list[tuple[str | None, str | None]]
) -> None:
    values = ", ".join(f"(${n}::text, ${n + 1}::text)" for n in range(1, 2 * len(rows), 2))
    params = [cell for row in rows for cell in row]

    answer = await asker.ask(sql=f"VALUES {values}", params=params, format="json")

    assert answer.structured_content is not None
    assert answer.structured_content["rows"] == [list(row) for row in rows]


@checked
@given(texts=st.lists(CELLS, max_size=6))
async def test_arrays_reach_postgresql_unchanged(asker: Asker, texts: list[str | None]) -> None:
    """PostgreSQL takes the array apart again, so that no quoting of ours reads its own."""
    sql = "SELECT v FROM unnest($1::text[]) WITH ORDINALITY AS u(v, n) ORDER BY n"

    table = tsv.read(await asker.text(sql=sql, params=[texts]))

    assert [row[0] for row in table.rows] == texts


@checked
@given(shape=SHAPES, data=st.data())
async def test_arrays_of_many_dimensions_keep_their_shape(
    asker: Asker, shape: list[int], data: st.DataObject
) -> None:
    element: st.SearchStrategy[object] = CELLS
    for length in reversed(shape):
        element = st.lists(element, min_size=length, max_size=length)
    value = data.draw(element)
    dimensions = "".join(f"[1:{length}]" for length in shape)

    sql = "SELECT array_dims($1::text[]), to_jsonb($1::text[]) = $2::jsonb"
    table = tsv.read(await asker.text(sql=sql, params=[value, json.dumps(value)]))

    assert table.rows == ((dimensions, "t"),)


@checked
@given(
    value=st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | TEXTS
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=8,
    ).filter(lambda value: isinstance(value, dict | list))
)
async def test_json_reaches_postgresql_unchanged(asker: Asker, value: object) -> None:
    """The second parameter is a string, so that Python's own writer makes the comparison."""
    table = tsv.read(
        await asker.text(sql="SELECT $1::jsonb = $2::jsonb", params=[value, json.dumps(value)])
    )

    assert table.rows == (("t",),)
