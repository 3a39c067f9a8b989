-- Purpose: the extended statistics of a table.   Needs: nothing.   Since: 15.
-- Parameters: $1 the table's oid.
SELECT s.stxname AS name, pg_catalog.pg_get_statisticsobjdef(s.oid) AS definition
  FROM pg_catalog.pg_statistic_ext AS s
 WHERE s.stxrelid = $1::oid
 ORDER BY s.stxname
