-- Purpose: settings that can lose or hide data.   Needs: nothing.   Since: 14.
-- Units: none.
WITH risks (name, bad_value, status, consequence) AS (
  VALUES ('fsync', 'off', 'crit', 'a crash can destroy the cluster'),
         ('full_page_writes', 'off', 'crit', 'a crash can damage pages'),
         ('zero_damaged_pages', 'on', 'crit', 'damaged pages are emptied silently'),
         ('ignore_checksum_failure', 'on', 'crit', 'damaged pages are used'),
         ('ignore_system_indexes', 'on', 'warn', 'catalogs are read without indexes'),
         ('autovacuum', 'off', 'crit', 'dead rows and transaction ids pile up'),
         ('track_counts', 'off', 'crit', 'autovacuum does not run'),
         ('synchronous_commit', 'off', 'warn', 'a crash loses the last transactions')
), found AS (
  SELECT string_agg(format('%s=%s: %s', r.name, r.bad_value, r.consequence), '; '
                    ORDER BY r.status, r.name) AS settings,
         coalesce(min(r.status), 'ok') AS status
    FROM risks AS r
    JOIN pg_catalog.pg_settings AS s ON s.name = r.name AND s.setting = r.bad_value
)
SELECT 'dangerous settings' AS "check", f.status, coalesce(f.settings, 'none') AS value,
       'crit: data can be lost' AS threshold,
       CASE
         WHEN f.settings IS NOT NULL
           THEN 'pg_admin action=reset name=… and action=reload, unless it is meant so'
       END AS hint
  FROM found AS f
 ORDER BY 1;
