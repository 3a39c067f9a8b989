-- Purpose: the transaction that is open longest, prepared ones included.
-- Needs: pg_monitor.   Since: 14.
-- Units: named in the value.
-- An old transaction keeps VACUUM from removing what died after it began.
WITH transactions AS (
  SELECT 'pid ' || a.pid AS name, a.xact_start AS began,
         format('action=activity pattern=%s shows it; pg_admin action=terminate pid=%s ends it',
                a.pid, a.pid) AS hint
    FROM pg_catalog.pg_stat_activity AS a
   WHERE a.backend_type = 'client backend'
     AND a.xact_start IS NOT NULL
     AND a.pid <> pg_backend_pid()
     AND coalesce(a.datname = ANY (
           nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
   UNION ALL
  SELECT 'prepared ' || p.gid, p.prepared,
         'COMMIT PREPARED or ROLLBACK PREPARED ' || quote_literal(p.gid)
    FROM pg_catalog.pg_prepared_xacts AS p
   WHERE coalesce(p.database = ANY (
           nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
), oldest AS (
  SELECT t.name, t.hint, extract(epoch FROM clock_timestamp() - t.began) AS seconds
    FROM transactions AS t
   ORDER BY t.began
   LIMIT 1
)
SELECT 'oldest transaction' AS "check",
       CASE
         WHEN o.seconds >= 3600 THEN 'crit'
         WHEN o.seconds >= 600 THEN 'warn'
         WHEN NOT m.sees_all THEN 'unknown'
         ELSE 'ok'
       END AS status,
       coalesce(o.name || ', ' || justify_interval(make_interval(secs => round(o.seconds)::float8)),
                'none') AS value,
       'warn 10 min, crit 1 h' AS threshold,
       CASE
         WHEN o.seconds >= 600 THEN o.hint
         WHEN NOT m.sees_all
           THEN 'other roles are hidden; GRANT pg_monitor TO ' || quote_ident(current_user)
       END AS hint
  FROM (SELECT pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all) AS m
  LEFT JOIN oldest AS o ON true
 ORDER BY 1;
