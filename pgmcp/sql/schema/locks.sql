-- Purpose: the locks on relations that this session holds, for a dry run.   Needs: nothing.   Since: 15.
-- Reading locks are left out; so are the system's own relations.
SELECT l.relation::text AS oid,
       l.mode,
       c.relfilenode::text AS filenode,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS shown
  FROM pg_catalog.pg_locks AS l
  LEFT JOIN pg_catalog.pg_class AS c
    ON c.oid = l.relation
  LEFT JOIN pg_catalog.pg_namespace AS n
    ON n.oid = c.relnamespace
 WHERE l.pid = pg_catalog.pg_backend_pid()
   AND l.locktype = 'relation'
   AND l.relation >= 16384::oid
   AND l.mode <> 'AccessShareLock'
   AND l.granted
 ORDER BY l.relation, l.mode
