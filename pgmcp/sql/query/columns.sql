-- Purpose: columns of the tables that a statement names, for the nearest to a misspelt one.   Needs: nothing.   Since: 15.
-- Units: none.   Parameters: $1 the tables' names without their schemas; null: all of users.
SELECT DISTINCT c.relname::text || '.' || a.attname::text AS name
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
 WHERE CASE
           WHEN $1::text[] IS NULL THEN c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
           ELSE c.relname = ANY ($1)
       END
   AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND a.attnum > 0
   AND NOT a.attisdropped
 ORDER BY name
 LIMIT 5000;
