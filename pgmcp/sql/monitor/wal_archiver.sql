-- Purpose: whether finished WAL files reach the archive.   Needs: nothing.   Since: 14.
-- Units: files since the statistics were last reset; times.
SELECT 'archiver' AS item,
       CASE current_setting('archive_mode')
         WHEN 'off' THEN 'off'
         ELSE format('%s archived, %s failed', a.archived_count, a.failed_count)
       END AS value,
       CASE
         WHEN current_setting('archive_mode') = 'off' THEN 'archive_mode is off: no archive is kept'
         ELSE concat_ws('; ',
                'last ' || a.last_archived_wal || ' at ' || a.last_archived_time::timestamptz(0),
                'last failure ' || a.last_failed_wal || ' at '
                  || a.last_failed_time::timestamptz(0))
       END AS hint
  FROM pg_catalog.pg_stat_archiver AS a
 ORDER BY item;
