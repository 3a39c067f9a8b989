-- Purpose: the names that a caller may have meant.   Needs: nothing.   Since: 15.
-- Parameters: $1 schema to prefer, or NULL.   Units: at most 2,000 names, as comparing them takes time.
WITH names AS (
    SELECT 1 AS place, c.relnamespace AS space, c.relname::text AS name, NULL AS parent, '' AS kind
      FROM pg_catalog.pg_class AS c
     WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
       AND NOT c.relispartition
     UNION ALL
    SELECT 2, t.typnamespace, t.typname::text, NULL, ''
      FROM pg_catalog.pg_type AS t
     WHERE t.typtype IN ('d', 'e', 'r')
     UNION ALL
    SELECT 3, p.pronamespace, p.proname::text, NULL, ''
      FROM pg_catalog.pg_proc AS p
     UNION ALL
    SELECT 4, c.relnamespace, c.relname::text, t.relname::text, 'an index'
      FROM pg_catalog.pg_index AS x
      JOIN pg_catalog.pg_class AS c
        ON c.oid = x.indexrelid
      JOIN pg_catalog.pg_class AS t
        ON t.oid = x.indrelid
     WHERE NOT c.relispartition
     UNION ALL
    SELECT 5, c.relnamespace, k.conname::text, c.relname::text, 'a constraint'
      FROM pg_catalog.pg_constraint AS k
      JOIN pg_catalog.pg_class AS c
        ON c.oid = k.conrelid
     WHERE NOT c.relispartition
       AND k.contype IN ('c', 'f', 'p', 'u', 'x')
     UNION ALL
    SELECT 6, c.relnamespace, g.tgname::text, c.relname::text, 'a trigger'
      FROM pg_catalog.pg_trigger AS g
      JOIN pg_catalog.pg_class AS c
        ON c.oid = g.tgrelid
     WHERE NOT g.tgisinternal
     UNION ALL
    SELECT 7, c.relnamespace, p.polname::text, c.relname::text, 'a policy'
      FROM pg_catalog.pg_policy AS p
      JOIN pg_catalog.pg_class AS c
        ON c.oid = p.polrelid
     UNION ALL
    SELECT 8, n.oid, NULL, NULL, ''
      FROM pg_catalog.pg_namespace AS n
)
SELECT DISTINCT a.place, n.nspname::text AS schema, coalesce(a.name, n.nspname::text) AS name, a.kind,
       CASE WHEN a.name IS NULL THEN pg_catalog.quote_ident(n.nspname)
            WHEN a.parent IS NULL THEN pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(a.name)
            ELSE pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(a.parent)
        END AS shown,
       n.nspname = $1::text IS TRUE AS preferred
  FROM names AS a
  JOIN pg_catalog.pg_namespace AS n
    ON n.oid = a.space
 WHERE n.nspname !~ '^pg_'::text
   AND n.nspname <> 'information_schema'
    OR n.nspname = $1::text
 ORDER BY preferred DESC, a.place, schema, name
 LIMIT 2000
