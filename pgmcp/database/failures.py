"""
What asyncpg raises, told in pgmcp's errors.

Owns the translation; never retries and never closes anything.
"""

from __future__ import annotations

import asyncpg

from pgmcp.errors import (
    CallerError,
    ConnectionLost,
    PgmcpError,
    QueryFailed,
    Report,
    Retryable,
    StatementTimeout,
    Unavailable,
)
from pgmcp.logins import ROLE_OF

LOST = (
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    OSError,
)
# What a server says to newcomers while it stops, recovers from a crash or starts.
STARTING = (
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
# What a login role runs into that `pgmcp provision` has not made, or not in this database.
REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientPrivilegeError,
)
TRANSLATED = (asyncpg.PostgresError, *LOST)

NAME_LENGTH = 63  # bytes of PostgreSQL's longest name
NEXT_STEP = {
    "25001": "This statement runs outside transactions only.",
    "25006": 'Reading is the default: changing data needs mode="write".',
    "25P02": "Only rollback and rollback_to are possible now.",
    "40001": "Another transaction changed the same rows: run the whole transaction again.",
    "40P01": "PostgreSQL broke a deadlock: run the whole transaction again.",
    "42501": "This login role lacks the privilege; the operator can GRANT it.",
    "42P01": "List the tables: pg_schema action=list.",
    "42703": "See the columns: pg_schema action=describe name=TABLE.",
    "42883": "See the functions: pg_schema action=search; casts such as $1::date choose a type.",
    "42P18": "Give the parameter a type: $1::text.",
    "42P08": "Give the parameter a type: $1::text.",
    "22P02": "A string parameter is PostgreSQL's text form of the type.",
    "2D000": "The procedure ends transactions itself, and every call runs inside one.",
    "53100": "The server's disk is full: pg_monitor action=health.",
    "55P03": "See who holds it: pg_monitor action=locks.",
    "57014": None,
}


def is_lost(error: BaseException) -> bool:
    """Tell whether the connection is gone or can no longer be trusted."""
    return isinstance(error, LOST) and not isinstance(error, asyncpg.DataError)


def report_of(error: asyncpg.PostgresError, *, position: int) -> Report:
    """Copy PostgreSQL's fields; *position* is in the caller's text."""
    return Report(
        sqlstate=error.sqlstate or "XX000",
        message=_text(error, "message") or str(error),
        detail=_text(error, "detail"),
        hint=_text(error, "hint"),
        position=position,
        context=_text(error, "context"),
        schema=_text(error, "schema_name"),
        table=_text(error, "table_name"),
        column=_text(error, "column_name"),
        constraint=_text(error, "constraint_name"),
    )


def _text(error: asyncpg.PostgresError, name: str) -> str | None:
    value = getattr(error, name, None)
    return None if value is None else str(value)


def position_of(error: BaseException) -> int:
    """Return where PostgreSQL says the error is, counted from 1 in the text it got, or 0."""
    value = getattr(error, "position", None)
    return int(value) if value else 0


def translate(error: BaseException, *, sql: str = "", position: int = 0) -> PgmcpError:
    """Return the pgmcp error for what asyncpg or the socket raised while a statement ran."""
    if is_lost(error):
        # What asyncpg says of its own state helps nobody; PostgreSQL's and the system's words do.
        told = isinstance(error, asyncpg.PostgresError | OSError) and str(error)
        words = f": {_first_line(error)}" if told else ""
        return ConnectionLost(f"the connection to PostgreSQL was lost{words}.")
    if not isinstance(error, asyncpg.PostgresError):
        return Unavailable(f"PostgreSQL's answer could not be read: {_first_line(error)}")
    report = report_of(error, position=position)
    if report.sqlstate == "57014":
        return _cancelled(report, sql)
    if report.sqlstate == "53300":
        return Retryable(
            f"PostgreSQL refuses more connections: {report.message}. Wait and try again; the "
            "operator can lower pools.total or raise max_connections.",
            sqlstate=report.sqlstate,
        )
    return QueryFailed(report, sql=sql, hint=NEXT_STEP.get(report.sqlstate))


def _cancelled(report: Report, sql: str) -> PgmcpError:
    if "statement timeout" in report.message:
        return StatementTimeout(
            report.message,
            sqlstate=report.sqlstate,
            hint="Raise timeout_seconds, or look at the plan: explain=plan.",
        )
    return QueryFailed(report, sql=sql, hint="Somebody cancelled the statement on the server.")


def _no_role(error: BaseException, user: str, database: str) -> Unavailable:
    if "Peer authentication failed" in str(error):
        return Unavailable(
            f'PostgreSQL refused the login role {user} in database "{_cut(database)}": '
            f"{_first_line(error)}. In pg_hba.conf no line for the gateway's roles comes before "
            "those for all, or pg_ident.conf lacks its lines. The operator puts in what pgmcp "
            "provision --dry-run --peer prints, and reloads PostgreSQL.",
            sqlstate=str(getattr(error, "sqlstate", "")),
        )
    return Unavailable(
        f'PostgreSQL refused the login role {user} in database "{_cut(database)}": '
        f"{_first_line(error)}. The operator runs pgmcp provision, which makes the roles and "
        'their grants, or sets server.roles to "shared".',
        sqlstate=str(getattr(error, "sqlstate", "")),
    )


def translate_connect(
    error: BaseException, *, where: str, database: str, default: str, user: str | None = None
) -> PgmcpError:
    """Return the pgmcp error for a connection of *user* that could not be opened."""
    # PostgreSQL hangs up without a word on a name that its first message has no room for.
    hung_up = isinstance(error, asyncpg.ConnectionDoesNotExistError)
    if isinstance(error, asyncpg.InvalidCatalogNameError) or (
        hung_up and len(database) > NAME_LENGTH
    ):
        return _no_database(database, default)
    if user in ROLE_OF.values() and isinstance(error, REFUSED):
        return _no_role(error, str(user), database)
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return Unavailable(
            f"PostgreSQL refused the gateway's login: {_first_line(error)}. The operator can "
            "correct PGUSER and PGPASSWORD, or pg_hba.conf."
        )
    if isinstance(error, asyncpg.TooManyConnectionsError):
        return translate(error)
    if isinstance(error, STARTING):
        return Retryable(f"PostgreSQL at {where} is not ready: {_first_line(error)}. Try again.")
    if isinstance(error, TimeoutError):
        return Unavailable(
            f"PostgreSQL at {where} did not answer in time. Is it stopped or overloaded? "
            "The operator can look at its log."
        )
    if isinstance(error, asyncpg.PostgresError):
        return Unavailable(f"PostgreSQL at {where} refused the connection: {_first_line(error)}.")
    if "SSL" in str(error).upper():
        return Unavailable(
            f"PostgreSQL at {where} and the gateway do not agree on TLS: {_first_line(error)}. The "
            "operator can correct PGSSLMODE, or the server's ssl settings."
        )
    return Unavailable(
        f"PostgreSQL cannot be reached at {where}: {_first_line(error)}. The operator can start "
        "it, or correct PGHOST and PGPORT."
    )


def _no_database(database: str, default: str) -> PgmcpError:
    shown = _cut(database)
    if database == default:
        return Unavailable(
            f'the default database "{shown}" does not exist. The operator can correct '
            "PGDATABASE; until then name another: database=postgres."
        )
    return CallerError(
        f'database "{shown}" does not exist. pg_monitor action=databases lists them.'
    )


def _cut(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else name[:NAME_LENGTH] + "…"


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
