-- Purpose: what a relation is called, as PostgreSQL resolves it.   Needs: nothing.   Since: 15.
-- Parameters: $1 the name as written, quoted.
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name,
       c.oid
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.oid = pg_catalog.to_regclass($1)::oid;
