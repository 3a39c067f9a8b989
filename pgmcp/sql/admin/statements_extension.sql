-- Purpose: where pg_stat_statements lives in this database.   Needs: nothing.   Since: 15.
SELECT n.nspname AS schema
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
 WHERE e.extname = 'pg_stat_statements';
