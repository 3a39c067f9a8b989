"""One record of the journal: every field in its place, nothing that forges another, no value."""

from __future__ import annotations

import asyncio
import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgmcp.audit import Draft, Record, line_of, write
from pgmcp.journal import LINE_LENGTH
from pgmcp.statement import Parser, Statement
from tests.auditing import fields_of

# A value is bare or a JSON string, so that a space outside quotes always ends a field.
FIELD = re.compile(r'[a-z]+=(?:[A-Za-z0-9_.:@/*+-]+|"(?:[^"\\]|\\.)*")( |$)')
FIELDS = (
    *("caller", "address", "tool", "action", "database", "kind", "level", "fingerprint", "text"),
    *("objects", "rows", "bytes", "ms", "outcome", "sqlstate", "tx"),
)
RECORD = Record(
    caller="tailscale:ana@example.com",
    address="100.64.0.9",
    tool="pg_query",
    draft=Draft(database="shop"),
    rows=3,
    size=120,
    milliseconds=4.26,
    outcome="ok",
)


def parsed(parser: Parser, sql: str) -> tuple[Statement, ...]:
    return asyncio.run(parser.parse(sql))


def test_a_line_has_every_field_in_order(parser: Parser) -> None:
    draft = Draft(
        database="shop",
        statements=parsed(parser, "SELECT a FROM shop.t WHERE b = 'x'"),
        transaction="tx_Kd82aAAAAAAAAAAAAAAAAA",
    )

    line = line_of(replace(RECORD, draft=draft, tool="pg_query", sqlstate=""))

    assert line == (
        "caller=tailscale:ana@example.com address=100.64.0.9 tool=pg_query action=- "
        f"database=shop kind=SELECT level=read fingerprint={draft.digest.fingerprint} "
        'text="SELECT a FROM shop.t WHERE b = $1" objects=- rows=3 bytes=120 ms=4.3 outcome=ok '
        "sqlstate=- tx=tx_Kd82a"
    )


def test_a_line_with_nothing_known_has_every_field() -> None:
    line = line_of(Record(caller="local", draft=Draft(), outcome="CallerError"))

    assert tuple(fields_of(line)) == FIELDS
    assert line.count("=-") == len(FIELDS) - 3


KINDS = [
    pytest.param("CREATE TABLE s.t (a int)", "CREATE TABLE", "s.t", "ddl", id="CREATE TABLE"),
    pytest.param("DROP TABLE s.t, u", "DROP TABLE", "s.t,u", "ddl", id="DROP TABLE"),
    pytest.param("CREATE INDEX i ON t (a)", "CREATE INDEX", "t", "ddl", id="CREATE INDEX"),
    pytest.param("TRUNCATE t", "TRUNCATE", "t", "write", id="TRUNCATE"),
    pytest.param("CREATE ROLE r PASSWORD 'x'", "CREATE ROLE", "-", "admin", id="CREATE ROLE"),
    pytest.param(
        "CREATE TABLE t (a int); CREATE INDEX ON t (a); ALTER TABLE u ADD b int",
        "CREATE TABLE, CREATE INDEX, ALTER TABLE",
        "t,u",
        "ddl",
        id="several",
    ),
]


@pytest.mark.parametrize(("sql", "kind", "objects", "level"), KINDS)
def test_a_utility_statement_shows_its_kind_and_objects(
    parser: Parser, sql: str, kind: str, objects: str, level: str
) -> None:
    draft = Draft(statements=parsed(parser, sql))

    found = fields_of(line_of(replace(RECORD, draft=draft)))

    assert (found["kind"], found["objects"], found["level"]) == (kind, objects, level)
    assert (found["text"], found["fingerprint"]) == ("-", "-")


ENDED = [
    pytest.param("ok", "", True, id="ok"),
    pytest.param("cancelled", "", True, id="cancelled"),
    pytest.param("QueryFailed", "23505", True, id="refused by PostgreSQL"),
    pytest.param("StatementTimeout", "57014", True, id="timeout"),
    pytest.param("QueryFailed", "42703", False, id="no such column"),
    pytest.param("QueryFailed", "42P01", False, id="no such table"),
    pytest.param("AccessDenied", "", False, id="denied"),
    pytest.param("CallerError", "", False, id="not sent to PostgreSQL"),
]


@pytest.mark.parametrize(("outcome", "sqlstate", "is_told"), ENDED)
def test_text_is_told_where_postgresql_knew_every_name(
    parser: Parser, outcome: str, sqlstate: str, *, is_told: bool
) -> None:
    """A value that lost its quotes, WHERE password = hunter2, stands in the text like a column."""
    draft = Draft(statements=parsed(parser, "SELECT 1 FROM t WHERE password = hunter2"))

    line = line_of(replace(RECORD, draft=draft, outcome=outcome, sqlstate=sqlstate))

    assert ("hunter2" in line) == is_told
    assert ("fingerprint=-" in line) != is_told
    assert "kind=SELECT" in line


def test_many_names_are_counted(parser: Parser) -> None:
    draft = Draft(statements=parsed(parser, "DROP TABLE " + ", ".join(f"t{n}" for n in range(15))))

    found = fields_of(line_of(replace(RECORD, draft=draft)))

    assert found["objects"] == "t0,t1,t2,t3,t4,t5,t6,t7,t8,t9,+5"


HANDLES = [
    pytest.param("tx_Kd82aAAAAAAAAAAAAAAAAA", "tx_Kd82a", id="handle"),
    pytest.param("tx_Kd82a", "tx_Kd82a", id="beginning"),
    pytest.param("hunter2 hunter2 hunter2", "-", id="no handle"),
    pytest.param("tx_Kd82a\nAAAAAAAAAAAAAAAAAAA", "-", id="newline"),
]


@pytest.mark.parametrize(("given", "shown"), HANDLES)
def test_a_transaction_is_shown_by_its_beginning(given: str, shown: str) -> None:
    line = line_of(replace(RECORD, draft=Draft(transaction=given)))

    assert line.endswith(f" tx={shown}")


@given(st.lists(st.text(), min_size=7, max_size=7))
def test_no_text_forges_a_field_or_a_line(texts: list[str]) -> None:
    caller, address, tool, action, database, name, outcome = texts
    draft = Draft(database=database, names=[name], transaction=name)

    line = line_of(
        Record(
            caller=caller,
            address=address,
            tool=tool,
            action=action,
            draft=draft,
            outcome=outcome,
        )
    )

    assert line.isascii()
    assert line.isprintable()
    assert tuple(fields_of(line)) == FIELDS
    assert FIELD.sub("", line) == ""


def test_a_record_is_one_line_of_the_journal(journal: io.StringIO) -> None:
    write(replace(RECORD, tool="x\nERROR pgmcp forged caller=admin"))

    (line,) = journal.getvalue().splitlines()
    assert line.startswith("INFO pgmcp.call caller=tailscale:ana@example.com ")


def test_a_denied_call_is_a_warning(journal: io.StringIO) -> None:
    """So that it stays in the journal where only warnings are kept."""
    write(replace(RECORD, outcome="AccessDenied"))

    assert journal.getvalue().startswith("WARNING pgmcp.call caller=")


def test_a_record_is_never_cut(parser: Parser) -> None:
    """Its outcome stands at the end; nobody can push it out of the line."""
    odd = "\U0001f600" * 2000
    statements = parsed(parser, f"SELECT {odd}")
    draft = Draft(database=odd, statements=statements, names=[odd] * 20)

    texts = [
        line_of(Record(caller=odd, address=odd, tool=odd, action=odd, draft=each, outcome="ok"))
        for each in (draft, replace(draft, statements=()))
    ]

    assert [len(text) < LINE_LENGTH - 1000 for text in texts] == [True, True]
    assert [" outcome=ok " in text for text in texts] == [True, True]
