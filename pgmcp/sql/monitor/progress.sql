-- Purpose: how far running maintenance commands are, the longest running first.
-- Needs: pg_monitor.   Since: 14.
-- Units: done and total count what unit says; percent of this phase; seconds.
-- Pattern: command, database, relation, phase or pid.
WITH running AS (
  SELECT v.pid, v.datid, v.datname, v.relid, 'VACUUM' AS command, v.phase,
         CASE v.phase WHEN 'vacuuming heap' THEN v.heap_blks_vacuumed ELSE v.heap_blks_scanned END
           AS done,
         v.heap_blks_total AS total, 'blocks' AS unit,
         -- indexes_*: PostgreSQL 17 and later.
         concat_ws(', ', 'index passes ' || v.index_vacuum_count,
                   'indexes ' || nullif((to_jsonb(v) ->> 'indexes_processed') || ' of '
                                        || (to_jsonb(v) ->> 'indexes_total'), '0 of 0')) AS details
    FROM pg_catalog.pg_stat_progress_vacuum AS v
   UNION ALL
  SELECT a.pid, a.datid, a.datname, a.relid, 'ANALYZE', a.phase, a.sample_blks_scanned,
         a.sample_blks_total, 'sample blocks',
         CASE
           WHEN a.child_tables_total > 0
             THEN format('child tables %s of %s', a.child_tables_done, a.child_tables_total)
         END
    FROM pg_catalog.pg_stat_progress_analyze AS a
   UNION ALL
  SELECT i.pid, i.datid, i.datname, i.relid, i.command, i.phase,
         CASE
           WHEN i.phase LIKE 'waiting%' THEN i.lockers_done
           WHEN i.blocks_total > 0 THEN i.blocks_done
           ELSE i.tuples_done
         END,
         CASE
           WHEN i.phase LIKE 'waiting%' THEN i.lockers_total
           WHEN i.blocks_total > 0 THEN i.blocks_total
           ELSE i.tuples_total
         END,
         CASE
           WHEN i.phase LIKE 'waiting%' THEN 'transactions waited for'
           WHEN i.blocks_total > 0 THEN 'blocks'
           ELSE 'rows'
         END,
         concat_ws(', ', 'waits for pid ' || nullif(i.current_locker_pid, 0),
                   CASE
                     WHEN i.partitions_total > 0
                       THEN format('partitions %s of %s', i.partitions_done, i.partitions_total)
                   END)
    FROM pg_catalog.pg_stat_progress_create_index AS i
   UNION ALL
  SELECT c.pid, c.datid, c.datname, c.relid, c.command, c.phase,
         CASE WHEN c.heap_blks_total > 0 THEN c.heap_blks_scanned ELSE c.heap_tuples_scanned END,
         c.heap_blks_total, CASE WHEN c.heap_blks_total > 0 THEN 'blocks' ELSE 'rows' END,
         format('rows written %s, indexes rebuilt %s', c.heap_tuples_written,
                c.index_rebuild_count)
    FROM pg_catalog.pg_stat_progress_cluster AS c
   UNION ALL
  SELECT y.pid, y.datid, y.datname, y.relid, y.command, lower(y.type), y.bytes_processed,
         y.bytes_total, 'bytes', format('rows %s', y.tuples_processed)
    FROM pg_catalog.pg_stat_progress_copy AS y
   UNION ALL
  SELECT b.pid, NULL, NULL, NULL, 'BASE BACKUP', b.phase, b.backup_streamed, b.backup_total,
         'bytes', format('tablespaces %s of %s', b.tablespaces_streamed, b.tablespaces_total)
    FROM pg_catalog.pg_stat_progress_basebackup AS b
), named AS (
  SELECT r.pid, r.datname::text AS database,
         CASE
           WHEN r.datname = current_database() THEN nullif(r.relid, 0)::regclass::text
           ELSE r.relid::text
         END AS relation,
         CASE WHEN a.query = '<insufficient privilege>' THEN NULL ELSE r.command END AS command,
         CASE
           WHEN a.query = '<insufficient privilege>'
             THEN 'hidden; GRANT pg_monitor TO ' || quote_ident(current_user)
           ELSE r.phase
         END AS phase,
         r.done, nullif(r.total, 0) AS total, r.unit, nullif(r.details, '') AS details,
         extract(epoch FROM clock_timestamp() - a.query_start) AS seconds, a.usename::text AS role,
         a.wait_event_type || ': ' || a.wait_event AS wait
    FROM running AS r
    LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = r.pid
   WHERE coalesce(r.datname = ANY (
           nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
)
SELECT n.command, n.pid, n.database, n.relation, n.phase, n.done, n.total, n.unit,
       round(100.0 * n.done / n.total, 1)::float8 AS percent,
       round(n.seconds, 1)::float8 AS running_seconds, n.wait, n.role, n.details
  FROM named AS n
 WHERE EXISTS (
         SELECT FROM unnest(ARRAY[n.command, n.database, n.relation, n.phase, n.pid::text]) AS field
          WHERE field ILIKE coalesce(nullif(current_setting('pgmcp.pattern', true), ''), '%'))
 ORDER BY n.seconds DESC NULLS LAST, n.pid, n.command;
