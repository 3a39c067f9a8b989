"""
Configuration files read again, after a look whether PostgreSQL would take them.

Owns the check and the signal; changes no setting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pgmcp.database import Lease
from pgmcp.errors import CallerError, QueryFailed
from pgmcp.results import Result
from pgmcp.sql import load
from pgmcp.tools.admin.params import AdminParams
from pgmcp.tools.admin.report import done, first_of
from pgmcp.tools.admin.standing import (
    INSUFFICIENT_PRIVILEGE,
    execute_hint,
    hinting,
    needing,
    own_name,
)
from pgmcp.tools.base import Call

LOOKS = 100  # of 20 ms each: the signal takes a moment to reach this session
ERRORS_NAMED = 5
UNCHECKED = "the files could not be checked first: pg_file_settings needs a superuser's grant"


async def reload(call: Call, params: AdminParams) -> Result:  # noqa: ARG001 — every action's form
    """Make PostgreSQL read its files again, unless they have errors."""
    async with call.databases.bare(None) as lease:
        errors = await file_errors(lease)
        if errors:
            raise CallerError(
                f"nothing was reloaded: {described(errors)}.",
                hint="the operator mends these lines first; PostgreSQL would keep the old values.",
            )
        await signal_reload(lease)
    remarks = () if errors is not None else (UNCHECKED,)
    return done({"change": "reloaded"}, remarks=remarks)


async def file_errors(lease: Lease) -> Sequence[Mapping[str, str | None]] | None:
    """Return the lines that PostgreSQL would refuse; None where this login may not look."""
    found: list[Mapping[str, str | None]] = []
    for action in ("file_errors", "hba_errors"):
        try:
            found += await lease.rows(load("admin", action, lease.server_version))
        except QueryFailed as error:
            if error.report.sqlstate != INSUFFICIENT_PRIVILEGE:
                raise
            return None
    return found


def described(errors: Sequence[Mapping[str, str | None]]) -> str:
    """Return the lines with errors as one phrase."""
    named = [
        " ".join(filter(None, (row["place"], row["setting"], f"({row['error']})")))
        for row in errors
    ]
    return f"the configuration files have errors: {first_of(named, ERRORS_NAMED)}"


async def signal_reload(lease: Lease) -> bool:
    """Send the signal; tell whether this session has read the files anew within two seconds."""
    version = lease.server_version
    who = await own_name(lease)
    before = await lease.value("SELECT pg_catalog.pg_conf_load_time()")
    hint = execute_hint(lease, "pg_catalog.pg_reload_conf()", who)
    with hinting(needing(hint)):
        await lease.value("SELECT pg_catalog.pg_reload_conf()")
    for _ in range(LOOKS):
        if await lease.value(load("admin", "reloaded", version), before) == "t":
            return True
    return False
