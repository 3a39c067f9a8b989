-- Purpose: what PostgreSQL would refuse at the next reload.
-- Needs: superuser, or EXECUTE on pg_show_all_file_settings() and SELECT on the view.   Since: 15.
-- A changed setting that only a restart applies is no error here.
SELECT f.sourcefile || ':' || f.sourceline::pg_catalog.text AS place,
       f.name AS setting,
       f.error
  FROM pg_catalog.pg_file_settings AS f
  LEFT JOIN pg_catalog.pg_settings AS s ON pg_catalog.lower(s.name) = pg_catalog.lower(f.name)
 WHERE f.error IS NOT NULL
   AND s.context IS DISTINCT FROM 'postmaster'
 ORDER BY f.seqno;
