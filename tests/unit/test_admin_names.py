"""Names in pg_admin: whatever a caller gives comes out as one name, never as SQL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgmcp.database.quote import identifier, literal
from pgmcp.errors import CallerError
from pgmcp.statement import Parser
from pgmcp.tools.admin.names import (
    NAME_BYTES,
    check_length,
    take_identifier,
    take_list,
    take_qualified,
    written,
)

NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40
)
PARSER = Parser(max_bytes=64_000)


@given(NAMES)
def test_a_quoted_name_is_read_as_it_was_written(name: str) -> None:
    assert take_identifier(identifier(name)) == (name, "")


@given(NAMES, NAMES)
def test_a_qualified_name_keeps_its_two_parts(schema: str, name: str) -> None:
    assert take_qualified(written((schema, name))) == ((schema, name), "")


@given(st.lists(NAMES, min_size=1, max_size=5))
def test_a_list_of_names_keeps_every_one(names: list[str]) -> None:
    assert take_list(", ".join(identifier(name) for name in names)) == tuple(names)


@given(NAMES.filter(lambda name: len(name.encode()) <= NAME_BYTES))
async def test_postgresql_reads_a_quoted_name_as_one_name(name: str) -> None:
    """The same by PostgreSQL's own grammar, in the statement that would hurt most."""
    (statement,) = await PARSER.parse(f"DROP DATABASE {identifier(name)}")

    assert statement.node["dbname"] == name


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60))
async def test_postgresql_reads_a_literal_as_one_value(value: str) -> None:
    (statement,) = await PARSER.parse(f"ALTER SYSTEM SET work_mem = {literal(value)}")

    (argument,) = statement.node["setstmt"]["args"]
    assert argument["A_Const"]["sval"].get("sval", "") == value


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        pytest.param("Orders x", "orders", " x", id="folded"),
        pytest.param('"Or""ders".x', 'Or"ders', ".x", id="quoted"),
        pytest.param("Ärger", "Ärger", "", id="only ascii is folded"),
        pytest.param("a$1_b;", "a$1_b", ";", id="dollar"),
    ],
)
def test_an_identifier_follows_sql_rules(text: str, name: str, rest: str) -> None:
    assert take_identifier(text) == (name, rest)


@pytest.mark.parametrize("text", ["", "1a", '""', '"open', "-", "$a", "'a'"])
def test_what_is_no_identifier_is_not_read(text: str) -> None:
    assert take_identifier(text) is None


def test_a_name_that_postgresql_would_cut_is_refused() -> None:
    with pytest.raises(CallerError, match="name has 64 bytes; PostgreSQL keeps 63"):
        check_length("name", "ä" * 32)
