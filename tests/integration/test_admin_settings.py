"""pg_admin on settings: shown, checked before they are kept, and taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pgmcp.tools.base import Call
from tests.cluster import ThrowawayCluster, throwaway_cluster
from tests.integration.administering import calling, one, refusal, report, role, rows, session

TOUCHED = (
    "work_mem",
    "log_min_duration_statement",
    "max_connections",
    "wal_level",
    "log_statement",
)
SINCE_ALLOW = 17


@pytest.fixture(autouse=True)
async def clean(cluster: ThrowawayCluster, database: str) -> AsyncIterator[None]:
    """Take back what a test sets for the whole server or the database."""
    yield
    for name in TOUCHED:
        await cluster.execute(f"ALTER SYSTEM RESET {name}")
    await cluster.execute(f'SELECT pg_reload_conf(); ALTER DATABASE "{database}" RESET ALL')


async def test_a_setting_is_shown_with_what_it_may_be(call: Call) -> None:
    memory = await one(call, "setting", name="Work_Mem")
    level = await one(call, "setting", name="wal_level")

    assert (memory["name"], memory["value"], memory["unit"]) == ("work_mem", "4MB", "kB")
    assert memory["default_value"] == "4MB"
    assert memory["allowed"] == "64 to 2147483647"
    assert (memory["context"], memory["changes_by"]) == ("user", "reload or session")
    assert (level["allowed"], level["changes_by"]) == ("minimal, replica, logical", "restart")


async def test_the_gateways_own_limits_are_not_taken_for_the_servers(call: Call) -> None:
    """The gateway sets statement_timeout for its own session."""
    assert (await one(call, "setting", name="statement_timeout"))["value"] == "0"


async def test_a_pattern_finds_settings(call: Call) -> None:
    names = [row["name"] for row in await rows(call, "setting", name="log_min_*")]

    assert "log_min_duration_statement" in names
    assert len(names) < 10


async def test_a_misspelt_setting_is_met_with_the_nearest(call: Call) -> None:
    shown = await refusal(call, "setting", name="work_memm")
    changed = await refusal(call, "set", name="work_memm", value="1MB")

    assert 'setting "work_memm" does not exist on this server. The nearest names' in shown
    assert "work_mem" in changed


async def test_a_setting_of_the_server_is_in_force_at_once_and_reset(
    cluster: ThrowawayCluster, database: str, call: Call
) -> None:
    answer = await report(call, "set", name="work_mem", value="9MB")
    async with session(cluster, database) as other:
        seen = await other.fetchval("SHOW work_mem")
    back = await one(call, "reset", name="work_mem")

    assert answer["rows"][0] == ["work_mem", "server", "4MB", "9MB", "now"]
    assert answer["remarks"] == ["action=reset name=work_mem undoes it"]
    assert seen == "9MB"
    assert (back["before"], back["after"]) == ("9MB", "4MB")


async def test_a_setting_that_needs_a_restart_says_so(call: Call) -> None:
    answer = await one(call, "set", name="max_connections", value="77")
    shown = await one(call, "setting", name="max_connections")

    assert answer["applies"] == "after a restart of PostgreSQL, which the operator does"
    assert answer["after"] == "77"
    assert shown["pending_restart"] is True


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        pytest.param("work_mem", "lots", "error 22023: invalid value", id="no number"),
        pytest.param("work_mem", "1", "outside the valid range", id="range"),
        pytest.param("log_statement", "some", "Available values: none, ddl, mod, all.", id="enum"),
        pytest.param("work_mem", "1MB\nfsync = off", "error 22023", id="newline"),
        pytest.param("wal_level", "minimal", "PostgreSQL would not start", id="startup"),
        pytest.param("max_connections", "5", "5 is below ", id="connections"),
        pytest.param("server_version", "19", "fixed when the server is built", id="internal"),
        pytest.param("archive_command", "rm -rf /", "run programs or load code", id="command"),
        pytest.param("Shared_Preload_Libraries", "x", "run programs or load code", id="library"),
        pytest.param("plperl.on_init", "x", "run programs or load code", id="language"),
        pytest.param("hba_file", "/x", "where the server's files are", id="file"),
        pytest.param("listen_addresses", "", "lock everyone out", id="reach"),
    ],
)
async def test_a_value_that_must_not_be_kept_is_refused(
    cluster: ThrowawayCluster, call: Call, name: str, value: str, words: str
) -> None:
    async with session(cluster, "postgres") as other:
        query = "SELECT pg_read_file('postgresql.auto.conf')"
        before = await other.fetchval(query)
        text = await refusal(call, "set", name=name, value=value)

        assert words in text
        assert await other.fetchval(query) == before


@pytest.mark.parametrize(
    "scope", [{"database": True}, {"to": True}, {"database": True, "to": True}]
)
async def test_a_setting_of_a_database_or_role_reaches_new_sessions_there(
    cluster: ThrowawayCluster, database: str, call: Call, scope: dict[str, bool]
) -> None:
    async with role(cluster, "admin_app"):
        names = {"database": database, "to": "admin_app"}
        given = {key: names[key] for key in scope}
        answer = await one(call, "set", name="search_path", value='shop, "$user", public', **given)
        async with session(cluster, database, user="admin_app") as app:
            seen = await app.fetchval("SHOW search_path")
        shown = await one(call, "setting", name="search_path", database=database)
        back = await one(call, "reset", name="search_path", **given)

    assert answer["applies"] == "to new sessions"
    assert answer["after"] == 'shop, "$user", public'
    assert seen == 'shop, "$user", public'
    assert 'shop, "$user", public' in shown["overrides"]
    assert back["after"] is None


async def test_an_extensions_own_setting_is_kept_for_a_database(call: Call, database: str) -> None:
    answer = await one(call, "set", name="shop.currency", value="it's €", database=database)

    assert answer["after"] == "it's €"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        pytest.param("work_mem", "lots", "error 22023", id="value"),
        pytest.param("default_tablespace", "nope", "error 22023", id="checked by a try only"),
        pytest.param("max_connections", "50", "cannot be changed without restarting", id="context"),
        pytest.param("role", "postgres", "lock everyone out", id="role"),
        pytest.param("session_preload_libraries", "x", "run programs or load code", id="library"),
        pytest.param("work_mem; DROP", "1MB", "does not exist on this server", id="no name"),
        pytest.param('a.b"; DROP', "1MB", "is no name of a setting", id="no dotted name"),
        pytest.param("work_memm", "1MB", "does not exist on this server", id="unknown"),
    ],
)
async def test_a_database_does_not_get_what_would_break_its_sessions(
    call: Call, database: str, name: str, value: str, words: str
) -> None:
    assert words in await refusal(call, "set", name=name, value=value, database=database)


async def test_the_gateways_own_role_keeps_its_settings(call: Call) -> None:
    text = await refusal(call, "set", name="work_mem", value="1MB", to="postgres")

    assert "the gateway itself uses" in text


async def test_a_plain_login_learns_which_grant_it_lacks_and_the_grant_works(
    cluster: ThrowawayCluster, database: str
) -> None:
    async with (
        role(cluster, "admin_plain"),
        calling(cluster, database, "admin_plain") as plain,
    ):
        text = await refusal(plain, "set", name="work_mem", value="5MB")
        scoped = await refusal(plain, "set", name="work_mem", value="5MB", database=database)
        superuser = await refusal(
            plain, "set", name="log_statement", value="all", database=database
        )
        reloaded = await refusal(plain, "reload")
        await cluster.execute('GRANT ALTER SYSTEM ON PARAMETER "work_mem" TO admin_plain')
        kept = await one(plain, "set", name="work_mem", value="5MB")
        await cluster.execute(
            "GRANT EXECUTE ON FUNCTION pg_reload_conf() TO admin_plain", database=database
        )
        applied = await one(plain, "set", name="work_mem", value="6MB")
        again = await report(plain, "reload")
        await one(plain, "reset", name="work_mem")
        await cluster.execute("DROP OWNED BY admin_plain", database=database)

    assert 'error 42501: permission denied to set parameter "work_mem"' in text
    assert 'GRANT ALTER SYSTEM ON PARAMETER "work_mem" TO admin_plain; allows it' in text
    assert "changed by its owner or a superuser" in scoped
    assert 'GRANT SET ON PARAMETER "log_statement" TO admin_plain' in superuser
    assert "GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO admin_plain" in reloaded
    assert kept["applies"].startswith("not yet: permission denied for function pg_reload_conf")
    assert applied["applies"] == "now"
    assert "could not be checked first" in again["remarks"][0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param(
            "work_mem = 'lots'", "work_mem (setting could not be applied)", id="bad value"
        ),
        pytest.param(
            "no_such_setting = 1",
            "no_such_setting (unrecognized configuration parameter)",
            id="unknown",
        ),
        pytest.param("work_mem ==", "(syntax error)", id="syntax"),
    ],
)
async def test_reload_is_refused_while_a_file_has_errors(
    cluster: ThrowawayCluster, call: Call, line: str, words: str
) -> None:
    async with session(cluster, "postgres") as other:
        file = Path(await other.fetchval("SHOW config_file"))
    text = file.read_text()
    file.write_text(f"{text}\n{line}\n")
    try:
        refused = await refusal(call, "reload")
        held = await one(call, "set", name="log_min_duration_statement", value="5s")
    finally:
        file.write_text(text)

    assert "nothing was reloaded: the configuration files have errors: " in refused
    assert words in refused
    assert held["applies"].startswith("not yet: the configuration files have errors")
    assert (await one(call, "reload"))["change"] == "reloaded"


async def test_a_server_whose_settings_are_kept_elsewhere_says_so(
    cluster: ThrowawayCluster,
) -> None:
    if cluster.major < SINCE_ALLOW:
        pytest.skip(f"allow_alter_system is from PostgreSQL 17 on, this is {cluster.major}")
    with throwaway_cluster(cluster.major, options={"allow_alter_system": "off"}) as fixed:
        async with calling(fixed, "postgres") as call:
            text = await refusal(call, "set", name="work_mem", value="5MB")

    assert "the operator keeps the settings elsewhere (allow_alter_system is off)" in text
