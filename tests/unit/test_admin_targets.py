"""What `on` may say in grant and revoke, and which privileges go with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgmcp.database.quote import identifier
from pgmcp.errors import CallerError
from pgmcp.tools.admin.privileges import KINDS, read_privileges
from pgmcp.tools.admin.targets import Target, read_target

NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30
)


@pytest.mark.parametrize(
    ("on", "target"),
    [
        pytest.param(
            "table shop.orders",
            Target(form="object", kind="table", keyword="TABLE", parts=("shop", "orders")),
            id="table",
        ),
        pytest.param(
            "TABLE  Shop.Orders (ID, total)",
            Target(
                form="object",
                kind="table",
                keyword="TABLE",
                parts=("shop", "orders"),
                columns=("id", "total"),
            ),
            id="columns",
        ),
        pytest.param(
            'materialized view "Big View"',
            Target(form="object", kind="table", keyword="TABLE", parts=("Big View",)),
            id="materialized view",
        ),
        pytest.param(
            "all tables in schema shop",
            Target(form="all", kind="tables", keyword="ALL TABLES IN SCHEMA", parts=("shop",)),
            id="all tables",
        ),
        pytest.param(
            "future functions in schema shop",
            Target(form="future", kind="functions", keyword="ROUTINES", parts=("shop",)),
            id="future functions",
        ),
        pytest.param(
            "future schemas",
            Target(form="future", kind="schemas", keyword="SCHEMAS"),
            id="future schemas",
        ),
        pytest.param(
            "function shop.f(int, numeric(10,2)[])",
            Target(
                form="object",
                kind="function",
                keyword="ROUTINE",
                parts=("shop", "f"),
                arguments="int, numeric(10,2)[]",
            ),
            id="function",
        ),
        pytest.param(
            "procedure p()",
            Target(form="object", kind="function", keyword="ROUTINE", parts=("p",), arguments=""),
            id="procedure without arguments",
        ),
        pytest.param(
            "routine p",
            Target(form="object", kind="function", keyword="ROUTINE", parts=("p",)),
            id="routine without parentheses",
        ),
        pytest.param(
            "server files",
            Target(
                form="object", kind="foreign server", keyword="FOREIGN SERVER", parts=("files",)
            ),
            id="server",
        ),
        pytest.param(
            "parameter pg_stat_statements.track",
            Target(
                form="object",
                kind="parameter",
                keyword="PARAMETER",
                parts=("pg_stat_statements", "track"),
            ),
            id="parameter",
        ),
        pytest.param(
            "role reports", Target(form="role", kind="role", parts=("reports",)), id="role"
        ),
    ],
)
def test_a_target_is_read(on: str, target: Target) -> None:
    assert read_target(on) == target


@pytest.mark.parametrize(
    "on",
    [
        "",
        "shop.orders",
        "table",
        "table a.b.c",
        "table shop.orders; DROP TABLE x",
        "table shop.orders TO bob",
        "table shop.orders (id",
        "table shop.orders ()",
        "table shop.orders (id; x)",
        "all tables",
        "all types in schema shop",
        "future schemas in schema shop",
        "future procedures",
        "all tables in schema shop, other",
        "schema a.b",
        "role a, b",
        "function f(int) x",
        "function f int",
        "database app WITH GRANT OPTION",
        "sequence shop.s (a)",
        "large object 5",
    ],
)
def test_anything_else_is_refused_with_the_forms(on: str) -> None:
    with pytest.raises(CallerError, match=r"is not understood\. It has one of these forms: table"):
        read_target(on)


@given(NAMES, NAMES, NAMES)
def test_any_quoted_name_is_read_whole(schema: str, table: str, column: str) -> None:
    on = f"table {identifier(schema)}.{identifier(table)} ({identifier(column)})"

    target = read_target(on)

    assert (target.parts, target.columns) == ((schema, table), (column,))


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading(text: str) -> None:
    """Whatever the text, it is a target or a refusal."""
    try:
        target = read_target(text)
    except CallerError:
        return
    assert target.form in ("object", "all", "future", "role")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_privilege_of_a_kind_is_taken(kind: str) -> None:
    words = KINDS[kind]

    assert read_privileges([word.lower() for word in words], kind, (), 180_000) == ", ".join(words)


def test_columns_stand_behind_each_privilege() -> None:
    shown = read_privileges(["select", "UPDATE"], "table", ("id", 'a"b'), 150_000)

    assert shown == 'SELECT ("id", "a""b"), UPDATE ("id", "a""b")'


@pytest.mark.parametrize(
    ("given_words", "kind", "columns", "message"),
    [
        pytest.param(["EXECUTE"], "table", (), "not one of table. Allowed are: SELECT", id="kind"),
        pytest.param(["DELETE"], "table", ("id",), "not one of columns", id="columns"),
        pytest.param(["SELECT TO bob"], "table", (), "is not one of table", id="more words"),
        pytest.param([], "table", (), r"TRIGGER, ALL\.", id="no MAINTAIN before 17"),
        pytest.param([], "schema", (), "privileges is missing. For schema give", id="none"),
        pytest.param(["MAINTAIN"], "table", (), "exists from PostgreSQL 17 on", id="version"),
    ],
)
def test_other_privileges_are_refused(
    given_words: list[str], kind: str, columns: tuple[str, ...], message: str
) -> None:
    with pytest.raises(CallerError, match=message):
        read_privileges(given_words, kind, columns, 150_000)
