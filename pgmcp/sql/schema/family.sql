-- Purpose: what a table inherits from and what inherits from it, partitions included.   Needs: nothing.   Since: 15.
-- Parameters: $1 the table's oid.   Units: rows is an estimate; NULL: never analysed.
-- The bound of a partition that somebody holds locked is NULL, because reading it would wait.
WITH busy AS MATERIALIZED (
    SELECT l.relation AS oid
      FROM pg_catalog.pg_locks AS l
     WHERE l.locktype = 'relation'
       AND l.mode = 'AccessExclusiveLock'
       AND l.pid <> pg_catalog.pg_backend_pid()
)
SELECT role.name AS role,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name,
       bound.text AS bound,
       CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS partition_key,
       CASE WHEN c.relkind = 'r' AND c.reltuples >= 0::real THEN c.reltuples::bigint END AS rows
  FROM pg_catalog.pg_inherits AS i
 CROSS JOIN LATERAL (
       SELECT CASE WHEN i.inhrelid = $1::oid THEN i.inhparent ELSE i.inhrelid END AS oid) AS other
  JOIN pg_catalog.pg_class AS child
    ON child.oid = i.inhrelid
  JOIN pg_catalog.pg_class AS c
    ON c.oid = other.oid
  JOIN pg_catalog.pg_namespace AS n
    ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (
       SELECT CASE WHEN i.inhrelid = $1::oid AND child.relispartition THEN 'partition of'
                   WHEN i.inhrelid = $1::oid THEN 'inherits'
                   WHEN child.relispartition THEN 'partition'
                   ELSE 'inherited by'
               END AS name) AS role
 CROSS JOIN LATERAL (
       SELECT CASE WHEN role.name = 'partition' AND c.oid NOT IN (SELECT b.oid FROM busy AS b)
                   THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid)
               END AS text) AS bound
 WHERE $1::oid IN (i.inhrelid, i.inhparent)
   AND child.relkind IN ('r', 'p', 'f')
 ORDER BY role.name, i.inhseqno, bound.text = 'DEFAULT', n.nspname, c.relname
