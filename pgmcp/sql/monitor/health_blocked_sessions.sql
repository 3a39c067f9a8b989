-- Purpose: sessions that wait for a lock.   Needs: nothing.   Since: 14.
-- Units: named in the value.
WITH waiting AS (
  SELECT count(DISTINCT l.pid) AS sessions,
         coalesce(extract(epoch FROM clock_timestamp() - min(l.waitstart)), 0) AS seconds
    FROM pg_catalog.pg_locks AS l
   WHERE NOT l.granted
)
SELECT 'blocked sessions' AS "check",
       CASE
         WHEN w.seconds >= 60 THEN 'crit'
         WHEN w.seconds >= 5 THEN 'warn'
         ELSE 'ok'
       END AS status,
       CASE
         WHEN w.sessions = 0 THEN 'none'
         ELSE format('%s, longest wait %s', w.sessions,
                     justify_interval(make_interval(secs => round(w.seconds)::float8)))
       END AS value,
       'warn 5 s, crit 1 min' AS threshold,
       CASE WHEN w.sessions > 0 THEN 'see who blocks them: action=locks' END AS hint
  FROM waiting AS w
 ORDER BY 1;
