-- Purpose: schema names, for the nearest to a misspelt one.   Needs: nothing.   Since: 15.
-- Units: none.
SELECT n.nspname AS name
  FROM pg_catalog.pg_namespace AS n
 WHERE n.nspname !~ '^pg_'::text
 ORDER BY n.nspname
 LIMIT 5000;
