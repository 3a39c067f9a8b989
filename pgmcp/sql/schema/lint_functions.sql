-- Purpose: which of the functions that DDL calls give another value for each row.   Needs: nothing.   Since: 15.
-- Parameters: $1 their names as text[], without schema; one volatile function of a name is enough.
SELECT DISTINCT p.proname AS name
  FROM pg_catalog.pg_proc AS p
 WHERE p.proname = ANY ($1::text[])
   AND p.provolatile = 'v'
 ORDER BY p.proname
