-- Purpose: who runs or holds a transaction open, the oldest first.
-- Needs: pg_monitor.   Since: 14.
-- Units: seconds; query is cut at 300 characters, passwords in it are masked.
-- Pattern: pid, role, application, database, client, state, wait, backend or query; with one, idle
-- sessions show too, and processes of the server where it names their backend type.
WITH sessions AS (
  SELECT a.pid, a.datname::text AS database, a.usename::text AS role,
         a.application_name AS application, host(a.client_addr) AS client,
         coalesce(a.backend_type, 'client backend') AS backend,
         CASE
           WHEN a.query = '<insufficient privilege>' THEN 'hidden'
           ELSE coalesce(a.state, 'running')
         END AS state,
         a.xact_start, a.state_change,
         extract(epoch FROM clock_timestamp() - a.xact_start) AS xact_seconds,
         extract(epoch FROM clock_timestamp() - a.state_change) AS state_seconds,
         a.wait_event_type || ': ' || a.wait_event AS wait,
         CASE
           WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(a.pid)
         END AS blocked_by,
         CASE
           WHEN a.query = '' THEN ''
           WHEN a.query = '<insufficient privilege>'
             THEN 'hidden; GRANT pg_monitor TO ' || quote_ident(current_user)
           WHEN a.datname <> current_database()
             THEN 'in another database; call with database=' || a.datname
           -- Without what the gateway puts around a statement, and without passwords.
           ELSE regexp_replace(
                  regexp_replace(
                    a.query,
                    '^(SELECT [^\n]*\mc0\M[^\n]* FROM|WITH _pgmcp\([^\n]*) \(\n'
                      '(.*?)(\n\) (AS _pgmcp\(|SELECT ).*)?$',
                    '\2'),
                  $re$(password\s*)(=\s*('([^']|'')*('|$)|[^\s';)]+)|E?'([^']|'')*('|$))$re$,
                  '\1***', 'gi')
         END AS query
    FROM pg_catalog.pg_stat_activity AS a
   WHERE a.pid <> pg_backend_pid()
     AND (a.usesysid IS NOT NULL OR a.backend_type IS NOT NULL)
     AND coalesce(a.datname = ANY (
           nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
   UNION ALL
  SELECT NULL, p.database::text, p.owner::text, NULL, NULL, 'client backend',
         'prepared transaction', p.prepared, p.prepared,
         extract(epoch FROM clock_timestamp() - p.prepared),
         extract(epoch FROM clock_timestamp() - p.prepared), NULL, NULL,
         'COMMIT PREPARED or ROLLBACK PREPARED ' || quote_literal(p.gid)
    FROM pg_catalog.pg_prepared_xacts AS p
   WHERE coalesce(p.database = ANY (
           nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
), wanted AS (
  SELECT nullif(current_setting('pgmcp.pattern', true), '') AS pattern
)
SELECT s.pid, s.database, s.role, s.application, s.client, s.backend, s.state,
       round(s.xact_seconds, 1)::float8 AS xact_seconds,
       round(s.state_seconds, 1)::float8 AS state_seconds,
       s.wait, s.blocked_by,
       left(regexp_replace(s.query, '\s+', ' ', 'g'), 300) AS query
  FROM sessions AS s
 CROSS JOIN wanted AS w
 WHERE CASE
         WHEN w.pattern IS NULL THEN s.backend = 'client backend' AND s.state <> 'idle'
         WHEN s.backend ILIKE w.pattern THEN true
         ELSE s.backend = 'client backend'
              AND EXISTS (
                SELECT FROM unnest(ARRAY[s.pid::text, s.database, s.role, s.application, s.client,
                                         s.state, s.wait, s.query]) AS field
                 WHERE field ILIKE w.pattern)
       END
 ORDER BY s.state = 'hidden', s.xact_start NULLS LAST, s.state_change NULLS LAST, s.pid;
