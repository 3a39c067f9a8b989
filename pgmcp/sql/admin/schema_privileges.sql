-- Purpose: how many objects of one kind a schema holds, and a fingerprint of their privileges.
-- Needs: nothing.   Since: 15.   Parameters: $1 tables, sequences or routines; $2 the schema.
WITH object(acl, oid) AS (
  SELECT c.relacl, c.oid
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   WHERE n.nspname = $2
     AND (($1 = 'tables' AND c.relkind IN ('r', 'v', 'm', 'f', 'p'))
          OR ($1 = 'sequences' AND c.relkind = 'S'))
   UNION ALL
  SELECT p.proacl, p.oid
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
   WHERE n.nspname = $2
     AND ($1 = 'routines' OR ($1 = 'functions' AND p.prokind <> 'p')
          OR ($1 = 'procedures' AND p.prokind = 'p'))
)
SELECT pg_catalog.count(*) AS objects,
       pg_catalog.string_agg(coalesce(o.acl::pg_catalog.text, '-'), ';' ORDER BY o.oid) AS acl
  FROM object AS o;
