-- Purpose: lines of pg_hba.conf that PostgreSQL cannot use.
-- Needs: superuser, or EXECUTE on pg_hba_file_rules() and SELECT on the view.   Since: 15.
SELECT 'pg_hba.conf:' || h.line_number::pg_catalog.text AS place,
       NULL AS setting,
       h.error
  FROM pg_catalog.pg_hba_file_rules AS h
 WHERE h.error IS NOT NULL
 ORDER BY h.line_number;
