-- Purpose: sessions that hold a transaction open and do nothing.   Needs: pg_monitor.   Since: 14.
-- Units: named in the value.
WITH idle AS (
  SELECT count(*) AS sessions, (array_agg(a.pid ORDER BY a.state_change))[1] AS pid,
         coalesce(extract(epoch FROM clock_timestamp() - min(a.state_change)), 0) AS seconds
    FROM pg_catalog.pg_stat_activity AS a
   WHERE a.state LIKE 'idle in transaction%'
     AND coalesce(a.datname = ANY (
           nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
)
SELECT 'idle in transaction' AS "check",
       CASE
         WHEN i.seconds >= 600 THEN 'crit'
         WHEN i.seconds >= 60 THEN 'warn'
         WHEN NOT pg_has_role('pg_read_all_stats', 'USAGE') THEN 'unknown'
         ELSE 'ok'
       END AS status,
       CASE
         WHEN i.sessions = 0 THEN 'none'
         ELSE format('%s, longest pid %s, %s', i.sessions, i.pid,
                     justify_interval(make_interval(secs => round(i.seconds)::float8)))
       END AS value,
       'warn 1 min, crit 10 min' AS threshold,
       CASE
         WHEN i.seconds >= 60
           THEN 'its application forgot COMMIT: pg_admin action=terminate pid=' || i.pid
                || '; idle_in_transaction_session_timeout is '
                || current_setting('idle_in_transaction_session_timeout')
         WHEN NOT pg_has_role('pg_read_all_stats', 'USAGE')
           THEN 'other roles are hidden; GRANT pg_monitor TO ' || quote_ident(current_user)
       END AS hint
  FROM idle AS i
 ORDER BY 1;
