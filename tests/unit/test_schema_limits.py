"""How long DDL may take: shortly where it makes others wait, longer where it does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pgmcp.settings import Settings
from pgmcp.statement import Parser
from pgmcp.tools.schema.ddl import time_limit
from pgmcp.tools.schema.failing import whole_limit

LIMITS = Settings().limits


@pytest.mark.parametrize(
    ("sql", "seconds"),
    [
        pytest.param("ALTER TABLE a ADD b integer", 30, id="a lock"),
        pytest.param("ALTER INDEX i ATTACH PARTITION j", 30, id="no table"),
        pytest.param("ALTER TABLE a VALIDATE CONSTRAINT c", 600, id="validate"),
        pytest.param("ALTER TABLE a VALIDATE CONSTRAINT c, ADD d integer", 30, id="and more"),
        pytest.param("CREATE TABLE a AS SELECT 1", 600, id="table from a query"),
        pytest.param("REFRESH MATERIALIZED VIEW CONCURRENTLY v", 600, id="refresh concurrently"),
        pytest.param("REFRESH MATERIALIZED VIEW v", 30, id="refresh"),
    ],
)
async def test_what_lets_others_work_gets_longer(parser: Parser, sql: str, seconds: int) -> None:
    """A statement keeps its locks until it ends."""
    pieces = await parser.parse(sql)

    assert time_limit(pieces, LIMITS) == timedelta(seconds=seconds)


async def test_pieces_together_get_the_sum_up_to_the_ceiling(parser: Parser) -> None:
    """Each has its own limit; the call ends some time."""
    few = await parser.parse("CREATE TABLE a (); CREATE TABLE b ()")
    many = few * 100

    assert whole_limit(few, LIMITS.timeout, LIMITS) == timedelta(seconds=60)
    assert whole_limit(many, LIMITS.timeout, LIMITS) == LIMITS.timeout_ceiling
