-- Purpose: whether pg_stat_statements is loaded, and where it was created.
-- Needs: nothing.   Since: 14.
-- Units: none; schema and version are NULL where it was not created in this database.
SELECT EXISTS (
         SELECT FROM pg_catalog.pg_settings AS s
          -- A value in postgresql.conf alone makes a setting of context user.
          WHERE s.name = 'pg_stat_statements.max' AND s.context = 'postmaster') AS is_loaded,
       n.nspname AS schema, has_schema_privilege(n.oid, 'USAGE') AS is_open, e.extversion AS version
  FROM (VALUES ('pg_stat_statements')) AS wanted (name)
  LEFT JOIN pg_catalog.pg_extension AS e ON e.extname = wanted.name
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
 ORDER BY wanted.name;
