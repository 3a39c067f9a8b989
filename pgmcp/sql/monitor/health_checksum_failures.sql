-- Purpose: damaged pages that were read.   Needs: nothing.   Since: 14.
-- Units: pages of all databases since the statistics were last reset.
WITH failures AS (
  SELECT coalesce(sum(d.checksum_failures), 0) AS pages,
         max(d.checksum_last_failure) AS last_time,
         coalesce(
           min(d.datname) FILTER (
             WHERE d.checksum_failures > 0
               AND coalesce(d.datname = ANY (
                     nullif(current_setting('pgmcp.databases', true), '')::text[]), true)),
           '(out of your reach)') AS name
    FROM pg_catalog.pg_stat_database AS d
)
SELECT 'checksum failures' AS "check",
       CASE WHEN f.pages > 0 THEN 'crit' ELSE 'ok' END AS status,
       CASE
         WHEN current_setting('data_checksums') = 'off' THEN 'data checksums are off'
         WHEN f.pages = 0 THEN 'none'
         ELSE format('%s, last %s, such as in database %s', f.pages, f.last_time::timestamptz(0),
                     f.name)
       END AS value,
       'crit from 1' AS threshold,
       CASE
         WHEN f.pages > 0
           THEN 'the disk returns damaged pages: take a backup now, then see the log for the files'
       END AS hint
  FROM failures AS f
 ORDER BY 1;
