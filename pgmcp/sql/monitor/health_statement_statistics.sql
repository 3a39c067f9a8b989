-- Purpose: whether action=slow_queries has anything to read.   Needs: nothing.   Since: 14.
-- Units: none.
WITH extension AS (
  SELECT EXISTS (SELECT FROM pg_catalog.pg_settings AS s
                  WHERE s.name = 'pg_stat_statements.max' AND s.context = 'postmaster')
           AS is_loaded,
         EXISTS (SELECT FROM pg_catalog.pg_extension AS e
                  WHERE e.extname = 'pg_stat_statements') AS is_created
)
SELECT 'statement statistics' AS "check",
       CASE WHEN e.is_loaded AND e.is_created THEN 'ok' ELSE 'warn' END AS status,
       CASE
         WHEN NOT e.is_loaded THEN 'pg_stat_statements is not loaded'
         WHEN NOT e.is_created
           THEN 'pg_stat_statements is not created in ' || current_database()
         ELSE 'pg_stat_statements is there'
       END AS value,
       NULL AS threshold,
       CASE
         WHEN NOT e.is_loaded OR NOT e.is_created THEN 'action=slow_queries says what enables it'
       END AS hint
  FROM extension AS e
 ORDER BY 1;
