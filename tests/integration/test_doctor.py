"""What pgmcp doctor says of a server: as it is, well provisioned, and tampered with."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import ThrowawayCluster, throwaway_cluster
from tests.conftest import MAJORS
from tests.process import run_command

RULES = """
[[access]]
who = ["ana@example.com", "key:ci"]
databases = ["app", "scratch_*"]
permissions = "write"
"""


class Patient:
    """Hold a server, the gateway's state on it, and run the command line against both."""

    def __init__(self, cluster: ThrowawayCluster, state: Path) -> None:
        self.cluster = cluster
        self.state = state

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one command as the operator of this server."""
        own = {**self.cluster.environment("app"), "STATE_DIRECTORY": str(self.state)}
        return run_command(arguments, {**own, **environment})


@pytest.fixture(scope="module", params=MAJORS, ids=[f"pg{major}" for major in MAJORS])
def server(request: pytest.FixtureRequest) -> Iterator[ThrowawayCluster]:
    with throwaway_cluster(request.param) as started:
        yield started


@pytest.fixture(scope="module")
async def patient(server: ThrowawayCluster, tmp_path_factory: pytest.TempPathFactory) -> Patient:
    """Return a server that was provisioned, with a table in one database."""
    await server.execute("CREATE ROLE keeper")
    await server.execute("CREATE DATABASE app OWNER keeper")
    await server.execute("SET ROLE keeper; CREATE TABLE goods (id int)", database="app")
    made = Patient(server, tmp_path_factory.mktemp("state"))
    done = made.run("provision")
    assert done.returncode == 0, done.stdout + done.stderr
    return made


async def test_a_provisioned_server_is_well(patient: Patient) -> None:
    said = patient.run("doctor")

    assert (said.returncode, said.stderr) == (0, "")
    assert "bad" not in said.stdout
    for login in ("read", "write", "ddl", "admin", "monitor", "backup"):
        assert f"pgmcp_{login} connects, and is no more than it should be" in said.stdout
    assert "app: pgmcp_read reads 3 of 3 relations, writes 0, owns 0, creates in no" in said.stdout
    assert "app: pgmcp_write reads 3 of 3 relations, writes 1, owns 0" in said.stdout
    assert "provisioning would" not in said.stdout


async def test_no_rules_is_a_warning_with_a_rule_to_write(patient: Patient) -> None:
    said = patient.run("doctor")

    assert "warning no access rules: every caller has every permission" in said.stdout
    assert 'fix: write a rule for each person, such as: [[access]] who = "ana@' in said.stdout


async def test_rules_are_told_and_keys_that_nobody_has(patient: Patient, tmp_path: Path) -> None:
    file = tmp_path / "pgmcp.toml"
    file.write_text(RULES)

    said = patient.run("doctor", "--config", str(file))

    assert "access rule 1: ana@example.com, key:ci may write in app, scratch_*" in said.stdout
    assert "bad     rules name key:ci, but no keys are configured" in said.stdout
    assert said.returncode == 1


async def test_one_superuser_for_all_levels_is_a_warning(patient: Patient, tmp_path: Path) -> None:
    said = patient.run("doctor", STATE_DIRECTORY=str(tmp_path))

    assert "warning one login serves every level" in said.stdout
    assert "that login is postgres, a superuser" in said.stdout
    assert said.returncode == 0


TAMPERED = [
    pytest.param(
        "ALTER ROLE pgmcp_read SUPERUSER",
        "ALTER ROLE pgmcp_read NOSUPERUSER",
        "bad     pgmcp_read is a superuser: no privilege holds it",
        id="a superuser",
    ),
    pytest.param(
        "ALTER ROLE pgmcp_write CREATEROLE",
        "ALTER ROLE pgmcp_write NOCREATEROLE",
        "bad     pgmcp_write has CREATEROLE",
        id="CREATEROLE",
    ),
    pytest.param(
        "ALTER ROLE pgmcp_read BYPASSRLS",
        "ALTER ROLE pgmcp_read NOBYPASSRLS",
        "bad     pgmcp_read has BYPASSRLS: row security does not hold it",
        id="BYPASSRLS",
    ),
    pytest.param(
        "GRANT pg_execute_server_program TO pgmcp_write",
        "REVOKE pg_execute_server_program FROM pgmcp_write",
        "bad     pgmcp_write is a member of pg_execute_server_program: it reaches beyond tables",
        id="programs of the server",
    ),
    pytest.param(
        "GRANT SELECT ON pg_catalog.pg_authid TO pgmcp_monitor",
        "REVOKE SELECT ON pg_catalog.pg_authid FROM pgmcp_monitor",
        "bad     pgmcp_monitor reads password verifiers (pg_authid)",
        id="password verifiers",
    ),
    pytest.param(
        "ALTER ROLE pgmcp_backup NOLOGIN",
        "ALTER ROLE pgmcp_backup LOGIN",
        "bad     pgmcp_backup: ",
        id="a role that cannot log in",
    ),
]


@pytest.mark.parametrize(("spoil", "mend", "finding"), TAMPERED)
async def test_a_role_that_is_more_or_less_than_it_should_be_is_bad(
    patient: Patient, spoil: str, mend: str, finding: str
) -> None:
    await patient.cluster.execute(spoil, database="app")

    said = patient.run("doctor")

    await patient.cluster.execute(mend, database="app")
    assert finding in said.stdout
    assert said.returncode == 1


async def test_a_superuser_admin_is_one_warning_whose_fix_works(patient: Patient) -> None:
    await patient.cluster.execute("ALTER ROLE pgmcp_admin SUPERUSER")

    said = patient.run("doctor")

    await patient.cluster.execute("ALTER ROLE pgmcp_admin NOSUPERUSER")
    done = patient.run("provision")
    assert "warning pgmcp_admin is a superuser" in said.stdout
    assert "fix: ALTER ROLE pgmcp_admin NOSUPERUSER; then pgmcp provision" in said.stdout
    assert (said.returncode, "bad  " in said.stdout) == (0, False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pgmcp_admin connects, and is no more than it should be" in patient.run("doctor").stdout


async def test_a_table_that_readers_cannot_see_is_told_with_the_command(patient: Patient) -> None:
    await patient.cluster.execute(
        "CREATE TABLE hidden (id int); REVOKE ALL ON hidden FROM pgmcp_read", database="app"
    )

    said = patient.run("doctor")

    await patient.cluster.execute("DROP TABLE hidden", database="app")
    assert "note    app: pgmcp_read does not read public.hidden" in said.stdout
    assert "app: provisioning would grant SELECT on 1 table to pgmcp_read" in said.stdout
    assert "fix: pgmcp provision --database app" in said.stdout


async def test_what_public_may_write_and_code_of_others_is_told(patient: Patient) -> None:
    await patient.cluster.execute(
        "GRANT INSERT ON goods TO PUBLIC; CREATE FUNCTION peep() RETURNS int "
        "SECURITY DEFINER LANGUAGE sql AS 'SELECT 1'",
        database="app",
    )

    said = patient.run("doctor")

    await patient.cluster.execute(
        "REVOKE INSERT ON goods FROM PUBLIC; DROP FUNCTION peep()", database="app"
    )
    assert "warning app: pgmcp_read has write privileges on public.goods" in said.stdout
    assert "pgmcp_read may execute SECURITY DEFINER code: public.peep()" in said.stdout


async def test_a_server_that_is_away_is_bad(patient: Patient) -> None:
    said = patient.run("doctor", PGPORT="1")

    assert "bad" in said.stdout
    assert "fix: " in said.stdout
    assert said.returncode == 1
