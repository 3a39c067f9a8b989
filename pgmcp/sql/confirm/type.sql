-- Purpose: what a type is called, as PostgreSQL resolves it.   Needs: nothing.   Since: 15.
-- Parameters: $1 the name as written, quoted.
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.typname) AS name,
       t.oid
  FROM pg_catalog.pg_type AS t
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
 WHERE t.oid = pg_catalog.to_regtype($1)::oid;
