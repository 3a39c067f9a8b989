-- Purpose: the disk size of this database.   Needs: CONNECT on it.   Since: 14.
-- Units: named in the value.
SELECT 'database size' AS "check", 'ok' AS status,
       format('%s: %s', current_database(), pg_size_pretty(pg_database_size(current_database())))
         AS value,
       NULL AS threshold, 'action=databases and action=tables say what takes it' AS hint
 ORDER BY 1;
