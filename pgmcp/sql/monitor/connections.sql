-- Purpose: who holds connections, against the limit; the first row is the sum.
-- Needs: pg_monitor.   Since: 14.
-- Units: sessions; percent of the limit that ordinary roles have; seconds.
-- Pattern: database, role, application or client; the first row then sums what matches.
WITH allowed AS (
  SELECT current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true)::int, 0) AS limit_sessions
), sessions AS (
  SELECT coalesce(a.datname::text, '(none)') AS database, a.usename::text AS role,
         coalesce(a.application_name, '') AS application,
         coalesce(host(a.client_addr), 'local or hidden') AS client,
         a.query = '<insufficient privilege>' AS is_hidden,
         coalesce(a.state, '') AS state, a.backend_start, s.ssl
    FROM pg_catalog.pg_stat_activity AS a
    LEFT JOIN pg_catalog.pg_stat_ssl AS s ON s.pid = a.pid
   WHERE coalesce(a.backend_type, 'client backend') = 'client backend'
     AND a.usesysid IS NOT NULL
     AND coalesce(a.datname = ANY (
           nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
), matching AS (
  SELECT s.database, s.role, s.application, s.client, s.is_hidden, s.state, s.backend_start, s.ssl
    FROM sessions AS s
   WHERE EXISTS (
           SELECT FROM unnest(ARRAY[s.database, s.role, s.application, s.client]) AS field
            WHERE field ILIKE coalesce(nullif(current_setting('pgmcp.pattern', true), ''), '%'))
)
SELECT CASE WHEN grouping(m.database) = 1 THEN '(all)' ELSE m.database END AS database,
       m.role, m.application, m.client,
       count(*) AS sessions,
       count(*) FILTER (WHERE m.state LIKE 'active%' OR m.state LIKE 'fastpath%') AS active,
       count(*) FILTER (WHERE m.state LIKE 'idle in transaction%') AS idle_in_transaction,
       count(*) FILTER (WHERE m.state = 'idle') AS idle,
       count(*) FILTER (WHERE m.is_hidden) AS state_hidden,
       count(*) FILTER (WHERE m.ssl) AS encrypted,
       round(extract(epoch FROM clock_timestamp() - min(m.backend_start)))::bigint
         AS oldest_seconds,
       a.limit_sessions,
       round(100.0 * count(*) / a.limit_sessions, 1)::float8 AS percent_of_limit
  FROM matching AS m
 CROSS JOIN allowed AS a
 GROUP BY GROUPING SETS ((a.limit_sessions),
                         (a.limit_sessions, m.database, m.role, m.application, m.client))
 ORDER BY grouping(m.database) DESC, sessions DESC, database, m.role, m.application, m.client;
