"""
The statements that took the most time: what pg_stat_statements needs, and which of its forms.

Owns the conditions of action=slow_queries; the queries are files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgmcp.database.quote import identifier
from pgmcp.errors import Unavailable

if TYPE_CHECKING:
    from pgmcp.tools.monitor.reading import Reader

EXTENSION = "pg_stat_statements"
OLDEST = (1, 9)  # of PostgreSQL 14: has pg_stat_statements_info
# The extension keeps its old form through pg_upgrade, so its version decides, not the server's.
SINCE_17 = (1, 11)
SERVER_17, SERVER_15 = 170_000, 150_000


async def slow_queries_sql(reader: Reader) -> str:
    """
    Return the query that fits the extension as it was created in this database.

    Raises:
        Unavailable: it is not loaded, created, usable or new enough; says which, and the remedy.
    """
    (row,) = await reader.lease.rows(reader.sql("slow_queries_extension"))
    database = reader.lease.database
    create = f"pg_admin action=create_extension name={EXTENSION} database={database}"
    if row["is_loaded"] != "t":
        raise Unavailable(
            f"{EXTENSION} is not loaded, so this server keeps no statistics of statements.",
            hint=f"Add {EXTENSION} to shared_preload_libraries, restart PostgreSQL, then {create}.",
        )
    schema, version = row["schema"], row["version"]
    if schema is None or version is None:
        raise Unavailable(
            f'{EXTENSION} is loaded, but not created in database "{database}".',
            hint=f"{create}. It then shows what ran since it was loaded.",
        )
    if row["is_open"] != "t":
        raise Unavailable(
            f"{EXTENSION} lives in schema {identifier(schema)}, which role {reader.role} may not "
            "use.",
            hint=f"GRANT USAGE ON SCHEMA {identifier(schema)} TO {reader.role}",
        )
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    if numbers < OLDEST:
        raise Unavailable(
            f'{EXTENSION} in database "{database}" has version {version}, older than 1.9.',
            hint=f"ALTER EXTENSION {EXTENSION} UPDATE with pg_schema action=alter.",
        )
    form = SERVER_17 if numbers >= SINCE_17 else SERVER_15
    return reader.sql("slow_queries", version=form, schema=schema)
