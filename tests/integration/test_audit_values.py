"""No value is in any line of the journal, whatever a call carries and however it ends."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from pgmcp.protocol.answering import answer
from pgmcp.tools import query
from pgmcp.tools.base import Call
from tests.auditing import Journal, collecting
from tests.cluster import ThrowawayCluster
from tests.entrances import KEY, Entrances, ask
from tests.integration.audited import (
    ANA,
    BOB,
    ERAS,
    SECRET,
    Send,
    answered,
    audited,
    calls_in,
    shown,
)


@pytest.fixture(scope="module")
async def started(newest_cluster: ThrowawayCluster) -> AsyncIterator[Entrances]:
    """Nothing here depends on PostgreSQL's version."""
    async with audited(newest_cluster) as found:
        yield found


@pytest.fixture
def journal(started: Entrances) -> Journal:
    return Journal.of(started.process)


@pytest.fixture(params=ERAS)
async def calling(request: pytest.FixtureRequest, started: Entrances) -> AsyncIterator[Send]:
    async with calls_in(request.param, started) as call:
        yield call


@pytest.fixture(scope="module")
def cluster(newest_cluster: ThrowawayCluster) -> ThrowawayCluster:
    """Nothing here depends on PostgreSQL's version."""
    return newest_cluster


async def test_a_value_without_its_quotes(calling: Send, journal: Journal) -> None:
    sql = f'SELECT note FROM person WHERE email = "{SECRET}"'

    received = await answered(calling, ANA, "pg_query", sql=sql)

    record = await journal.one()
    assert SECRET in received.text
    assert shown(record, "outcome", "sqlstate", "text", "fingerprint", "objects") == [
        *("QueryFailed", "42703", "-", "-", "person"),
    ]
    assert SECRET not in journal.text


ADMIN: list[tuple[dict[str, object], str]] = [
    ({"action": "set", "name": "work_mem", "value": SECRET}, "work_mem"),
    ({"action": "create_role", "name": "r", "attributes": [f"PASSWORD '{SECRET}'"]}, "r"),
    ({"action": "grant", "on": "table person", "to": "nobody_here"}, "table person,nobody_here"),
    ({"action": "vacuum", "schema": "public", "table": "person"}, "public.person"),
    ({"action": "cancel", "pid": 1}, "pid 1"),
]


@pytest.mark.parametrize(("arguments", "objects"), ADMIN, ids=[str(each[1]) for each in ADMIN])
async def test_administration_names_its_objects_and_no_value(
    calling: Send, journal: Journal, arguments: dict[str, object], objects: str
) -> None:
    await answered(calling, BOB, "pg_admin", **arguments)

    record = await journal.one()
    assert shown(record, "action", "level", "objects", "text") == [
        *(arguments["action"], "admin", objects, "-"),
    ]
    assert SECRET not in journal.text


async def test_a_made_password_is_in_no_line(calling: Send, journal: Journal) -> None:
    received = await answered(
        calling, BOB, "pg_admin", action="create_role", name="made", attributes=["LOGIN"]
    )
    await answered(calling, BOB, "pg_admin", action="drop_role", name="made", confirm="made")

    header, row, *_ = received.text.splitlines()
    password = dict(zip(header.split("\t"), row.split("\t"), strict=True))["password"]
    assert password not in journal.text


DDL = [
    pytest.param(f"CREATE TABLE a (b text DEFAULT '{SECRET}')", "CREATE TABLE", "a", id="DEFAULT"),
    pytest.param(f"COMMENT ON TABLE person IS '{SECRET}'", "COMMENT", "-", id="COMMENT"),
    pytest.param(
        f"CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$SELECT '{SECRET}'$$",
        "CREATE FUNCTION",
        "public.f",
        id="body",
    ),
    pytest.param(f"CREATE USER u PASSWORD '{SECRET}'", "CREATE ROLE", "-", id="CREATE USER"),
    pytest.param(f"ALTER SYSTEM SET a = '{SECRET}'", "ALTER SYSTEM", "-", id="ALTER SYSTEM"),
    pytest.param(
        f"CREATE POLICY p ON person USING (note = '{SECRET}')",
        "CREATE POLICY",
        "person",
        id="policy",
    ),
]


@pytest.mark.parametrize(("sql", "kind", "objects"), DDL)
async def test_definitions_show_no_text(
    calling: Send, journal: Journal, sql: str, kind: str, objects: str
) -> None:
    await answered(calling, BOB, "pg_schema", action="create", sql=sql, dry_run=True)

    record = await journal.one()
    assert shown(record, "kind", "objects", "text", "fingerprint") == [kind, objects, "-", "-"]
    assert SECRET not in journal.text


async def test_a_pattern_is_a_value(calling: Send, journal: Journal) -> None:
    await answered(calling, BOB, "pg_schema", action="search", pattern=SECRET)

    assert (await journal.one())["rows"] == "0"
    assert SECRET not in journal.text


async def test_a_key_in_the_url_is_in_no_line(started: Entrances, journal: Journal) -> None:
    received = await ask(started.local, f"/mcp?key={KEY}&{KEY}&access={KEY}", "POST")

    assert received.status in (400, 403)
    assert KEY not in journal.text


async def test_a_bug_is_recorded_without_the_words_of_the_failure(call: Call) -> None:
    async def fail(_call: object, _params: object) -> Any:  # Any: never an answer
        raise ZeroDivisionError(f"{SECRET}\nERROR forged")

    with collecting() as stream:
        result = await answer(replace(query.TOOL, run=fail), call, {"sql": SECRET})

    text = stream.getvalue()
    first, traceback, *frames, last = text.splitlines()
    incident = first.split()[3]
    assert first == f"ERROR pgmcp.protocol incident {incident} in pg_query"
    assert incident in json.dumps(result.model_dump())
    assert f"outcome={incident}" in last
    assert traceback == "Traceback (most recent call last):"
    assert frames[-1] == "ZeroDivisionError"
    assert SECRET not in text
