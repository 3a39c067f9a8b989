-- Purpose: whether WAL files reach the archive.   Needs: nothing.   Since: 14.
-- Units: named in the value.
WITH archiver AS (
  SELECT current_setting('archive_mode') <> 'off' AS is_on, a.last_failed_wal, a.last_failed_time,
         a.last_archived_wal, a.failed_count,
         a.last_failed_time IS NOT NULL
           AND a.last_failed_time > coalesce(a.last_archived_time, '-infinity') AS is_failing
    FROM pg_catalog.pg_stat_archiver AS a
)
SELECT 'archiver' AS "check",
       CASE WHEN a.is_on AND a.is_failing THEN 'crit' ELSE 'ok' END AS status,
       CASE
         WHEN NOT a.is_on THEN 'off'
         WHEN a.is_failing
           THEN format('failing: %s at %s', a.last_failed_wal, a.last_failed_time::timestamptz(0))
         ELSE format('last %s, %s failures', coalesce(a.last_archived_wal, 'none yet'),
                     a.failed_count)
       END AS value,
       'crit when the last try failed' AS threshold,
       CASE
         WHEN a.is_on AND a.is_failing
           THEN 'WAL piles up until it works: see the log and archive_command'
       END AS hint
  FROM archiver AS a
 ORDER BY 1;
