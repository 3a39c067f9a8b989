"""
pgmcp's own catalogue queries: one file an action, in pgmcp/sql/<tool>/<action>.sql.

Owns finding the file that fits a server; never runs it and never builds SQL.
"""

from __future__ import annotations

import re
from importlib.resources import files

VERSIONS_PER_MAJOR = 10_000  # server_version_num 150018 is PostgreSQL 15.18
VARIANT = re.compile(r"(?P<action>\w+)\.since(?P<major>\d+)\.sql")


def load(tool: str, action: str, server_version: int) -> str:
    """
    Read the SQL of *action*, or the variant for newer servers that this one reaches.

    `locks.sql` serves every server, `locks.since17.sql` those from PostgreSQL 17 on; of several
    variants the highest one not above the server's major version is taken. Variants of one
    action return the same columns wherever the server can fill them.

    A file is one statement that `psql -f` runs. What a call narrows is a setting that lasts for
    the transaction, not a parameter, so that the file stays whole and owns its filter, columns
    and order: `pgmcp.pattern` holds a LIKE pattern in lower case (absent or empty: everything):

        export PGOPTIONS='-c search_path=pg_catalog -c pgmcp.pattern=%order%'
        psql -f pgmcp/sql/monitor/tables.sql

    and the gateway, before the file, in the same transaction:

        SELECT pg_catalog.set_config('pgmcp.pattern', $1, true)

    `pgmcp.databases` holds an array of the databases that may be told of, where a file looks at
    several (absent or empty: all).

    Files of other tools may use $1… instead where a name is always needed.

    Raises:
        FileNotFoundError: there is no such action; a bug of pgmcp, never the caller's.
    """
    folder = files(__name__) / tool
    major = server_version // VERSIONS_PER_MAJOR
    reached = [
        int(variant["major"])
        for entry in folder.iterdir()
        if (variant := VARIANT.fullmatch(entry.name))
        and variant["action"] == action
        and int(variant["major"]) <= major
    ]
    name = f"{action}.since{max(reached)}.sql" if reached else f"{action}.sql"
    return (folder / name).read_text(encoding="utf-8")
