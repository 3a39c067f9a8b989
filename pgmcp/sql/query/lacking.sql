-- Purpose: what the login role may not do with the relations of one name.   Needs: nothing.   Since: 15.
-- Parameter: $1 the name, without schema. Relations come as they would be found: visible ones first.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
       n.nspname AS schema,
       pg_catalog.quote_ident(current_user) AS role,
       c.relkind = 'S' AS is_sequence,
       CASE
         WHEN c.relkind = 'S'
           THEN pg_catalog.has_sequence_privilege(c.oid, 'USAGE')
         ELSE pg_catalog.has_table_privilege(c.oid, 'SELECT')
       END AS reads,
       c.relkind <> 'S' AND pg_catalog.has_table_privilege(c.oid, 'INSERT') AS inserts,
       c.relkind <> 'S' AND pg_catalog.has_table_privilege(c.oid, 'UPDATE') AS updates,
       c.relkind <> 'S' AND pg_catalog.has_table_privilege(c.oid, 'DELETE') AS deletes,
       c.relkind <> 'S' AND pg_catalog.has_table_privilege(c.oid, 'TRUNCATE') AS truncates
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relname = $1
   AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
   AND n.nspname !~ '^pg_(toast|temp)'::text
 ORDER BY pg_catalog.pg_table_is_visible(c.oid) DESC, n.nspname;
