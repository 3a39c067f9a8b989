-- Purpose: deadlocks in this database.   Needs: nothing.   Since: 14.
-- Units: since the statistics were last reset, else since the server's start.
WITH deadlocks AS (
  SELECT d.deadlocks,
         coalesce(d.stats_reset, pg_postmaster_start_time()) AS since,
         d.deadlocks / greatest(extract(epoch FROM clock_timestamp()
           - coalesce(d.stats_reset, pg_postmaster_start_time())) / 86400, 1) AS per_day
    FROM pg_catalog.pg_stat_database AS d
   WHERE d.datname = current_database()
)
SELECT 'deadlocks' AS "check",
       CASE WHEN d.per_day >= 5 THEN 'warn' ELSE 'ok' END AS status,
       CASE
         WHEN d.deadlocks = 0 THEN 'none'
         ELSE format('%s, at most %s a day', d.deadlocks, ceil(d.per_day))
       END AS value,
       'warn 5 a day' AS threshold,
       CASE
         WHEN d.per_day >= 5
           THEN 'the log has the statements: take locks in the same order everywhere'
       END AS hint
  FROM deadlocks AS d
 ORDER BY 1;
