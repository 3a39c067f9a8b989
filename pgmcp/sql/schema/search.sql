-- Purpose: everything whose name or comment fits a pattern, for pg_schema search.   Needs: nothing.   Since: 15.
-- Parameters: $1 ILIKE pattern, $2 schema or NULL, $3 kinds (text[]) or NULL for all, $4 the pattern's plain
-- words, which an exact name equals. System schemas are searched only where $2 names one.
-- The definition of a constraint is NULL while its table is locked, because reading it would wait.
WITH asked AS (
    SELECT $1::text AS pattern, $2::text AS schema, $3::text[] AS kinds, $4::text AS exact
), spaces AS (
    SELECT n.oid, n.nspname::text AS schema
      FROM pg_catalog.pg_namespace AS n
     CROSS JOIN asked
     WHERE CASE WHEN asked.schema IS NULL
                THEN n.nspname !~ '^pg_'::text AND n.nspname <> 'information_schema'
                     OR n.oid = pg_catalog.pg_my_temp_schema()
                ELSE n.nspname = asked.schema
            END
), busy AS MATERIALIZED (
    SELECT l.relation AS oid
      FROM pg_catalog.pg_locks AS l
     WHERE l.locktype = 'relation'
       AND l.mode = 'AccessExclusiveLock'
       AND l.pid <> pg_catalog.pg_backend_pid()
), relations AS (
    SELECT c.oid, c.relkind, s.schema, c.relname::text AS name, c.relispartition,
           CASE WHEN c.relispartition AND c.relkind IN ('r', 'p', 'f') THEN 'partition'
                ELSE CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table'
                     WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                     WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'composite type' ELSE 'index' END
            END AS kind
      FROM pg_catalog.pg_class AS c
      JOIN spaces AS s
        ON s.oid = c.relnamespace
     WHERE c.relkind <> 't'
), objects AS (
    SELECT r.kind, r.schema, NULL AS parent, r.name, NULL AS detail,
           pg_catalog.obj_description(r.oid, 'pg_class') AS comment
      FROM relations AS r
     WHERE r.relkind <> 'c'
       AND NOT (r.relkind IN ('i', 'I') AND r.relispartition)
     UNION ALL
    SELECT 'column', r.schema, r.name, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
           pg_catalog.col_description(a.attrelid, a.attnum)
      FROM relations AS r
      JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = r.oid
       AND a.attnum > 0
       AND NOT a.attisdropped
     WHERE r.relkind IN ('r', 'p', 'f', 'v', 'm', 'c')
       AND NOT r.relispartition
     UNION ALL
    SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
           s.schema, NULL, p.proname,
           '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')'
           || coalesce(' returns ' || pg_catalog.pg_get_function_result(p.oid), ''),
           pg_catalog.obj_description(p.oid, 'pg_proc')
      FROM pg_catalog.pg_proc AS p
      JOIN spaces AS s
        ON s.oid = p.pronamespace
     UNION ALL
    SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, s.schema, NULL, t.typname,
           CASE t.typtype
                WHEN 'e' THEN 'enum: ' || (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                                             FROM pg_catalog.pg_enum AS e
                                            WHERE e.enumtypid = t.oid)
                WHEN 'd' THEN 'over ' || pg_catalog.format_type(t.typbasetype, t.typtypmod)
                WHEN 'c' THEN 'composite'
                WHEN 'r' THEN 'range'
            END,
           pg_catalog.obj_description(t.oid, 'pg_type')
      FROM pg_catalog.pg_type AS t
      JOIN spaces AS s
        ON s.oid = t.typnamespace
      LEFT JOIN pg_catalog.pg_class AS c
        ON c.oid = t.typrelid
     WHERE t.typtype IN ('d', 'e', 'r')
        OR t.typtype = 'c' AND c.relkind = 'c'
        OR t.typtype = 'b' AND t.typcategory <> 'A'
     UNION ALL
    SELECT 'constraint', r.schema, r.name, k.conname,
           CASE WHEN r.oid NOT IN (SELECT b.oid FROM busy AS b)
                THEN pg_catalog.pg_get_constraintdef(k.oid, true)
            END,
           pg_catalog.obj_description(k.oid, 'pg_constraint')
      FROM relations AS r
      JOIN pg_catalog.pg_constraint AS k
        ON k.conrelid = r.oid
     WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
       AND NOT r.relispartition
     UNION ALL
    SELECT 'trigger', r.schema, r.name, g.tgname, NULL, pg_catalog.obj_description(g.oid, 'pg_trigger')
      FROM relations AS r
      JOIN pg_catalog.pg_trigger AS g
        ON g.tgrelid = r.oid
     WHERE NOT g.tgisinternal
       AND g.tgparentid = 0::oid
     UNION ALL
    SELECT 'policy', r.schema, r.name, p.polname, NULL, pg_catalog.obj_description(p.oid, 'pg_policy')
      FROM relations AS r
      JOIN pg_catalog.pg_policy AS p
        ON p.polrelid = r.oid
     UNION ALL
    SELECT 'schema', s.schema, NULL, NULL, NULL, pg_catalog.obj_description(s.oid, 'pg_namespace')
      FROM spaces AS s
     UNION ALL
    SELECT 'extension', NULL, NULL, e.extname, e.extversion, pg_catalog.obj_description(e.oid, 'pg_extension')
      FROM pg_catalog.pg_extension AS e
), named AS (
    SELECT o.*, coalesce(o.name, o.schema) AS own,
           pg_catalog.concat_ws('.', pg_catalog.quote_ident(o.schema), pg_catalog.quote_ident(o.parent),
                                pg_catalog.quote_ident(o.name)) AS shown,
           pg_catalog.concat_ws('.', o.schema, o.parent, o.name) AS spelled
      FROM objects AS o
)
SELECT n.kind, n.shown AS name, n.detail, n.comment
  FROM named AS n
 CROSS JOIN asked
 WHERE (asked.kinds IS NULL OR n.kind = ANY (asked.kinds))
   AND (n.own ILIKE asked.pattern
        OR n.comment ILIKE asked.pattern
        OR pg_catalog.strpos(asked.pattern, '.') > 0 AND n.spelled ILIKE asked.pattern)
 ORDER BY CASE WHEN pg_catalog.lower(n.own) = pg_catalog.lower(asked.exact) THEN 0 WHEN n.own ILIKE asked.pattern THEN 1 ELSE 2 END,
          pg_catalog.array_position('{schema,table,partitioned table,foreign table,view,materialized view,column}', n.kind),
          n.kind, n.shown, n.detail
