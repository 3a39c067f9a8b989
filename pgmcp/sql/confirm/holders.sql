-- Purpose: whose locks a statement would wait for.   Needs: nothing; without pg_monitor less is told of others.   Since: 15.
-- Parameters: $1 oids of the relations as text[], $2 the mode it needs, such as AccessExclusiveLock.
-- Units: seconds since the holder's transaction began.
-- Partitions, heirs and the table of an index count. Who changes rows holds up only those that it
-- has changed or locked: is_certain is false there. Autovacuum gives way by itself, except where
-- transaction ids run out.
WITH RECURSIVE family AS (
    SELECT given.oid
      FROM pg_catalog.unnest($1::oid[]) AS given(oid)
     UNION
    SELECT h.inhrelid
      FROM family
      JOIN pg_catalog.pg_inherits AS h ON h.inhparent = family.oid
), needed AS (
    SELECT family.oid
      FROM family
     UNION
    SELECT i.indrelid
      FROM family
      JOIN pg_catalog.pg_index AS i ON i.indexrelid = family.oid
), held AS (
    SELECT l.pid, l.mode, l.relation,
           CASE $2::text
           WHEN 'AccessExclusiveLock' THEN true
           WHEN 'RowExclusiveLock'
           THEN l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
           ELSE l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
           END AS is_certain
      FROM pg_catalog.pg_locks AS l
      JOIN needed ON needed.oid = l.relation
      JOIN pg_catalog.pg_database AS d ON d.oid = l.database
     WHERE d.datname = pg_catalog.current_database()
       AND l.locktype = 'relation'
       AND l.granted
       AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
)
SELECT held.pid, pg_catalog.bool_or(held.is_certain) AS is_certain,
       pg_catalog.string_agg(DISTINCT held.mode || ' on ' || pg_catalog.quote_ident(n.nspname) || '.'
                             || pg_catalog.quote_ident(c.relname), ', ') AS holds,
       pg_catalog.min(a.application_name) AS application, pg_catalog.min(a.usename::text) AS role, pg_catalog.min(a.state) AS state,
       extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.min(a.xact_start))::bigint AS seconds
  FROM held
  JOIN pg_catalog.pg_class AS c ON c.oid = held.relation
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = held.pid
 WHERE (held.is_certain
        OR $2::text = 'RowExclusiveLock' AND held.mode IN ('RowShareLock', 'RowExclusiveLock'))
   AND (a.backend_type = 'autovacuum worker' AND a.query NOT LIKE '%(to prevent wraparound)') IS NOT TRUE
 GROUP BY held.pid
 ORDER BY is_certain DESC, pg_catalog.min(a.xact_start) NULLS LAST, held.pid;
