-- Purpose: indexes of this database that queries cannot use.   Needs: nothing.   Since: 14.
-- Units: indexes; those being built are not counted.
WITH broken AS (
  SELECT count(*) AS indexes, min(format('%I.%I', n.nspname, c.relname)) AS name
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   WHERE NOT i.indisvalid
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p
                      WHERE p.index_relid = i.indexrelid)
)
SELECT 'invalid indexes' AS "check",
       CASE WHEN b.indexes > 0 THEN 'warn' ELSE 'ok' END AS status,
       CASE
         WHEN b.indexes = 0 THEN 'none'
         ELSE format('%s, such as %s', b.indexes, b.name)
       END AS value,
       'warn from 1' AS threshold,
       CASE
         WHEN b.indexes > 0
           THEN 'a CREATE INDEX CONCURRENTLY failed: action=indexes says what to do'
       END AS hint
  FROM broken AS b
 ORDER BY 1;
