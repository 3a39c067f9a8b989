-- Purpose: how many sessions wait for the locks of one.   Needs: nothing.   Since: 15.
-- Parameters: $1 the process id of that one.
SELECT pg_catalog.count(*) AS waiters
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.wait_event_type = 'Lock'
   AND $1::integer = ANY (pg_catalog.pg_blocking_pids(a.pid));
