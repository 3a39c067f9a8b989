-- Purpose: a table with all its partitions; pg_dump takes each by name.   Needs: nothing.   Since: 15.
-- Parameter: $1 the table's oid.
SELECT n.nspname AS schema,
       c.relname AS name
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.oid = $1::pg_catalog.oid
    OR c.oid IN (SELECT t.relid::pg_catalog.oid FROM pg_catalog.pg_partition_tree($1::pg_catalog.oid) AS t)
 ORDER BY n.nspname, c.relname;
