-- Purpose: function names, for the nearest to a misspelt one.   Needs: nothing.   Since: 15.
-- Units: none.
SELECT DISTINCT CASE WHEN n.nspname = 'pg_catalog' THEN '' ELSE n.nspname::text || '.' END || p.proname::text AS name
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
 WHERE n.nspname <> 'information_schema'
 ORDER BY name
 LIMIT 5000;
