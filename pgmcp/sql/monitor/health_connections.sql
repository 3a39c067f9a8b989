-- Purpose: connections used, of those that ordinary roles have.   Needs: nothing.   Since: 14.
-- Units: sessions; max_connections less the reserved ones.
WITH used AS (
  SELECT count(*) AS sessions,
         current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true)::int, 0) AS available
    FROM pg_catalog.pg_stat_activity AS a
   WHERE a.usesysid IS NOT NULL
     AND coalesce(a.backend_type, 'client backend') = 'client backend'
)
SELECT 'connections' AS "check",
       CASE
         WHEN u.sessions >= 0.95 * u.available THEN 'crit'
         WHEN u.sessions >= 0.8 * u.available THEN 'warn'
         ELSE 'ok'
       END AS status,
       format('%s of %s (%s%%)', u.sessions, u.available,
              round(100.0 * u.sessions / u.available)) AS value,
       'warn 80%, crit 95%' AS threshold,
       CASE
         WHEN u.sessions >= 0.8 * u.available
           THEN 'see who holds them: action=connections; use a pooler or end idle sessions'
       END AS hint
  FROM used AS u
 ORDER BY 1;
