-- Purpose: who is connected to one database.   Needs: pg_read_all_stats for the details.   Since: 15.
-- Parameter: $1 the database's name. backend_start is exact, to the microsecond.
SELECT a.pid,
       a.usename AS role,
       a.application_name AS application,
       coalesce(pg_catalog.host(a.client_addr), 'socket') AS client,
       a.state,
       a.backend_start
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datname = $1
   AND a.backend_type = 'client backend'
   AND a.pid <> pg_catalog.pg_backend_pid()
 ORDER BY a.backend_start, a.pid;
