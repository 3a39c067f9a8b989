-- Purpose: one backend, before it is cancelled or ended.   Needs: pg_read_all_stats for other roles'.
-- Parameter: $1 the pid.   Units: age in seconds.   Since: 15.
SELECT a.pid,
       a.backend_start,
       a.backend_type,
       a.datname AS database,
       a.usename AS role,
       a.application_name AS application,
       a.state,
       pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.xact_start)::pg_catalog.int8
         AS transaction_seconds,
       pg_catalog.left(pg_catalog.regexp_replace(a.query, '\s+', ' ', 'g'), 100) AS query
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.pid = $1::pg_catalog.int4;
