-- Purpose: names that FROM can mean, for the nearest to a misspelt one.   Needs: nothing.   Since: 15.
-- Units: none.
SELECT n.nspname::text || '.' || c.relname::text AS name
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND n.nspname !~ '^pg_(toast|temp)'::text
   AND n.nspname <> 'information_schema'
 ORDER BY n.nspname, c.relname
 LIMIT 5000;
