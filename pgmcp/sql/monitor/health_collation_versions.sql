-- Purpose: databases whose operating system sorts text differently now.
-- Needs: nothing.   Since: 15.
-- Units: none.
WITH changed AS (
  SELECT string_agg(d.datname, ', ' ORDER BY d.datname) AS names
    FROM pg_catalog.pg_database AS d
   WHERE d.datallowconn
     AND coalesce(d.datname = ANY (
           nullif(current_setting('pgmcp.databases', true), '')::text[]), true)
     AND d.datcollversion <> pg_database_collation_actual_version(d.oid)
)
SELECT 'collation versions' AS "check",
       CASE WHEN c.names IS NULL THEN 'ok' ELSE 'crit' END AS status,
       coalesce(c.names, 'none changed') AS value, 'crit from 1' AS threshold,
       CASE
         WHEN c.names IS NOT NULL
           THEN 'indexes on text may miss rows: pg_admin action=reindex, then ALTER DATABASE … '
                'REFRESH COLLATION VERSION'
       END AS hint
  FROM changed AS c
 ORDER BY 1;
