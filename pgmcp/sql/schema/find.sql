-- Purpose: every object with one name, for pg_schema describe.   Needs: nothing.   Since: 15.
-- Parameters: $1 schema or NULL, $2 name, exactly as spelled.
-- visible tells whether PostgreSQL would find it without a schema; place is the order of preference.
WITH asked AS (
    SELECT $1::text AS schema, $2::text AS name
), objects AS (
    SELECT 1 AS place, 'relation' AS catalog, c.oid, c.relnamespace AS space, c.relname::text AS name,
           CASE WHEN c.relispartition AND c.relkind IN ('r', 'p', 'f') THEN 'partition'
                ELSE CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table'
                     WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                     WHEN 'S' THEN 'sequence' WHEN 't' THEN 'toast table' ELSE 'index' END
            END AS kind,
           NULL AS arguments, pg_catalog.pg_table_is_visible(c.oid) AS visible
      FROM pg_catalog.pg_class AS c
      JOIN asked
        ON c.relname = asked.name
     WHERE c.relkind <> 'c'
     UNION ALL
    SELECT 2, 'type', t.oid, t.typnamespace, t.typname::text,
           CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END,
           NULL, pg_catalog.pg_type_is_visible(t.oid)
      FROM pg_catalog.pg_type AS t
      JOIN asked
        ON t.typname = asked.name
      LEFT JOIN pg_catalog.pg_class AS c
        ON c.oid = t.typrelid
     WHERE t.typtype <> 'c' OR c.relkind = 'c'
     UNION ALL
    SELECT 3, 'routine', p.oid, p.pronamespace, p.proname::text,
           CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
           pg_catalog.oidvectortypes(p.proargtypes), pg_catalog.pg_function_is_visible(p.oid)
      FROM pg_catalog.pg_proc AS p
      JOIN asked
        ON p.proname = asked.name
     UNION ALL
    SELECT 4, 'schema', n.oid, n.oid, n.nspname::text, 'schema', NULL, true
      FROM pg_catalog.pg_namespace AS n
      JOIN asked
        ON n.nspname = asked.name
     UNION ALL
    SELECT 5, 'extension', e.oid, e.extnamespace, e.extname::text, 'extension', NULL, true
      FROM pg_catalog.pg_extension AS e
      JOIN asked
        ON e.extname = asked.name
)
SELECT o.place, o.catalog, o.oid::text AS oid, n.nspname::text AS schema, o.name, o.kind, o.arguments,
       o.visible,
       CASE WHEN o.catalog IN ('schema', 'extension') THEN pg_catalog.quote_ident(o.name)
            ELSE pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(o.name)
                 || coalesce('(' || o.arguments || ')', '')
        END AS shown
  FROM objects AS o
  JOIN pg_catalog.pg_namespace AS n
    ON n.oid = o.space
 CROSS JOIN asked
 WHERE asked.schema IS NULL
    OR n.nspname = asked.schema AND o.catalog <> 'schema'
 ORDER BY o.place, n.nspname, o.name, o.arguments
