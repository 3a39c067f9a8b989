-- Purpose: the extensions of this database.   Needs: nothing.   Since: 15.
-- Setting pgmcp.pattern: LIKE pattern in lower case.
SELECT e.extname AS name,
       e.extversion AS version,
       a.default_version AS newest,
       n.nspname AS schema,
       pg_catalog.pg_get_userbyid(e.extowner) AS owner,
       pg_catalog.obj_description(e.oid, 'pg_extension') AS comment
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
  LEFT JOIN pg_catalog.pg_available_extensions AS a ON a.name = e.extname
 WHERE pg_catalog.lower(e.extname) LIKE
       coalesce(nullif(pg_catalog.current_setting('pgmcp.pattern', true), ''), '%')
 ORDER BY e.extname;
