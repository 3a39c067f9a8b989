-- Purpose: what this session's role may do in this database, counted.   Needs: nothing.   Since: 15.
-- Of relations that are the users'; unread and written name at most five.
WITH seen AS (
  SELECT n.nspname, c.relname, c.relkind,
         pg_catalog.has_schema_privilege(n.oid, 'USAGE')
           AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS may_read,
         pg_catalog.has_schema_privilege(n.oid, 'USAGE')
           AND pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
           AS may_write,
         pg_catalog.pg_has_role(c.relowner, 'USAGE') AS is_owner
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
     AND n.nspname !~ '^pg_'::text AND n.nspname <> 'information_schema'
)
SELECT pg_catalog.count(*) AS relations,
       pg_catalog.count(*) FILTER (WHERE may_read) AS readable,
       pg_catalog.count(*) FILTER (WHERE may_write) AS writable,
       pg_catalog.count(*) FILTER (WHERE is_owner) AS owned,
       pg_catalog.array_to_string((pg_catalog.array_agg(nspname::text || '.' || relname::text
         ORDER BY nspname, relname) FILTER (WHERE NOT may_read))[1:5], ', ') AS unread,
       pg_catalog.array_to_string((pg_catalog.array_agg(nspname::text || '.' || relname::text
         ORDER BY nspname, relname) FILTER (WHERE may_write))[1:5], ', ') AS written,
       (SELECT pg_catalog.string_agg(n.nspname, ', ' ORDER BY n.nspname)
          FROM pg_catalog.pg_namespace AS n
         WHERE n.nspname !~ '^pg_'::text
           AND pg_catalog.has_schema_privilege(n.oid, 'CREATE')) AS creates_in,
       pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS reads_verifiers,
       pg_catalog.pg_has_role('pg_read_all_data', 'USAGE') AS reads_all,
       (SELECT pg_catalog.string_agg(f.name, ', ' ORDER BY f.name)
          FROM (SELECT p.oid::pg_catalog.regprocedure::pg_catalog.text AS name
                  FROM pg_catalog.pg_proc AS p
                  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
                 WHERE p.prosecdef AND n.nspname <> 'pg_catalog'
                   AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
                   AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                 ORDER BY 1
                 LIMIT 5) AS f) AS definers
  FROM seen;
