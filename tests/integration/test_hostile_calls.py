"""Calls meant to break something: each gets a sentence, and the same process takes the next."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from mcp import Client, MCPError

from tests import raw
from tests.asking import text_of
from tests.integration.hostile import QUERY, surviving, with_arguments
from tests.process import GatewayProcess


@pytest.fixture(autouse=True)
async def survivor(gateway_process: GatewayProcess) -> AsyncIterator[None]:
    async with surviving(gateway_process):
        yield


ARGUMENTS = [
    pytest.param('{"sql": "SELECT 1; DROP TABLE t"}', "2 statements", id="two statements"),
    pytest.param('{"sql": "SELECT 1;\\u0000 DROP TABLE t"}', "NUL", id="NUL"),
    pytest.param('{"sql": "SELECT \'\\ud800\'"}', "lone surrogate", id="lone surrogate"),
    pytest.param('{"sql": "' + "x" * 3_000_000 + '"}', "3000000 bytes", id="3 MB of SQL"),
    pytest.param('{"sql": "' + "/*" * 20_000 + '"}', "operator characters", id="comment bomb"),
    pytest.param('{"sql": "SELECT 1 ' + "+-" * 9000 + '1"}', "operator", id="operator run"),
    pytest.param('{"sql": "SELECT ' + "(" * 30_000 + '"}', "42601", id="parentheses"),
    pytest.param('{"sql": "SELECT 1' + "+1" * 4_000 + '"}', "too deeply", id="a chain of sums"),
    pytest.param('{"sql": "SELECT 1' + "+1" * 30_000 + '"}', " parts; ", id="a very long chain"),
    pytest.param('{"sql": "SELECT \'"}', "unterminated", id="unbalanced quote"),
    pytest.param('{"sql": 5}', "valid string", id="sql of a number"),
    pytest.param('{"sql": null}', "valid string", id="sql of null"),
    pytest.param("{}", "sql is missing", id="no sql"),
    pytest.param("null", "sql is missing", id="no arguments"),
    pytest.param('{"sql": "SELECT 1", "limit": 5}', "no parameter limit", id="unknown argument"),
    pytest.param('{"sql": "SELECT 1", "a\\ud800": 5}', "unable to parse", id="surrogate in a name"),
    pytest.param('{"sql": "SELECT 1", "max_rows": 1e99}', "max_rows", id="1e99 rows"),
    pytest.param('{"sql": "SELECT 1", "max_rows": NaN}', "max_rows", id="NaN rows"),
    pytest.param(
        '{"sql": "SELECT 1", "timeout_seconds": NaN}', "timeout_seconds", id="NaN seconds"
    ),
    pytest.param('{"sql": "SELECT 1", "timeout_seconds": -1}', "timeout_seconds", id="-1 seconds"),
    pytest.param('{"sql": "SELECT $1::float8", "params": [1e400]}', "1e400", id="1e400"),
    pytest.param(
        '{"sql": "SELECT $1", "params": {"1": 2}}', "valid list", id="params as an object"
    ),
    pytest.param('{"sql": "SELECT 1", "database": "\\u0000"}', "NUL", id="NUL as a database"),
    pytest.param(
        '{"sql": "SELECT 1", "database": "' + "x" * 9999 + '"}', "xxx…", id="long database"
    ),
    pytest.param(
        '{"sql": "SELECT 1", "session_id": "' + "x" * 9999 + '"}', "xxx…", id="long handle"
    ),
]


@pytest.mark.parametrize(("arguments", "words"), ARGUMENTS)
async def test_broken_arguments_get_a_sentence(
    gateway_url: str, arguments: str, words: str
) -> None:
    reply = await raw.post(gateway_url, with_arguments(arguments), QUERY)

    result = reply.message["result"]
    assert result["isError"] is True
    assert words in result["content"][0]["text"]
    assert len(result["content"][0]["text"]) < 3000


async def test_of_two_equal_keys_the_last_is_taken(gateway_url: str) -> None:
    """JSON's readers agree on that; no other value was looked at before."""
    body = with_arguments('{"sql": "DELETE FROM t", "sql": "SELECT 7 AS seven"}')

    reply = await raw.post(gateway_url, body, QUERY)

    assert reply.message["result"]["content"][0]["text"].startswith("seven\n7\n")


async def test_a_sql_of_ten_megabytes_is_refused_before_it_is_read(gateway_url: str) -> None:
    body = with_arguments('{"sql": "' + "x" * 10_000_000 + '"}')

    reply = await raw.post(gateway_url, body, QUERY)

    assert reply.status in (413, 0)  # 0: closed while the rest was still being sent


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_an_unknown_tool_is_a_protocol_error_in_both_eras(
    gateway_url: str, mode: str
) -> None:
    async with Client(gateway_url, mode=mode) as client:
        with pytest.raises(MCPError, match="no tool is called 'pg_nothing'"):
            await client.call_tool("pg_nothing", {})


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_an_unknown_argument_lists_the_valid_ones_in_both_eras(
    gateway_url: str, mode: str
) -> None:
    async with Client(gateway_url, mode=mode) as client:
        result = await client.call_tool("pg_query", {"sql": "SELECT 1", "transaction": "tx_1"})

    assert "there is no parameter transaction. Parameters: sql, params, " in text_of(result)
