"""One line of the journal: every field in its place, nothing that forges another, no value."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgmcp.audit import Draft, Record, line_of, write
from pgmcp.errors import QueryFailed, Report
from pgmcp.journal import LINE_LENGTH, Form, described, quoted, tell_stray
from pgmcp.statement import Parser, Statement

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


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    made = Parser(max_bytes=64_000)
    yield made
    made.close()


@pytest.fixture
def journal() -> Iterator[io.StringIO]:
    """Collect what the process would write to the journal."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Form("%(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def parsed(parser: Parser, sql: str) -> tuple[Statement, ...]:
    return asyncio.run(parser.parse(sql))


def fields_of(line: str) -> dict[str, str]:
    """Read a line as a program would: bare values, and JSON strings."""
    found = re.findall(r'([a-z]+)=("(?:[^"\\]|\\.)*"|[^ ]+)', line)
    return {key: json.loads(value) if value[0] == '"' else value for key, value in found}


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


BARE = [
    pytest.param("shop", "shop", id="word"),
    pytest.param("tailscale:ana+x@example.com", "tailscale:ana+x@example.com", id="principal"),
    pytest.param("", "-", id="nothing"),
    pytest.param("-", '"-"', id="a hyphen"),
    pytest.param("a b", '"a b"', id="space"),
    pytest.param("a=b", '"a=b"', id="equals"),
    pytest.param('a"b', r'"a\"b"', id="quote"),
    pytest.param("a\\", r'"a\\"', id="backslash"),
    pytest.param("a\nb\r", r'"a\nb\r"', id="line breaks"),
    pytest.param("a\x1b[2J\x00\x7f\x9b", r'"a\u001b[2J\u0000\u007f\u009b"', id="controls"),
    pytest.param("a\u2028b\u202ec", r'"a\u2028b\u202ec"', id="unicode line and direction"),
    pytest.param("é", r'"\u00e9"', id="not ASCII"),
    pytest.param("a\ud800", r'"a\ud800"', id="lone surrogate"),
    pytest.param("x" * 101, f'"{"x" * 99}\\u2026"', id="long"),
]


@pytest.mark.parametrize(("value", "shown"), BARE)
def test_a_value_is_bare_or_a_string_in_ascii(value: str, shown: str) -> None:
    assert quoted(value) == shown


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


def test_other_lines_are_one_line_each(journal: io.StringIO) -> None:
    logging.getLogger("mcp").warning("dropped %s\n", "a\nERROR forged\x1b[2J\u2028b\ud800")

    assert journal.getvalue() == (
        "WARNING mcp dropped a\\u000aERROR forged\\u001b[2J\\u2028b\\ud800\n"
    )


def test_a_line_is_bounded(journal: io.StringIO) -> None:
    logging.getLogger("mcp").warning("dropped %s", "x" * 100_000)

    assert len(journal.getvalue()) == LINE_LENGTH + 1


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


def fail(error: BaseException) -> None:
    """Raise *error* behind another failure."""
    try:
        int("hunter2")
    except ValueError as cause:
        raise error from cause


def raised(error: BaseException) -> BaseException:
    """Return *error* as it was raised."""
    with pytest.raises(type(error)) as caught:
        fail(error)
    return caught.value


UNIQUE = asyncpg.UniqueViolationError("duplicate key: Key (email)=(hunter2) already exists")
FAILURES = [
    pytest.param(ValueError("hunter2"), "ValueError", id="ValueError"),
    pytest.param(KeyError("hunter2"), "KeyError", id="KeyError"),
    pytest.param(RuntimeError("hunter2\nERROR forged"), "RuntimeError", id="RuntimeError"),
    pytest.param(TypeError("hunter2"), "TypeError", id="TypeError of somebody else's line"),
    pytest.param(UNIQUE, "asyncpg.exceptions.UniqueViolationError sqlstate=23505", id="asyncpg"),
    pytest.param(
        QueryFailed(Report(sqlstate="23505", message="hunter2", detail="hunter2")),
        "pgmcp.errors.QueryFailed sqlstate=23505",
        id="our own",
    ),
    pytest.param(FileNotFoundError(2, "hunter2", "hunter2"), "errno=ENOENT", id="OSError"),
    pytest.param(ExceptionGroup("hunter2", [UNIQUE]), "sqlstate=23505", id="group"),
    pytest.param(asyncio.CancelledError("hunter2"), "CancelledError", id="cancelled"),
]


@pytest.mark.parametrize(("error", "told"), FAILURES)
def test_a_traceback_quotes_no_value(journal: io.StringIO, error: BaseException, told: str) -> None:
    """PostgreSQL's and Python's messages quote values; where it arose and what it is do not."""
    logging.getLogger("mcp.server").error("crashed", exc_info=raised(error))

    text = journal.getvalue()
    assert "hunter2" not in text.replace('int("hunter2")', "")
    assert told in text
    assert "in fail" in text
    assert "Traceback (most recent call last):" in text
    assert "ValueError" in text


def test_python_is_quoted_where_it_speaks_of_our_own_code() -> None:
    """What these say is names of attributes and types."""
    with pytest.raises(TypeError) as caught:
        quoted(5)  # type: ignore[arg-type]

    assert described(caught.value) == "TypeError: object of type 'int' has no len()"


async def test_a_stray_failure_quotes_no_value(journal: io.StringIO) -> None:
    """The words of asyncio hold the failure's and a callback's arguments."""
    loop = asyncio.get_running_loop()
    context = {
        "message": "Task exception was never retrieved <hunter2>",
        "exception": raised(UNIQUE),
        "future": "hunter2",
    }

    tell_stray(loop, context)

    text = journal.getvalue()
    assert text.startswith("ERROR pgmcp stray failure: Task exception was never retrieved\n")
    assert "hunter2" not in text.replace('int("hunter2")', "")
    assert "sqlstate=23505" in text
