-- Purpose: which function of pg_stat_statements resets in this database.   Needs: nothing.   Since: 15.
-- Another of that name may lie beside it, so its arguments are counted. Before version 1.7 it has none.
SELECT n.nspname AS schema,
       p.pronargs AS arguments
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_depend AS d
    ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
   AND d.refobjid = e.oid
   AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
   AND d.deptype = 'e'
  JOIN pg_catalog.pg_proc AS p ON p.oid = d.objid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
 WHERE e.extname = 'pg_stat_statements'
   AND p.proname = 'pg_stat_statements_reset'
   AND p.pronargs >= 3;
