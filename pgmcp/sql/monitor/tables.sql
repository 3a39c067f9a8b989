-- Purpose: size, dead rows, vacuum and use of tables, the largest first.
-- Needs: nothing.   Since: 14.
-- Units: bytes with indexes and TOAST, rows as last counted, times of the last run.
-- Pattern: schema.table or table.
-- Sizes take a lock on the table; one that another session locks exclusively keeps NULL instead.
WITH locked AS MATERIALIZED (
  SELECT coalesce(i.indrelid, o.oid, l.relation) AS relid
    FROM pg_catalog.pg_locks AS l
    JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = current_database()
    LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = l.relation
    LEFT JOIN pg_catalog.pg_class AS o ON o.reltoastrelid = l.relation
   WHERE l.locktype = 'relation'
     AND l.mode = 'AccessExclusiveLock'
     AND l.pid IS DISTINCT FROM pg_backend_pid()
), tables AS (
  SELECT c.oid, c.relkind, c.relispartition, c.relpages,
         quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
         s.n_live_tup, s.n_dead_tup,
         -- Only ANALYZE counts a partitioned table's rows; it has -1 before.
         CASE WHEN c.relkind = 'p' THEN c.reltuples ELSE s.n_live_tup END AS row_estimate,
         s.seq_scan, s.seq_tup_read, s.idx_scan, s.n_tup_ins, s.n_tup_upd, s.n_tup_del,
         greatest(s.last_vacuum, s.last_autovacuum) AS last_vacuum,
         greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze,
         EXISTS (SELECT FROM locked AS l WHERE l.relid = c.oid) AS is_locked
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_stat_user_tables AS s ON s.relid = c.oid
   WHERE c.relkind IN ('r', 'm', 'p')
     AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     AND EXISTS (
           SELECT FROM unnest(ARRAY[n.nspname || '.' || c.relname, c.relname::text]) AS field
            WHERE field ILIKE coalesce(nullif(current_setting('pgmcp.pattern', true), ''), '%'))
), sized AS (
  SELECT t.oid,
         CASE
           WHEN t.is_locked THEN NULL
           WHEN t.relkind = 'p'
             THEN (SELECT sum(pg_total_relation_size(p.relid))
                     FROM pg_partition_tree(t.oid) AS p
                    WHERE p.relid NOT IN (SELECT l.relid FROM locked AS l))
           ELSE pg_total_relation_size(t.oid)
         END::bigint AS total_bytes,
         CASE WHEN NOT t.is_locked THEN pg_indexes_size(t.oid) END AS index_bytes
    FROM tables AS t
)
SELECT t.name AS "table",
       CASE
         WHEN t.relkind = 'm' THEN 'materialized view'
         WHEN t.relkind = 'p' THEN 'partitioned table'
         WHEN t.relispartition THEN 'partition'
         ELSE 'table'
       END AS kind,
       s.total_bytes, s.index_bytes,
       greatest(t.row_estimate, 0)::bigint AS row_estimate,
       t.n_dead_tup AS dead_rows,
       round(100.0 * t.n_dead_tup / nullif(t.n_live_tup + t.n_dead_tup, 0), 1)::float8
         AS dead_percent,
       t.seq_scan AS seq_scans, t.seq_tup_read AS seq_rows_read, t.idx_scan AS index_scans,
       t.n_tup_ins AS inserts, t.n_tup_upd AS updates, t.n_tup_del AS deletes,
       t.last_vacuum::timestamptz(0) AS last_vacuum,
       t.last_analyze::timestamptz(0) AS last_analyze,
       concat_ws('; ',
         CASE WHEN t.is_locked THEN 'locked exclusively, size not read: see action=locks' END,
         CASE
           WHEN t.n_dead_tup > 1000 AND t.n_dead_tup * 5 > t.n_live_tup
             THEN 'many dead rows: see action=vacuum'
         END,
         CASE
           WHEN t.relkind <> 'p' AND t.n_live_tup > 1000 AND t.last_analyze IS NULL
             THEN 'never analyzed: pg_admin action=analyze'
         END,
         CASE
           WHEN t.n_live_tup > 10000 AND t.seq_scan > 50
                AND t.seq_scan > coalesce(t.idx_scan, 0)
             THEN 'mostly read from end to end: an index may be missing'
         END) AS finding
  FROM tables AS t
  JOIN sized AS s ON s.oid = t.oid
 ORDER BY s.total_bytes DESC NULLS LAST, t.name;
