-- Purpose: the extensions beside the sample shop.
-- Needs: a superuser, an empty database.   Since: 15.
-- Statistics of statements exist only where the server has preloaded the library.
DO $$
BEGIN
  IF current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%' THEN
    CREATE EXTENSION pg_stat_statements WITH SCHEMA public;
  END IF;
END
$$;
