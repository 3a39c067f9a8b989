-- Purpose: the foreign keys that point at a table.   Needs: nothing.   Since: 15.
-- Parameters: $1 the table's oid. Those of partitions are told once, by their partitioned table.
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS "table",
       k.conname AS name,
       pg_catalog.pg_get_constraintdef(k.oid, true) AS definition
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS c
    ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace AS n
    ON n.oid = c.relnamespace
 WHERE k.confrelid = $1::oid
   AND k.contype = 'f'
   AND k.conparentid = 0::oid
 ORDER BY n.nspname, c.relname, k.conname
