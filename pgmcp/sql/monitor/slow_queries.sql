-- Purpose: statements of this database that took the most time in all.
-- Needs: pg_monitor, pg_stat_statements.   Since: 14.
-- Units: milliseconds, bytes, rows; percent of the time of all statements of this database.
-- Pattern: query, role or query_id.
-- The extension's schema stands for public when it is elsewhere.
WITH statements AS (
  SELECT s.queryid, r.rolname::text AS role, s.calls, s.total_exec_time, s.total_plan_time,
         s.mean_exec_time, s.max_exec_time, s.rows,
         s.shared_blks_hit, s.shared_blks_read, s.blk_read_time + s.blk_write_time AS io_time,
         s.temp_blks_read + s.temp_blks_written AS temp_blocks, s.wal_bytes,
         i.stats_reset AS since,
         sum(s.total_exec_time) OVER () AS all_time,
         CASE
           WHEN s.query = '<insufficient privilege>'
             THEN 'hidden; GRANT pg_monitor TO ' || quote_ident(current_user)
           -- One of pgmcp's own files.
           WHEN s.query LIKE '%-- Purpose: %'
             THEN 'pgmcp: ' || substring(s.query FROM '-- Purpose: ([^\n]*?)(   Needs:|\n|$)')
           -- Without what the gateway puts around a statement, and without passwords.
           ELSE regexp_replace(
                  regexp_replace(
                    s.query,
                    '^(SELECT [^\n]*\mc0\M[^\n]* FROM|WITH _pgmcp\([^\n]*) \(\n'
                      '(.*?)(\n\) (AS _pgmcp\(|SELECT ).*)?$',
                    '\2'),
                  $re$(password\s*)(=\s*('([^']|'')*('|$)|[^\s';)]+)|E?'([^']|'')*('|$))$re$,
                  '\1***', 'gi')
         END AS query
    FROM public.pg_stat_statements AS s
    JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid AND d.datname = current_database()
    LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.userid
   CROSS JOIN public.pg_stat_statements_info AS i
)
SELECT s.queryid AS query_id, s.role, s.calls,
       round(s.total_exec_time::numeric, 1)::float8 AS total_ms,
       round((100 * s.total_exec_time / nullif(s.all_time, 0))::numeric, 1)::float8
         AS percent_of_all,
       round(s.mean_exec_time::numeric, 3)::float8 AS mean_ms,
       round(s.max_exec_time::numeric, 1)::float8 AS max_ms,
       s.rows,
       round(100.0 * s.shared_blks_hit / nullif(s.shared_blks_hit + s.shared_blks_read, 0), 1)
         ::float8 AS cache_hit_percent,
       round(s.io_time::numeric, 1)::float8 AS io_ms,
       s.temp_blocks * current_setting('block_size')::bigint AS temp_bytes,
       s.wal_bytes::bigint AS wal_bytes, s.since::timestamptz(0) AS since,
       left(regexp_replace(s.query, '\s+', ' ', 'g'), 300) AS query
  FROM statements AS s
 WHERE EXISTS (
         SELECT FROM unnest(ARRAY[s.query, s.role, s.queryid::text]) AS field
          WHERE field ILIKE coalesce(nullif(current_setting('pgmcp.pattern', true), ''), '%'))
 ORDER BY s.total_exec_time DESC, s.queryid, s.role;
