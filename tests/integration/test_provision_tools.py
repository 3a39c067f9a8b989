"""What pg_admin and pg_monitor can do when they log in as the roles of pgmcp provision."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, get_args

import pytest

from pgmcp.errors import PgmcpError
from pgmcp.http import Gateway
from pgmcp.identity import LOCAL
from pgmcp.ledger import Owner
from pgmcp.provision import admin_gaps
from pgmcp.settings import load
from pgmcp.tools.admin import TOOL as ADMIN
from pgmcp.tools.admin.params import AdminParams
from pgmcp.tools.base import Call
from pgmcp.tools.monitor import TOOL as MONITOR
from pgmcp.tools.monitor import MonitorParams
from tests.cluster import installed_binaries
from tests.conftest import MAJORS, ignore_progress
from tests.integration.provisioning import OWNER, Server, owned_database, server

MONITOR_ACTIONS = get_args(MonitorParams.model_fields["action"].annotation)
TABLE = "CREATE TABLE item (id serial PRIMARY KEY); ALTER TABLE item ENABLE ROW LEVEL SECURITY"
CONFIRM = re.compile(r'confirm="([^"]*)"')
Arguments = dict[str, Any]  # Any: JSON


@pytest.fixture(scope="module", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
async def provisioned(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """Provision a server: database app is OWNER's, database theirs the superuser's."""
    with server(request.param) as made:
        await owned_database(made.cluster, "app", TABLE)
        await made.cluster.create_database("theirs")
        await made.cluster.execute(
            f"{TABLE}; CREATE ROLE alice; SELECT lo_from_bytea(7, 'x')", database="theirs"
        )
        for name in ("app", "theirs", "postgres"):
            await made.cluster.execute("CREATE EXTENSION pg_stat_statements", database=name)
        assert (await made.provision()).failed == ()
        yield made


@pytest.fixture
async def call(provisioned: Server) -> AsyncIterator[Call]:
    """Run a gateway that uses the roles."""
    flags = {
        ("backup", "directory"): provisioned.state,
        ("backup", "pg_dump"): str(installed_binaries()[provisioned.cluster.major].bin / "pg_dump"),
    }
    gateway = Gateway(load(environ=provisioned.environment(), flags=flags))
    async with gateway.running():
        yield gateway.make_call(LOCAL, Owner(principal="local", session="test"), ignore_progress)


async def words(call: Call, arguments: Arguments) -> str:
    """Return what is wrong with an action of pg_admin, "" where it works; confirm what it asks."""
    try:
        await ADMIN.run(call, AdminParams.model_validate(arguments))
    except PgmcpError as error:
        said = "\n".join(error.lines())
        asked = CONFIRM.search(said)
        if asked is None or "confirm" in arguments:
            return said
        return await words(call, {**arguments, "confirm": asked[1]})
    return ""


@pytest.mark.parametrize("action", MONITOR_ACTIONS)
async def test_pg_monitor_sees_everything(call: Call, action: str) -> None:
    params = MonitorParams.model_validate({"action": action, "format": "json", "database": "app"})

    answer = await MONITOR.run(call, params)

    assert answer.structured is not None
    # A role that may see less is told so, with the GRANT.
    assert [note for note in answer.structured.get("notices", ()) if "GRANT" in note] == []
    assert "; GRANT pg_monitor" not in answer.text


WORKS: list[Arguments] = [
    {"action": "databases"},
    {"action": "roles"},
    {"action": "extensions", "database": "app"},
    {"action": "setting", "name": "work_mem"},
    {"action": "grant", "database": "app", "on": "table public.item", "privileges": ["SELECT"]},
    {"action": "revoke", "database": "app", "on": "table public.item", "privileges": ["SELECT"]},
    {"action": "create_extension", "database": "app", "name": "hstore"},
    {"action": "create_extension", "database": "theirs", "name": "hstore"},
    {"action": "drop_extension", "database": "app", "name": "hstore"},
    {"action": "vacuum", "database": "app", "table": "item"},
    {"action": "vacuum", "database": "app", "table": "item", "full": True},
    {"action": "analyze", "database": "app", "table": "item"},
    {"action": "reindex", "database": "app", "table": "item"},
    {"action": "reindex", "database": "app"},
    {"action": "analyze", "database": "theirs"},
    {"action": "reset_statistics", "database": "theirs"},
    {"action": "reset_statistics", "database": "app", "table": "item"},
    {"action": "reset_statistics", "database": "app", "name": "pg_stat_statements"},
    {"action": "reset_statistics", "name": "wal"},
    {"action": "set", "database": "app", "name": "log_statement", "value": "ddl"},
    {"action": "reset", "database": "app", "name": "log_statement"},
    {"action": "set", "name": "work_mem", "value": "5MB"},
    {"action": "reset", "name": "work_mem"},
    {"action": "set", "name": "log_min_duration_statement", "value": "1s"},
    {"action": "reset", "name": "log_min_duration_statement"},
    {"action": "set", "name": "max_connections", "value": "70"},
    {"action": "reset", "name": "max_connections"},
    {"action": "reload"},
    {"action": "backup", "database": "app"},
    {"action": "backup", "database": "theirs"},
    {"action": "create_database", "name": "made"},
    {"action": "drop_database", "name": "made"},
    {"action": "create_database", "name": "made for the owner", "owner": OWNER},
    {"action": "drop_database", "name": "made for the owner"},
]


def name_of(arguments: Arguments) -> str:
    """Return a test's name."""
    return " ".join(str(value) for value in arguments.values())


@pytest.mark.parametrize("arguments", WORKS, ids=name_of)
async def test_pg_admin_works_as_pgmcp_admin(call: Call, arguments: Arguments) -> None:
    to = {"to": "alice"} if arguments["action"] in ("grant", "revoke") else {}

    assert await words(call, arguments | to) == ""


# From which major version on it works; None is never. Each of these is a Gap.
GAPS: list[tuple[int | None, Arguments]] = [
    (16, {"action": "create_role", "name": "newcomer"}),
    (16, {"action": "alter_role", "name": "newcomer", "attributes": ["CREATEDB"]}),
    (16, {"action": "set", "to": "newcomer", "name": "work_mem", "value": "5MB"}),
    (16, {"action": "grant", "on": "role newcomer", "to": "alice"}),
    (16, {"action": "revoke", "on": "role newcomer", "to": "alice"}),
    (16, {"action": "drop_role", "name": "newcomer"}),
    (None, {"action": "alter_role", "name": "alice", "attributes": ["CREATEDB"]}),
    (None, {"action": "set", "to": "alice", "name": "work_mem", "value": "5MB"}),
    (None, {"action": "drop_role", "name": "alice"}),
    (17, {"action": "vacuum", "database": "theirs", "table": "item"}),
    (17, {"action": "analyze", "database": "theirs", "table": "item"}),
    (17, {"action": "reindex", "database": "theirs", "table": "item"}),
    (None, {"action": "set", "database": "theirs", "name": "work_mem", "value": "5MB"}),
    (None, {"action": "drop_database", "name": "theirs"}),
    (None, {"action": "create_extension", "database": "app", "name": "pgstattuple"}),
    (None, {"action": "set", "name": "geqo", "value": "off"}),
]


@pytest.mark.parametrize(
    ("since", "arguments"), [pytest.param(*gap, id=name_of(gap[1])) for gap in GAPS]
)
async def test_what_pg_admin_cannot_do_is_in_the_list_of_gaps(
    provisioned: Server, call: Call, since: int | None, arguments: Arguments
) -> None:
    major = provisioned.cluster.major
    works = since is not None and major >= since
    listed = {action for gap in admin_gaps(major, is_superuser=False) for action in gap.actions}

    said = await words(call, arguments)

    assert (said == "") is works
    assert works or arguments["action"] in listed


def test_a_superuser_has_no_gaps() -> None:
    assert admin_gaps(18, is_superuser=True) == ()
