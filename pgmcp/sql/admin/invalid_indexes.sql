-- Purpose: indexes that a failed build left behind, unusable but still kept up.   Needs: nothing.
-- Since: 15.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS identity
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE NOT i.indisvalid
   AND c.relkind = 'i'
 ORDER BY n.nspname, c.relname;
