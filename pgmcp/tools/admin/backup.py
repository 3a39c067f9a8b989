"""
A database, one schema or one table copied into a file on the gateway's machine.

Owns what is dumped and the answer; the program is `dump`'s, the file `dump_file`'s.
"""

from __future__ import annotations

import asyncio
import shlex
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from pgmcp.database import Borrower, Lease
from pgmcp.database.quote import identifier, qualified
from pgmcp.errors import CallerError, Unavailable
from pgmcp.results import Result
from pgmcp.settings import renewed
from pgmcp.sql import load
from pgmcp.tools.admin.dump import find_pg_dump, run_pg_dump
from pgmcp.tools.admin.dump_file import DumpFile, open_dump
from pgmcp.tools.admin.params import AdminParams
from pgmcp.tools.admin.relations import find_relation
from pgmcp.tools.admin.report import done
from pgmcp.tools.admin.watch import watched
from pgmcp.tools.base import Call

VERSIONS_PER_MAJOR = 10_000
MEGABYTE = 1_000_000
DUMPED_KINDS = frozenset("rpvmfS")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Say what is dumped: parts of the file's name, and pg_dump's arguments for it."""

    major: int
    parts: tuple[str, ...]
    arguments: tuple[str, ...]


async def backup(call: Call, params: AdminParams) -> Result:
    """Dump in pg_dump's custom format; a dump that fails or is cancelled leaves no file."""
    wanted = call.settings.backup
    if wanted.directory is None:
        raise Unavailable(
            "no backup directory is set, so nothing was dumped. The operator sets "
            "backup.directory in the configuration, or PGMCP_BACKUP_DIRECTORY."
        )
    database = params.database or call.databases.default
    scope = await call.databases.read(
        database, lambda lease: _scope(lease, params), login="backup", level="admin"
    )
    program = await find_pg_dump(wanted.pg_dump, scope.major)
    began = time.monotonic()
    file = open_dump(wanted.directory, scope.parts, datetime.now(UTC))
    with closing(file):
        await _fill(call, database, scope, program, file)
        size = await asyncio.to_thread(file.keep)
    cells = {
        "file": file.path.name,
        "bytes": str(size),
        "seconds": f"{time.monotonic() - began:.1f}",
        "restore": _restore(scope, file),
    }
    return done(cells, remarks=("roles are not in it: pg_dumpall --roles-only",))


async def _scope(lease: Lease, params: AdminParams) -> Scope:
    major = lease.server_version // VERSIONS_PER_MAJOR
    if params.table is not None:
        found = await find_relation(
            lease, params.schema_, params.table, kinds=DUMPED_KINDS, what="table"
        )
        rows = await lease.rows(load("admin", "partitions", lease.server_version), found.oid)
        names = [qualified(str(row["schema"]), str(row["name"])) for row in rows]
        return Scope(
            major=major,
            parts=(lease.database, found.schema, found.name),
            arguments=tuple(f"--table={name}" for name in names),
        )
    if params.schema_ is not None:
        sql = load("admin", "target", lease.server_version)
        if not await lease.rows(sql, "schema", params.schema_):
            raise CallerError(
                f'schema "{params.schema_}" does not exist in database "{lease.database}". '
                "pg_schema action=list kind=schema lists them."
            )
        return Scope(
            major=major,
            parts=(lease.database, params.schema_),
            arguments=(f"--schema={identifier(params.schema_)}",),
        )
    return Scope(major=major, parts=(lease.database,), arguments=())


async def _fill(call: Call, database: str, scope: Scope, program: str, file: DumpFile) -> None:
    """Run pg_dump into *file* and tell how much it has written."""
    lock_limit = round(call.settings.limits.lock_timeout.total_seconds() * 1000)
    arguments = [
        program,
        "--format=custom",
        "--no-password",
        "--strict-names",
        f"--lock-wait-timeout={lock_limit}",
        *scope.arguments,
    ]
    environment = {
        # pg_dump asks nobody: provision may have set a new password since the gateway began.
        **renewed(call.settings.server).libpq_environment(database),
        "PGAPPNAME": Borrower(principal=call.caller.principal).application_name,
        # A pg_dump that is killed must not leave its session behind, waiting for a lock.
        "PGOPTIONS": "-c client_connection_check_interval=2s",
    }

    async def look() -> None:
        await call.progress(file.size(), None, f"{file.size() / MEGABYTE:.1f} MB written")

    limit = call.settings.backup.timeout.total_seconds()
    deadline = asyncio.timeout(limit)
    try:
        async with deadline:
            running = run_pg_dump(arguments, environment, descriptor=file.descriptor)
            await watched(running, look)
    except TimeoutError as error:
        if not deadline.expired():
            raise
        raise Unavailable(
            f"pg_dump was ended after {limit:.0f} s, the limit of one dump; nothing was kept. Dump "
            "one schema or table, or the operator raises backup.timeout."
        ) from error


def _restore(scope: Scope, file: DumpFile) -> str:
    """Return the line that brings the dump back, into a database of its own."""
    path = shlex.quote(str(file.path))
    if len(scope.parts) > 1:
        return f"pg_restore --dbname=DATABASE {path}"
    return f"createdb NEW_DATABASE && pg_restore --dbname=NEW_DATABASE {path}"
