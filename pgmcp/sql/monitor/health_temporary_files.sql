-- Purpose: temporary files that sorts and hashes of this database wrote.
-- Needs: nothing.   Since: 14.
-- Units: bytes since the statistics were last reset, else since the server's start.
WITH written AS (
  SELECT d.temp_files, d.temp_bytes,
         d.temp_bytes / greatest(extract(epoch FROM clock_timestamp()
           - coalesce(d.stats_reset, pg_postmaster_start_time())) / 86400, 1) AS per_day
    FROM pg_catalog.pg_stat_database AS d
   WHERE d.datname = current_database()
)
SELECT 'temporary files' AS "check",
       CASE WHEN w.per_day >= 10 * 1024 ^ 3 THEN 'warn' ELSE 'ok' END AS status,
       CASE
         WHEN w.temp_files = 0 THEN 'none'
         ELSE format('%s files, %s', w.temp_files, pg_size_pretty(w.temp_bytes))
       END AS value,
       'warn 10 GB a day' AS threshold,
       CASE
         WHEN w.per_day >= 10 * 1024 ^ 3
           THEN 'temp_bytes in action=slow_queries shows which; work_mem is '
                || current_setting('work_mem')
       END AS hint
  FROM written AS w
 ORDER BY 1;
