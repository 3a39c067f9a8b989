-- Purpose: which server this is and since when it runs.   Needs: nothing.   Since: 14.
-- Units: named in the value.
SELECT 'server' AS "check", 'ok' AS status,
       format('PostgreSQL %s, %s, up since %s', current_setting('server_version'),
              CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END,
              pg_postmaster_start_time()::timestamptz(0)) AS value,
       NULL AS threshold,
       CASE
         WHEN clock_timestamp() - pg_postmaster_start_time() < interval '10 minutes'
           THEN 'restarted in the last ten minutes: the log says why'
       END AS hint
 ORDER BY 1;
