"""The gate's lists name what the server really has, whatever its version."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from pgmcp.denied import WRITING, denied_function, denied_table
from tests.cluster import ThrowawayCluster

# Volatile without an effect that lasts: what they return changes, or they end with the call.
HARMLESS = """
array_sample array_shuffle clock_timestamp current_query currtid2 currval gen_random_uuid
lastval lo_get pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_available_wal_summaries
pg_blocking_pids pg_collation_actual_version pg_control_checkpoint pg_control_init
pg_control_recovery pg_control_system pg_current_logfile pg_current_wal_flush_lsn
pg_current_wal_insert_lsn pg_current_wal_lsn pg_database_collation_actual_version
pg_database_size pg_get_aios pg_get_backend_memory_contexts pg_get_loaded_modules
pg_get_multixact_members pg_get_sequence_data pg_get_shmem_allocations
pg_get_shmem_allocations_numa pg_get_wait_events pg_get_wal_replay_pause_state
pg_get_wal_resource_managers pg_get_wal_summarizer_state pg_indexes_size pg_is_in_recovery
pg_is_wal_replay_paused pg_isolation_test_session_is_blocked pg_jit_available
pg_last_committed_xact pg_last_wal_receive_lsn pg_last_wal_replay_lsn
pg_last_xact_replay_timestamp pg_lock_status pg_notification_queue_usage pg_partition_ancestors
pg_partition_tree pg_prepared_xact pg_relation_size pg_safe_snapshot_blocking_pids
pg_sequence_last_value pg_show_replication_origin_status pg_sleep pg_sleep_for pg_sleep_until
pg_stat_clear_snapshot pg_stat_force_next_flush pg_stat_have_stats pg_table_size
pg_tablespace_size pg_total_relation_size pg_try_advisory_xact_lock
pg_try_advisory_xact_lock_shared pg_wal_summary_contents pg_xact_commit_timestamp
pg_xact_commit_timestamp_origin pg_xact_status random random_normal timeofday ts_rewrite
txid_status uuidv4 uuidv7
"""  # ts_rewrite with three arguments; with two it is refused
# Not for calls from SQL: their arguments or results are internal.
VOLATILE = """
SELECT DISTINCT proname
  FROM pg_catalog.pg_proc
 WHERE pronamespace = 'pg_catalog'::regnamespace
   AND provolatile = 'v'
   AND proname !~ '^pg_stat_get_'
   AND NOT proargtypes::oid[] && ARRAY['internal'::regtype::oid]
   AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype,
       'language_handler'::regtype, 'index_am_handler'::regtype, 'table_am_handler'::regtype)
   AND proname NOT IN ('plpgsql_validator', 'amvalidate')
 ORDER BY proname
"""
# What PostgreSQL shows to superusers only, in part or as a whole.
GUARDED = """
SELECT n.nspname, c.relname
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'v')
   AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(c.relacl) AS a
                    WHERE a.grantee = 0 AND a.privilege_type = 'SELECT')
 ORDER BY 1, 2
"""
# Guarded for another reason than a secret in them.
OPEN = {
    "pg_aios",
    "pg_backend_memory_contexts",
    "pg_config",
    "pg_replication_origin_status",
    "pg_shmem_allocations",
    "pg_shmem_allocations_numa",
    "_pg_foreign_data_wrappers",
    "_pg_foreign_servers",
    "_pg_foreign_table_columns",
    "_pg_foreign_tables",
    "sql_parts",
    "transforms",
}


@pytest.fixture(scope="module")
async def server(cluster: ThrowawayCluster) -> AsyncIterator[asyncpg.Connection]:
    """Look at the server's catalogues."""
    connection = await cluster.connect()
    yield connection
    await connection.close()


async def test_every_volatile_function_of_the_server_is_decided(
    server: asyncpg.Connection,
) -> None:
    """A new version brings new ones; each goes into the gate's lists, or above."""
    names = {str(row["proname"]) for row in await server.fetch(VOLATILE)}

    undecided = names - WRITING - set(HARMLESS.split())
    assert {name for name in undecided if denied_function((None, name), 1) is None} == set()
    assert {
        name for name in HARMLESS.split() if denied_function((None, name), 3) is not None
    } == set()


async def test_every_guarded_relation_of_the_server_is_decided(server: asyncpg.Connection) -> None:
    found = {(str(row["nspname"]), str(row["relname"])) for row in await server.fetch(GUARDED)}

    undecided = {name for schema, name in found if denied_table((schema, name)) is None}
    assert undecided - OPEN == set()
