"""
pg_stat_statements in the default database, so that pg_monitor action=slow_queries works at once.

Owns its creation there; never loads the library, which takes a restart, nor changes what is there.
"""

from __future__ import annotations

from pgmcp.database import Lease
from pgmcp.provision.step import Plan, Step, is_true
from pgmcp.provision.wanted import ADMIN
from pgmcp.sql import load

CREATE = "CREATE EXTENSION pg_stat_statements SCHEMA public"
# PUBLIC may look at the views, which show each role its own; pg_monitor shows all.
RESET = f"GRANT EXECUTE ON FUNCTION public.pg_stat_statements_reset TO {ADMIN}"


async def plan_statements(lease: Lease) -> Plan:
    """Say whether the extension can be created here and is not."""
    (row,) = await lease.rows(load("provision", "statements", lease.server_version))
    if not (is_true(row["is_loaded"]) and is_true(row["is_available"])):
        return Plan()
    if is_true(row["is_created"]):
        return Plan()
    if not is_true(row["has_public"]):
        note = (
            "pg_stat_statements is loaded, but there is no schema public to create it in; for "
            "pg_monitor action=slow_queries: CREATE EXTENSION pg_stat_statements SCHEMA …;"
        )
        return Plan(notes=(note,))
    return Plan(
        steps=(
            Step(
                sql=f"{CREATE};\n{RESET}",
                what="create extension pg_stat_statements",
                may_act=is_true(row["may_act"]),
            ),
        )
    )
