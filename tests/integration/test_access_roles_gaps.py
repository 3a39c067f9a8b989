"""What a login role may not do: how a gap is told, and that no tool changes the roles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pgmcp.logins import ROLE_OF
from tests.conftest import MAJORS
from tests.integration.provisioning import Server
from tests.integration.roles_shop import APP, LATE, calling_with_roles, roles_shop
from tests.people import Person, refusal

OPERATOR = "the operator closes the gap with: pgmcp provision"


@pytest.fixture(scope="module", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
async def ready(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """Make the shop on each major version."""
    async with roles_shop(request.param) as started:
        yield started


@pytest.fixture
async def ana(ready: Server, tmp_path: Path) -> AsyncIterator[Person]:
    async with calling_with_roles(ready, tmp_path) as person:
        yield person


GAPS = [
    pytest.param(
        "SELECT * FROM shop.secret",
        "read",
        "pgmcp_read may not SELECT from shop.secret",
        "GRANT SELECT ON shop.secret TO pgmcp_read",
        id="table",
    ),
    pytest.param(
        "INSERT INTO shop.secret VALUES (1)",
        "write",
        "pgmcp_write lacks INSERT, SELECT on shop.secret",
        "GRANT INSERT, SELECT ON shop.secret TO pgmcp_write",
        id="table to write to",
    ),
    pytest.param(
        "SELECT nextval('shop.numbers')",
        "write",
        "pgmcp_write lacks USAGE on SEQUENCE shop.numbers",
        "GRANT USAGE ON SEQUENCE shop.numbers TO pgmcp_write",
        id="sequence",
    ),
    pytest.param(
        "SELECT shop.hidden()",
        "read",
        "pgmcp_read lacks EXECUTE on FUNCTION hidden",
        "GRANT EXECUTE ON FUNCTION hidden TO pgmcp_read",
        id="function",
    ),
]


@pytest.mark.parametrize(("sql", "mode", "gap", "grant"), GAPS)
async def test_a_permission_error_names_the_gap_and_what_closes_it(
    ana: Person, sql: str, mode: str, gap: str, grant: str
) -> None:
    text = await refusal(ana.query(sql, mode=mode))

    assert text.startswith("error 42501: permission denied")
    assert f"hint: {gap}; {OPERATOR} (or {grant})." in text


async def test_the_grant_that_is_named_closes_the_gap(ana: Person, ready: Server) -> None:
    await ready.cluster.execute("GRANT SELECT ON shop.secret TO pgmcp_read", database=APP)
    try:
        answer = await ana.query("SELECT count(*) FROM shop.secret")
    finally:
        await ready.cluster.execute("REVOKE SELECT ON shop.secret FROM pgmcp_read", database=APP)

    assert answer.text.splitlines()[1] == "0"


async def test_what_a_superuser_owns_is_told(ana: Person) -> None:
    sql = "ALTER TABLE public.rooted ADD b integer"

    text = await refusal(ana.call("pg_schema", action="alter", sql=sql))

    assert "hint: pgmcp_ddl does not own table rooted" in text
    assert "ALTER TABLE rooted OWNER TO" in text


async def test_a_gap_inside_a_transaction_is_that_of_its_role(ana: Person) -> None:
    handle = await ana.begin(mode="write")
    text = await refusal(ana.query("SELECT * FROM shop.secret", session_id=handle))
    await ana.tx("rollback", session_id=handle)

    assert "pgmcp_write may not SELECT from shop.secret" in text


async def test_a_view_of_somebody_who_lacks_it_is_not_blamed_on_the_role(
    ana: Person, ready: Server
) -> None:
    await ready.cluster.execute(
        "GRANT SELECT ON shop.secret TO pgmcp_read; CREATE ROLE roles_clerk;"
        "ALTER VIEW shop.open_secret OWNER TO roles_clerk;"
        "GRANT SELECT ON shop.open_secret TO pgmcp_read",
        database=APP,
    )
    try:
        text = await refusal(ana.query("SELECT * FROM shop.open_secret"))
    finally:
        await ready.cluster.execute(
            "REVOKE SELECT ON shop.secret FROM pgmcp_read;"
            "DROP OWNED BY roles_clerk; DROP ROLE roles_clerk",
            database=APP,
        )

    assert "pgmcp_read itself has the privilege" in text


async def test_a_role_that_is_gone_is_told_with_what_brings_it_back(
    ana: Person, ready: Server
) -> None:
    await ready.cluster.execute("ALTER ROLE pgmcp_write RENAME TO pgmcp_gone")
    try:
        text = await refusal(ana.write("SELECT 1"))
    finally:
        await ready.cluster.execute("ALTER ROLE pgmcp_gone RENAME TO pgmcp_write")
        await ready.provision()

    assert "PostgreSQL refused the login role pgmcp_write" in text
    assert "The operator runs pgmcp provision" in text


async def test_a_database_that_is_closed_to_the_role_is_told(ana: Person, ready: Server) -> None:
    await ready.cluster.create_database(LATE)
    await ready.cluster.execute(f"REVOKE CONNECT ON DATABASE {LATE} FROM PUBLIC")
    try:
        text = await refusal(ana.query("SELECT 1", database=LATE))
    finally:
        await ready.cluster.drop_database(LATE)

    assert f'PostgreSQL refused the login role pgmcp_read in database "{LATE}"' in text
    assert "permission denied for database" in text


@pytest.mark.parametrize("role", ROLE_OF.values())
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"action": "alter_role", "attributes": ["NOLOGIN"]}, id="alter"),
        pytest.param({"action": "drop_role"}, id="drop"),
    ],
)
async def test_no_login_role_is_changed(
    ana: Person, role: str, arguments: dict[str, object]
) -> None:
    text = await refusal(ana.call("pg_admin", name=role, confirm=None, **arguments))

    assert f'role "{role}" is one that the gateway itself uses' in text


@pytest.mark.parametrize("role", ROLE_OF.values())
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"on": "schema shop", "privileges": ["ALL"]}, id="privilege"),
        pytest.param({"on": "role pg_monitor"}, id="membership"),
    ],
)
async def test_no_login_role_is_given_more(
    ana: Person, role: str, arguments: dict[str, object]
) -> None:
    text = await refusal(ana.call("pg_admin", action="grant", to=role, **arguments))

    assert f'role "{role}" is one that the gateway itself uses' in text


@pytest.mark.parametrize("role", ROLE_OF.values())
async def test_nobody_becomes_a_member_of_a_login_role(ana: Person, role: str) -> None:
    text = await refusal(ana.call("pg_admin", action="grant", on=f"role {role}", to="app owner"))

    assert f'role "{role}" is one that the gateway itself uses' in text
