-- Purpose: whether pg_stat_statements can be created in this database, and is not there yet.
-- Needs: nothing.   Since: 15.
-- It is loaded where shared_preload_libraries has it: a value in postgresql.conf alone makes a
-- setting of context user.
SELECT EXISTS (SELECT FROM pg_catalog.pg_settings AS s
                WHERE s.name = 'pg_stat_statements.max' AND s.context = 'postmaster') AS is_loaded,
       EXISTS (SELECT FROM pg_catalog.pg_available_extensions AS a
                WHERE a.name = 'pg_stat_statements') AS is_available,
       EXISTS (SELECT FROM pg_catalog.pg_extension AS e
                WHERE e.extname = 'pg_stat_statements') AS is_created,
       EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'public') AS has_public,
       r.rolsuper AS may_act
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname = current_user;
