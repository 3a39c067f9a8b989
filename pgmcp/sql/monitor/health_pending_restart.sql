-- Purpose: settings that were changed but wait for a restart.   Needs: nothing.   Since: 14.
-- Units: none.
WITH pending AS (
  SELECT string_agg(s.name, ', ' ORDER BY s.name) AS names
    FROM pg_catalog.pg_settings AS s
   WHERE s.pending_restart
)
SELECT 'pending restart' AS "check",
       CASE WHEN p.names IS NULL THEN 'ok' ELSE 'warn' END AS status,
       coalesce(p.names, 'none') AS value, 'warn from 1' AS threshold,
       CASE
         WHEN p.names IS NOT NULL THEN 'restart PostgreSQL, or set the old values back'
       END AS hint
  FROM pending AS p
 ORDER BY 1;
