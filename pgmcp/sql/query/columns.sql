-- Purpose: columns of the tables, for the nearest to a misspelt one.   Needs: nothing.   Since: 15.
-- Units: none.
SELECT DISTINCT c.relname || '.' || a.attname AS name
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND a.attnum > 0
   AND NOT a.attisdropped
   AND n.nspname !~ '^pg_'
   AND n.nspname <> 'information_schema'
 ORDER BY name
 LIMIT 5000;
