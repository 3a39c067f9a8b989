"""
What several unit tests stand on: PostgreSQL's grammar, and what this process writes to the journal.

Owns the parser of a test module and the log's handler of a test; ends both.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from pgmcp.statement import Parser
from tests.auditing import collecting


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    """Return PostgreSQL's grammar."""
    made = Parser(max_bytes=64_000)
    yield made
    made.close()


@pytest.fixture
def journal() -> Iterator[io.StringIO]:
    """Collect what the process would write to the journal."""
    with collecting() as stream:
        yield stream
