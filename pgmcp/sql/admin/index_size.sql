-- Purpose: the size of one index, or of all indexes of one table.   Needs: nothing.   Since: 15.
-- Parameter: $1 the name as SQL text; REINDEX CONCURRENTLY gives an index a new oid.
SELECT pg_catalog.pg_size_pretty(
         CASE WHEN c.relkind IN ('i', 'I') THEN pg_catalog.pg_relation_size(c.oid)
              ELSE pg_catalog.pg_indexes_size(c.oid) END) AS size
  FROM pg_catalog.pg_class AS c
 WHERE c.oid = pg_catalog.to_regclass($1)::oid;
