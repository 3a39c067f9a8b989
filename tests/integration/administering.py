"""
How the tests of pg_admin act: as a caller of the gateway, and as another role of the server.

Owns the roles and databases that it makes for a block; drops them at its end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from pgmcp.errors import PgmcpError
from pgmcp.http import Gateway
from pgmcp.identity import LOCAL
from pgmcp.ledger import Owner
from pgmcp.settings import load
from pgmcp.tools.admin import TOOL
from pgmcp.tools.admin.params import AdminParams
from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster

Row = dict[str, Any]  # Any: JSON
PASSWORD = "only for tests"
Value = Any  # Any: JSON


async def report(call: Call, action: str, **arguments: Value) -> Row:
    """Return the answer of one action as its JSON object."""
    params = AdminParams.model_validate({"action": action, "format": "json", **arguments})
    answer = await TOOL.run(call, params)
    assert answer.structured is not None
    return dict(answer.structured)


async def rows(call: Call, action: str, **arguments: Value) -> list[Row]:
    """Return the rows of one action, by column."""
    found = await report(call, action, **arguments)
    names = [column["name"] for column in found["columns"]]
    return [dict(zip(names, row, strict=True)) for row in found["rows"]]


async def one(call: Call, action: str, **arguments: Value) -> Row:
    """Return the only row of one action."""
    (row,) = await rows(call, action, **arguments)
    return row


async def refusal(call: Call, action: str, **arguments: Value) -> str:
    """Return what a caller reads when the action is refused."""
    with pytest.raises(PgmcpError) as caught:
        await report(call, action, **arguments)
    return "\n".join(caught.value.lines())


def drops(*names: str, what: str = "ROLE") -> str:
    """Return the SQL that drops what a test made, whether or not it is still there."""
    return "; ".join(f'DROP {what} IF EXISTS "{name}"' for name in names)


@asynccontextmanager
async def role(
    cluster: ThrowawayCluster, name: str, attributes: str = "LOGIN", *, then: str = ""
) -> AsyncIterator[str]:
    """Make a role with a password, and run *then*; drop the role and its objects afterwards."""
    await cluster.execute(drops(name))
    await cluster.execute(f"CREATE ROLE \"{name}\" {attributes} PASSWORD '{PASSWORD}'; {then}")
    try:
        yield name
    finally:
        await cluster.execute(f'DROP OWNED BY "{name}" CASCADE; {drops(name)}')


@asynccontextmanager
async def calling(
    cluster: ThrowawayCluster, database: str, user: str | None = None, **more: Mapping[str, Value]
) -> AsyncIterator[Call]:
    """Run a gateway that logs in as *user*, the superuser by default; *more* are sections."""
    environment = cluster.environment(database)
    if user is not None:
        environment |= {"PGUSER": user, "PGPASSWORD": PASSWORD}
    flags = {(section, key): value for section, keys in more.items() for key, value in keys.items()}
    gateway = Gateway(load(environ=environment, flags=flags))
    async with gateway.running():
        yield gateway.make_call(LOCAL, Owner(principal="local", session="test"), _ignore)


async def _ignore(_done: float, _total: float | None, _message: str) -> None:
    """Take a progress notification that no client asked for."""


@asynccontextmanager
async def session(
    cluster: ThrowawayCluster, database: str, *, user: str | None = None, password: str = PASSWORD
) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Open a session of its own, of the superuser by default."""
    opened = await asyncpg.connect(
        host=cluster.host,
        port=cluster.port,
        user=user or cluster.user,
        password=password if user else cluster.password,
        database=database,
        server_settings={"application_name": "somebody"},
        timeout=10,
    )
    try:
        yield opened
    finally:
        opened.terminate()
