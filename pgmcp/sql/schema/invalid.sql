-- Purpose: indexes that a failed CONCURRENTLY has left behind.   Needs: nothing.   Since: 15.
-- Parameters: $1 the table's name, quoted, or NULL for every table.
SELECT x.indexrelid::text AS oid,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name
  FROM pg_catalog.pg_index AS x
  JOIN pg_catalog.pg_class AS c
    ON c.oid = x.indexrelid
  JOIN pg_catalog.pg_namespace AS n
    ON n.oid = c.relnamespace
 WHERE NOT x.indisvalid
   AND c.relkind = 'i'
   AND ($1::text IS NULL OR x.indrelid = pg_catalog.to_regclass($1::text)::oid)
 ORDER BY n.nspname, c.relname
