-- Purpose: the names of all schemas.   Needs: nothing.   Since: 15.
SELECT n.nspname AS name
  FROM pg_catalog.pg_namespace AS n
 WHERE n.nspname !~ '^pg_(toast|temp)'::text
    OR n.oid = pg_catalog.pg_my_temp_schema()
 ORDER BY n.nspname
