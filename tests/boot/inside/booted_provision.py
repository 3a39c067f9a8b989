"""Provisioning: made at boot, again by the timer, and again for what was made elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.boot.inside.gateway import call
from tests.boot.inside.machine import Journal, prop, psql, systemctl

UNIT, TIMER = "pgmcp-provision.service", "pgmcp-provision.timer"
OTHER = "made_elsewhere"


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[None]:
    """Make a database and a table as somebody who knows nothing of the gateway."""
    psql(f"CREATE DATABASE {OTHER}")
    psql("CREATE SCHEMA till; CREATE TABLE till.sales (id integer)", database=OTHER)
    yield
    psql(f"DROP DATABASE {OTHER} WITH (FORCE)")


def test_the_boot_has_provisioned() -> None:
    assert prop("Result", UNIT) == "success"
    assert Journal(after="").has("created role pgmcp_read", UNIT)


def test_the_timer_runs_it_again() -> None:
    assert prop("ActiveState", TIMER) == "active"
    assert prop("Triggers", TIMER) == UNIT
    assert prop("NextElapseUSecRealtime", TIMER) != ""


@pytest.mark.usefixtures("elsewhere")
async def test_a_table_made_elsewhere_is_closed_until_then() -> None:
    text = await call("pg_query", sql="SELECT count(*) FROM till.sales", database=OTHER)

    assert "42501" in text  # insufficient_privilege


@pytest.mark.usefixtures("elsewhere")
async def test_a_table_made_elsewhere_is_open_after_what_the_timer_starts() -> None:
    systemctl("start", UNIT)

    text = await call("pg_query", sql="SELECT count(*) FROM till.sales", database=OTHER)

    assert text.startswith("count\n0\n")


def test_a_second_run_finds_nothing_to_do() -> None:
    systemctl("start", UNIT)
    journal = Journal()

    systemctl("start", UNIT)

    assert journal.has("nothing to do", UNIT)


def test_the_database_that_is_declared_belongs_to_an_owner_who_is_no_superuser() -> None:
    owner = "SELECT r.rolname, r.rolsuper FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba"

    assert psql(f"{owner} WHERE datname = 'shop'") == "shop|f\n"


async def test_what_is_defined_through_the_gateway_belongs_to_that_owner() -> None:
    await call("pg_schema", action="create", sql="CREATE TABLE public.made (id integer)")

    assert psql("SELECT tableowner FROM pg_tables WHERE tablename = 'made'", database="shop") == (
        "shop\n"
    )
