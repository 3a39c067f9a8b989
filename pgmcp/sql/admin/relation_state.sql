-- Purpose: size and row counts of one relation, before and after maintenance.   Needs: nothing.
-- Parameter: $1 the relation's oid.   Units: size as text with unit; rows are estimates.   Since: 15.
SELECT pg_catalog.pg_size_pretty(pg_catalog.pg_total_relation_size(c.oid)) AS size,
       CASE WHEN c.reltuples < 0::real THEN NULL ELSE c.reltuples::pg_catalog.int8 END AS rows,
       pg_catalog.pg_stat_get_dead_tuples(c.oid) AS dead_rows
  FROM pg_catalog.pg_class AS c
 WHERE c.oid = $1::pg_catalog.oid;
