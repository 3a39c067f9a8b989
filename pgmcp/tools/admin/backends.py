"""
Sessions of others: what they run is cancelled, or they are ended.

Owns both signals; never sends one to the gateway's own sessions or to the server's helpers.
"""

from __future__ import annotations

from collections.abc import Mapping

from pgmcp.access import reaches
from pgmcp.database import Lease
from pgmcp.errors import AccessDenied, CallerError
from pgmcp.results import Result
from pgmcp.sql import load
from pgmcp.tools.admin.params import AdminParams
from pgmcp.tools.admin.report import done
from pgmcp.tools.admin.standing import hinting, needing, own_name
from pgmcp.tools.base import Call
from pgmcp.tools.confirm import require_value
from pgmcp.tools.consequences import quoted

CLIENT = "client backend"
Backend = Mapping[str, str | None]


async def cancel(call: Call, params: AdminParams) -> Result:
    """Cancel the statement that a session is running; the session stays."""
    async with call.databases.bare(None) as lease:
        backend = await _find(call, lease, params)
        sent = await _send(lease, "cancel", backend)
    if sent is None:
        raise _gone(params)
    change = "asked to cancel its statement" if sent == "t" else "not reached"
    remarks = () if backend["state"] == "active" else ("it was running nothing",)
    return done(_cells(backend, change), remarks=remarks)


async def terminate(call: Call, params: AdminParams) -> Result:
    """End a session, which rolls back what it has open; backend_start guards against pid reuse."""
    async with call.databases.bare(None) as lease:
        backend = await _find(call, lease, params)
        start = backend["backend_start"]
        require_value(
            call,
            str(params.pid),
            params.confirm,
            f"end session {_described(backend)}",
            database=lease.database,
            sealed=["terminate", start, backend["role"], backend["database"]],
            more=f' and backend_start="{start}"',
        )
        # What the human has agreed to has the start of the session in it.
        if params.backend_start is None and not call.confirmation.asks:
            raise CallerError(
                "terminate needs backend_start, because another session may have got the pid "
                f'meanwhile. pid {params.pid} is {_described(backend)}: backend_start="{start}".'
            )
        sent = await _send(lease, "terminate", backend)
    if sent is None:
        raise _gone(params)
    change = "ended" if sent == "t" else "told to end, not gone after 5 s"
    return done(_cells(backend, change))


async def _find(call: Call, lease: Lease, params: AdminParams) -> Backend:
    """
    Return the session of params.pid.

    Raises:
        CallerError: there is none, it began at another time, or it is no client's.
        AccessDenied: it is the gateway's own, or the login cannot see it.
    """
    pid = params.pid or 0
    if pid in call.databases.own_pids() or pid == lease.pid:
        raise AccessDenied(
            f"pid {pid} is one of the gateway's own sessions; pg_admin does not signal those. A "
            "transaction ends with pg_tx action=rollback, a call by cancelling it."
        )
    rows = await lease.rows(load("admin", "backend", lease.server_version), str(pid))
    if not rows:
        raise CallerError(f"no session has pid {pid}. pg_monitor action=activity lists them.")
    backend = rows[0]
    if backend["backend_type"] is None or backend["backend_start"] is None:
        raise AccessDenied(
            f"pid {pid} belongs to another role, and the gateway's role may not look at it.",
            hint=f"GRANT pg_read_all_stats, pg_signal_backend TO {await own_name(lease)}; allows "
            "it; the operator runs it.",
        )
    if backend["backend_type"] != CLIENT:
        raise AccessDenied(
            f"pid {pid} is no client's session but a {backend['backend_type']}; pg_admin signals "
            "clients only."
        )
    _check_database(call, params, backend)
    await _check_start(lease, params, backend)
    return backend


def _check_database(call: Call, params: AdminParams, backend: Backend) -> None:
    """Refuse a session of a database that the caller may not administer, without its details."""
    database = backend["database"] or call.databases.default
    if not reaches(call.access.at(database).level, "admin"):
        where = f'database "{database}"' if call.access.may_reach(database) else "another database"
        raise AccessDenied(
            f"pid {params.pid} is a session of {where}, where you lack permission admin; pg_admin "
            "does not signal it. The operator can change [[access]] or the tailnet's grants."
        )


async def _check_start(lease: Lease, params: AdminParams, backend: Backend) -> None:
    """Refuse a session that began at another moment than the one the caller saw."""
    if params.backend_start is None:
        return
    same = await lease.value(
        "SELECT $1::pg_catalog.timestamptz = $2::pg_catalog.timestamptz",
        params.backend_start,
        backend["backend_start"],
    )
    if same != "t":
        raise CallerError(
            f"pid {params.pid} is another session now: it began at {backend['backend_start']}, "
            f"not {params.backend_start}. Look again with pg_monitor action=activity."
        )


async def _send(lease: Lease, signal: str, backend: Backend) -> str | None:
    """Signal exactly this session; None when it is gone."""
    who = await own_name(lease)
    hint = (
        f"GRANT pg_signal_backend TO {who}; allows it for sessions of ordinary roles (or be a "
        "member of that role); only a superuser signals superusers."
    )
    with hinting(needing(hint)):
        return await lease.value(
            load("admin", signal, lease.server_version), backend["pid"], backend["backend_start"]
        )


def _cells(backend: Backend, change: str) -> dict[str, str | None]:
    shown = ("pid", "backend_start", "database", "role", "application", "state", "query")
    return {"change": change} | {name: backend[name] for name in shown}


def _described(backend: Backend) -> str:
    age = backend["transaction_seconds"]
    facts = [
        f"role {backend['role']}",
        f"database {backend['database']}",
        f"application {quoted(backend['application']) if backend['application'] else 'unnamed'}",
        str(backend["state"]),
        *([f"in a transaction for {age} s"] if age is not None else []),
    ]
    return f"{backend['pid']} ({', '.join(facts)})"


def _gone(params: AdminParams) -> CallerError:
    return CallerError(f"the session with pid {params.pid} ended meanwhile; nothing was done.")
