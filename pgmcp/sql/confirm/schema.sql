-- Purpose: a schema's oid, and its name as SQL.   Needs: nothing.   Since: 15.
-- Parameters: $1 the name as written, quoted.
SELECT pg_catalog.quote_ident(n.nspname) AS name, n.oid
  FROM pg_catalog.pg_namespace AS n
 WHERE n.oid = pg_catalog.to_regnamespace($1)::oid;
