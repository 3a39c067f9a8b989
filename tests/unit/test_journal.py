"""What reaches the journal: one bounded line each, and of a failure no value."""

from __future__ import annotations

import asyncio
import io
import logging

import asyncpg
import pytest

from pgmcp.errors import QueryFailed, Report
from pgmcp.journal import LINE_LENGTH, described, quoted, tell_stray

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


def test_other_lines_are_one_line_each(journal: io.StringIO) -> None:
    logging.getLogger("mcp").warning("dropped %s\n", "a\nERROR forged\x1b[2J\u2028b\ud800")

    assert journal.getvalue() == (
        "WARNING mcp dropped a\\u000aERROR forged\\u001b[2J\\u2028b\\ud800\n"
    )


def test_a_line_is_bounded(journal: io.StringIO) -> None:
    logging.getLogger("mcp").warning("dropped %s", "x" * 100_000)

    assert len(journal.getvalue()) == LINE_LENGTH + 1


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
