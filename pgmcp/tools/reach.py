"""
Which databases a report about the whole server may tell of.

Owns the setting that pgmcp's own catalogue queries filter by; decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from pgmcp.database import Lease
from pgmcp.errors import AccessDenied
from pgmcp.statement import Statement
from pgmcp.tools.base import Call

# PostgreSQL shows each login role the statements of its own sessions, in every database; and
# everybody what ALTER DATABASE … SET gave any of them.
WHOLE_SERVER = {
    "pg_stat_activity": "activity",
    "pg_stat_get_activity": "activity",
    "pg_stat_get_backend_activity": "activity",
    "pg_stat_statements": "slow_queries",
    "pg_prepared_xacts": "activity",
    "pg_prepared_xact": "activity",
    "pg_db_role_setting": "settings",
}
NAMES = "SELECT d.datname AS name FROM pg_catalog.pg_database AS d"
# Absent or empty it hides nothing, so that `psql -f` shows what the file is about. A list of what
# may be seen also hides a database that is made a moment later.
NARROW = """
SELECT pg_catalog.set_config('pgmcp.databases', $1::pg_catalog.text[]::pg_catalog.text, true)
"""


async def narrow(call: Call, lease: Lease) -> int:
    """
    Hide from the queries of this transaction what belongs to databases out of the caller's reach.

    Return how many databases that are. Who sees statistics of all of them (pg_monitor) must not
    tell a caller what others run there, nor what they are called.
    """
    if not call.access.is_ruled:
        return 0
    names = [str(row["name"]) for row in await lease.rows(NAMES)]
    reached = [name for name in names if call.access.may_reach(name)]
    if len(reached) < len(names):
        await lease.value(NARROW, reached)
    return len(names) - len(reached)


def refuse_whole_server(call: Call, statement: Statement) -> None:
    """
    Refuse what would show statements or settings of databases that the caller may not reach.

    Raises:
        AccessDenied: names the action of pg_monitor that shows what is within reach.
    """
    if call.access.reaches_all:
        return
    named = (*statement.tables, *statement.functions, *((None, f) for f in statement.attributes))
    for _, name in named:
        if (action := WHOLE_SERVER.get(name)) is not None:
            raise AccessDenied(
                f"{name} tells of every database, and you may not reach all of them. "
                f"pg_monitor action={action} shows what is within your reach."
            )


def remark(withheld: int) -> Sequence[str]:
    """Say what is left out, and why; nothing where all is there."""
    if not withheld:
        return ()
    what = "1 database is" if withheld == 1 else f"{withheld} databases are"
    return (f"{what} left out: no access rule or grant gives you any permission there",)
