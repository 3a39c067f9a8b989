-- Purpose: the login roles that the gateway itself uses.   Needs: nothing.   Since: 15.
-- Parameter: $1 process ids of the gateway's connections, as an array.
SELECT session_user AS role
 UNION
SELECT a.usename
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.pid = ANY ($1::pg_catalog.int4[])
   AND a.usename IS NOT NULL
 ORDER BY 1;
