-- Purpose: the foreign keys of other tables that go with a table or column.   Needs: nothing.   Since: 15.
-- Parameters: $1 the table's oid, $2 the column's number or 0 for all.
SELECT pg_catalog.quote_ident(k.conname) || ' on ' || pg_catalog.quote_ident(n.nspname) || '.'
       || pg_catalog.quote_ident(c.relname) AS name
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE k.confrelid = $1::oid
   AND k.contype = 'f'
   AND k.conparentid = 0
   AND ($2::integer = 0 OR $2::integer = ANY (k.confkey))
   AND k.conrelid <> k.confrelid
 ORDER BY n.nspname, c.relname, k.conname;
