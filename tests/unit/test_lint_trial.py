"""What a dry run does not try, because the trial itself would hurt, and what notices say."""

from __future__ import annotations

import pytest

from pgmcp.statement import Parser
from pgmcp.tools.schema.dry_run import TRIAL_BYTES, _too_big
from pgmcp.tools.schema.lint import Table, lint
from pgmcp.tools.schema.lint.finding import Name
from pgmcp.tools.schema.lint.gather import known_to
from pgmcp.tools.schema.trial_report import cascaded

BIG: dict[Name, Table] = {
    ("big",): Table(shown="public.big", bytes=TRIAL_BYTES + 1, rows=1),
    ("half",): Table(shown="public.half", bytes=TRIAL_BYTES // 2 + 1, rows=1),
    ("unknown",): Table(shown="public.unknown", bytes=None),
}


async def reason(parser: Parser, sql: str) -> str:
    """Return why *sql* is not tried, or nothing."""
    pieces = await parser.parse(sql)
    known = known_to(pieces, tables=BIG, volatile=frozenset(), server_version=180000)
    return _too_big(pieces, known, lint(pieces, known))


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("ALTER TABLE big ADD CHECK (true)", id="scan"),
        pytest.param("CREATE INDEX ON big (a)", id="index"),
        pytest.param("ALTER TABLE big SET UNLOGGED", id="rewrite without a finding"),
        pytest.param("REFRESH MATERIALIZED VIEW big", id="refresh"),
        pytest.param("CREATE INDEX i ON half (a); CREATE INDEX j ON half (a)", id="together"),
    ],
)
async def test_big_scan_or_rewrite_is_not_tried(parser: Parser, sql: str) -> None:
    """The reason names both sizes."""
    assert "256 MB are tried" in await reason(parser, sql)


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("ALTER TABLE big ADD a integer", id="catalogue only"),
        pytest.param("CREATE INDEX ON half (a)", id="below the limit"),
        pytest.param("DROP TABLE big", id="drop reads nothing"),
        pytest.param("ALTER TABLE unknown SET UNLOGGED", id="the lock is not to be had anyway"),
        pytest.param("CREATE TABLE big (a integer); CREATE INDEX ON big (a)", id="its own table"),
    ],
)
async def test_what_is_quick_is_tried_at_any_size(parser: Parser, sql: str) -> None:
    """A lock for a moment is no reason."""
    assert await reason(parser, sql) == ""


def test_cascade_is_read_from_notice_and_detail() -> None:
    """One dependant comes in the message, several in the detail."""
    one = ["NOTICE: drop cascades to view shop.recent"]
    many = [
        "NOTICE: drop cascades to 2 other objects",
        "DETAIL: drop cascades to view a\ndrop cascades to function b()",
    ]

    assert cascaded(one) == ["view shop.recent"]
    assert cascaded(many) == ["view a", "function b()"]
