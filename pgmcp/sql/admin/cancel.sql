-- Purpose: cancel what one session is running.   Needs: the same role, or pg_signal_backend.   Since: 15.
-- Parameters: $1 pid, $2 its backend_start: another session may have got the pid meanwhile.
SELECT pg_catalog.pg_cancel_backend(a.pid) AS sent
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.pid = $1::pg_catalog.int4
   AND a.backend_start = $2::pg_catalog.timestamptz
   AND a.backend_type = 'client backend';
