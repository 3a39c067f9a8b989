-- Purpose: the disk that the write-ahead log takes.   Needs: pg_monitor.   Since: 14.
-- Units: named in the value.
WITH files AS (
  SELECT count(*) AS files, coalesce(sum(w.size), 0) AS bytes,
         pg_size_bytes(current_setting('max_wal_size')) AS expected
    FROM pg_ls_waldir() AS w
)
SELECT 'wal directory' AS "check",
       CASE
         WHEN f.bytes >= 4 * f.expected + 1024 ^ 3 THEN 'warn'
         ELSE 'ok'
       END AS status,
       format('%s in %s files', pg_size_pretty(f.bytes), f.files) AS value,
       format('warn %s', pg_size_pretty(4 * f.expected + 1073741824)) AS threshold,
       CASE
         WHEN f.bytes >= 4 * f.expected + 1024 ^ 3
           THEN 'slots (action=replication), a failing archiver or wal_keep_size keep it: '
                || current_setting('wal_keep_size')
       END AS hint
  FROM files AS f
 ORDER BY 1;
