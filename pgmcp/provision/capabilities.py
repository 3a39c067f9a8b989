"""
What pgmcp_admin may do without being a superuser: settings, and functions for administrators.

Owns both lists; pg_admin's own refusals (`tools.admin.guarded`) stand before them.
"""

from __future__ import annotations

from typing import Final

from pgmcp.database import Lease
from pgmcp.database.quote import identifier
from pgmcp.provision.step import Plan, Step, counted, is_true
from pgmcp.provision.wanted import ADMIN
from pgmcp.sql import load

# Settings that tune, limit, log or schedule. None lets anybody run code, reach files, lose data or
# lock people out; those stay with the operator.
PARAMETERS: Final = (
    "autovacuum",
    "autovacuum_analyze_scale_factor",
    "autovacuum_analyze_threshold",
    "autovacuum_max_workers",
    "autovacuum_naptime",
    "autovacuum_vacuum_cost_delay",
    "autovacuum_vacuum_cost_limit",
    "autovacuum_vacuum_insert_scale_factor",
    "autovacuum_vacuum_insert_threshold",
    "autovacuum_vacuum_scale_factor",
    "autovacuum_vacuum_threshold",
    "autovacuum_work_mem",
    "bgwriter_delay",
    "bgwriter_lru_maxpages",
    "checkpoint_completion_target",
    "checkpoint_timeout",
    "checkpoint_warning",
    "commit_delay",
    "deadlock_timeout",
    "default_statistics_target",
    "default_toast_compression",
    "effective_cache_size",
    "effective_io_concurrency",
    "hash_mem_multiplier",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "jit",
    "jit_above_cost",
    "lock_timeout",
    "log_autovacuum_min_duration",
    "log_checkpoints",
    "log_connections",
    "log_disconnections",
    "log_duration",
    "log_line_prefix",
    "log_lock_waits",
    "log_min_duration_sample",
    "log_min_duration_statement",
    "log_min_error_statement",
    "log_min_messages",
    "log_parameter_max_length",
    "log_recovery_conflict_waits",
    "log_replication_commands",
    "log_statement",
    "log_statement_sample_rate",
    "log_temp_files",
    "log_timezone",
    "logical_decoding_work_mem",
    "maintenance_io_concurrency",
    "maintenance_work_mem",
    "max_connections",
    "max_locks_per_transaction",
    "max_parallel_maintenance_workers",
    "max_parallel_workers",
    "max_parallel_workers_per_gather",
    "max_slot_wal_keep_size",
    "max_stack_depth",
    "max_standby_archive_delay",
    "max_standby_streaming_delay",
    "max_wal_size",
    "max_worker_processes",
    "min_wal_size",
    "pg_stat_statements.max",
    "pg_stat_statements.save",
    "pg_stat_statements.track",
    "pg_stat_statements.track_planning",
    "pg_stat_statements.track_utility",
    "random_page_cost",
    "seq_page_cost",
    "shared_buffers",
    "statement_timeout",
    "synchronous_commit",
    "temp_buffers",
    "temp_file_limit",
    "timezone",
    "track_activity_query_size",
    "track_functions",
    "track_io_timing",
    "track_wal_io_timing",
    "transaction_timeout",
    "vacuum_cost_delay",
    "vacuum_cost_limit",
    "wal_buffers",
    "wal_compression",
    "wal_keep_size",
    "wal_writer_delay",
    "work_mem",
)
FUNCTIONS: Final = (
    "pg_reload_conf",
    "pg_stat_reset",
    "pg_stat_reset_shared",
    "pg_stat_reset_single_table_counters",
    "pg_stat_reset_single_function_counters",
    "pg_stat_reset_slru",
    "pg_stat_reset_replication_slot",
    "pg_stat_reset_subscription_stats",
    "pg_stat_reset_backend_stats",
)
OF_EXTENSIONS: Final = ("pg_stat_statements_reset",)


async def plan_parameters(lease: Lease) -> Plan:
    """Say which settings pgmcp_admin may not yet change."""
    rows = await lease.rows(
        load("provision", "parameters", lease.server_version), ADMIN, list(PARAMETERS)
    )
    missing = [str(row["name"]) for row in rows if not is_true(row["may_change"])]
    if not missing:
        return Plan()
    names = ", ".join(".".join(identifier(part) for part in name.split(".")) for name in missing)
    return Plan(
        steps=(
            Step(
                sql=f"GRANT SET, ALTER SYSTEM ON PARAMETER {names} TO {ADMIN}",
                what=f"grant SET and ALTER SYSTEM on {counted(len(missing), 'setting')} to {ADMIN}",
            ),
        )
    )


async def plan_functions(lease: Lease) -> Plan:
    """Say which functions for administrators pgmcp_admin may not yet call in this database."""
    rows = await lease.rows(
        load("provision", "functions", lease.server_version),
        ADMIN,
        list(FUNCTIONS),
        list(OF_EXTENSIONS),
    )
    steps = []
    for may_act in (True, False):
        missing = [
            str(row["function"])
            for row in rows
            if not is_true(row["may_call"]) and is_true(row["may_act"]) is may_act
        ]
        if missing:
            steps.append(
                Step(
                    sql=f"GRANT EXECUTE ON FUNCTION {', '.join(missing)} TO {ADMIN}",
                    what=f"grant EXECUTE on {counted(len(missing), 'function')} to {ADMIN}",
                    may_act=may_act,
                )
            )
    return Plan(steps=tuple(steps))
