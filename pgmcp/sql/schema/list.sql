-- Purpose: what is here, one row an object, for pg_schema list.   Needs: nothing.   Since: 15.
-- Left out: what belongs to an extension, constructors of range types, other sessions' temporary schemas.
-- Parameters: $1 schema or NULL, $2 kinds (text[]), $3 ILIKE pattern or NULL.
-- Units: rows is an estimate, NULL where no ANALYZE has counted them; size is with indexes and TOAST,
-- NULL while somebody holds or awaits ACCESS EXCLUSIVE on it, because measuring would wait too; a schema's
-- size leaves such tables out.
WITH RECURSIVE asked AS (
    SELECT $1::text AS schema, $2::text[] AS kinds, $3::text AS pattern
), spaces AS (
    SELECT n.oid, n.nspname::text AS schema, n.nspowner
      FROM pg_catalog.pg_namespace AS n
     CROSS JOIN asked
     WHERE CASE WHEN asked.schema IS NULL
                THEN n.nspname !~ '^pg_'::text AND n.nspname <> 'information_schema'
                     OR n.oid = pg_catalog.pg_my_temp_schema()
                ELSE n.nspname = asked.schema
            END
), hidden AS MATERIALIZED (
    SELECT d.classid, d.objid
      FROM pg_catalog.pg_depend AS d
     WHERE d.deptype = 'e'
        OR d.deptype = 'i' AND d.classid = 'pg_catalog.pg_proc'::regclass::oid
), busy AS MATERIALIZED (
    SELECT coalesce(owner.oid, x.indrelid, l.relation) AS oid
      FROM pg_catalog.pg_locks AS l
      LEFT JOIN pg_catalog.pg_index AS x
        ON x.indexrelid = l.relation
      LEFT JOIN pg_catalog.pg_class AS owner
        ON owner.reltoastrelid = coalesce(x.indrelid, l.relation)
     WHERE l.locktype = 'relation'
       AND l.mode = 'AccessExclusiveLock'
       AND l.pid <> pg_catalog.pg_backend_pid()
       AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
), leaves AS (
    SELECT c.oid AS root, i.inhrelid AS oid
      FROM pg_catalog.pg_class AS c
      JOIN spaces AS s
        ON s.oid = c.relnamespace
      JOIN pg_catalog.pg_inherits AS i
        ON i.inhparent = c.oid
     WHERE c.relkind = 'p'
     UNION ALL
    SELECT l.root, i.inhrelid
      FROM leaves AS l
      JOIN pg_catalog.pg_inherits AS i
        ON i.inhparent = l.oid
), objects AS (
    SELECT s.schema, c.relname::text AS name, pg_catalog.quote_ident(c.relname) AS shown, k.kind, k.place, c.oid, c.relkind::text AS relkind, c.reltuples,
           pg_catalog.obj_description(c.oid, 'pg_class') AS comment
      FROM pg_catalog.pg_class AS c
      JOIN spaces AS s
        ON s.oid = c.relnamespace
      JOIN (VALUES ('r', 'table', 1), ('p', 'partitioned table', 1), ('f', 'foreign table', 1),
                   ('v', 'view', 2), ('m', 'materialized view', 2), ('S', 'sequence', 3),
                   ('i', 'index', 4), ('I', 'index', 4)) AS relkinds(relkind, kind, place)
        ON relkinds.relkind = c.relkind::text
     CROSS JOIN LATERAL (
           SELECT CASE WHEN c.relispartition AND relkinds.place = 1 THEN 'partition' ELSE relkinds.kind END AS kind,
                  relkinds.place) AS k
     WHERE (c.relkind <> 'S' OR NOT EXISTS (
               SELECT
                 FROM pg_catalog.pg_depend AS d
                WHERE d.classid = 'pg_catalog.pg_class'::regclass::oid
                  AND d.objid = c.oid
                  AND d.deptype = 'i'))
       AND (c.relkind NOT IN ('i', 'I') OR NOT c.relispartition)
       AND ('pg_catalog.pg_class'::regclass::oid, c.oid) NOT IN (SELECT h.classid, h.objid FROM hidden AS h)
     UNION ALL
    SELECT s.schema, p.proname,
           pg_catalog.quote_ident(p.proname) || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')',
           CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
           5, NULL, NULL, NULL, pg_catalog.obj_description(p.oid, 'pg_proc')
      FROM pg_catalog.pg_proc AS p
      JOIN spaces AS s
        ON s.oid = p.pronamespace
     WHERE ('pg_catalog.pg_proc'::regclass::oid, p.oid) NOT IN (SELECT h.classid, h.objid FROM hidden AS h)
     UNION ALL
    SELECT s.schema, t.typname, pg_catalog.quote_ident(t.typname),
           CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END,
           6, NULL, NULL, NULL, pg_catalog.obj_description(t.oid, 'pg_type')
      FROM pg_catalog.pg_type AS t
      JOIN spaces AS s
        ON s.oid = t.typnamespace
      LEFT JOIN pg_catalog.pg_class AS c
        ON c.oid = t.typrelid
     WHERE (t.typtype IN ('d', 'e', 'r') OR t.typtype = 'c' AND c.relkind = 'c'
            OR t.typtype = 'b' AND t.typcategory <> 'A')
       AND ('pg_catalog.pg_type'::regclass::oid, t.oid) NOT IN (SELECT h.classid, h.objid FROM hidden AS h)
     UNION ALL
    SELECT s.schema, g.tgname,
           pg_catalog.quote_ident(g.tgname) || ' on ' || pg_catalog.quote_ident(c.relname), 'trigger', 7, NULL, NULL, NULL,
           pg_catalog.obj_description(g.oid, 'pg_trigger')
      FROM pg_catalog.pg_trigger AS g
      JOIN pg_catalog.pg_class AS c
        ON c.oid = g.tgrelid
      JOIN spaces AS s
        ON s.oid = c.relnamespace
     WHERE NOT g.tgisinternal
       AND g.tgparentid = 0::oid
     UNION ALL
    SELECT s.schema, p.polname,
           pg_catalog.quote_ident(p.polname) || ' on ' || pg_catalog.quote_ident(c.relname), 'policy', 8, NULL, NULL, NULL,
           pg_catalog.obj_description(p.oid, 'pg_policy')
      FROM pg_catalog.pg_policy AS p
      JOIN pg_catalog.pg_class AS c
        ON c.oid = p.polrelid
      JOIN spaces AS s
        ON s.oid = c.relnamespace
     UNION ALL
    SELECT s.schema, n.conname,
           pg_catalog.quote_ident(n.conname) || ' on ' || pg_catalog.quote_ident(c.relname), 'constraint', 9, NULL, NULL, NULL,
           pg_catalog.obj_description(n.oid, 'pg_constraint')
      FROM pg_catalog.pg_constraint AS n
      JOIN pg_catalog.pg_class AS c
        ON c.oid = n.conrelid
      JOIN spaces AS s
        ON s.oid = c.relnamespace
     WHERE n.contype IN ('c', 'f', 'p', 'u', 'x')
       AND NOT c.relispartition
     UNION ALL
    SELECT n.nspname::text, e.extname,
           pg_catalog.quote_ident(e.extname), 'extension', 10, NULL, NULL, NULL,
           pg_catalog.concat_ws(': ', 'version ' || e.extversion, pg_catalog.obj_description(e.oid, 'pg_extension'))
      FROM pg_catalog.pg_extension AS e
      JOIN pg_catalog.pg_namespace AS n
        ON n.oid = e.extnamespace
     CROSS JOIN asked
     WHERE asked.schema IS NULL OR n.nspname = asked.schema
     UNION ALL
    SELECT s.schema, s.schema, pg_catalog.quote_ident(s.schema), 'schema', 0, s.oid, 'schema', NULL,
           pg_catalog.obj_description(s.oid, 'pg_namespace')
      FROM spaces AS s
)
SELECT pg_catalog.quote_ident(o.schema) AS schema,
       o.shown AS name,
       o.kind,
       CASE WHEN o.relkind = 'p'
            THEN (SELECT pg_catalog.sum(c.reltuples)::bigint
                    FROM leaves AS l
                    JOIN pg_catalog.pg_class AS c
                      ON c.oid = l.oid
                     AND c.relkind <> 'p'
                   WHERE l.root = o.oid
                     AND c.reltuples >= 0::real)
            WHEN o.relkind IN ('r', 'm', 'f', 'i') AND o.reltuples >= 0::real
            THEN o.reltuples::bigint
        END AS rows,
       -- Measured here, behind the sort, so that only the rows that are shown are measured.
       pg_catalog.pg_size_pretty(
           CASE WHEN o.relkind IN ('r', 'm', 'i') AND o.oid NOT IN (SELECT b.oid FROM busy AS b)
                THEN pg_catalog.pg_total_relation_size(o.oid)
                WHEN o.relkind = 'p'
                THEN (SELECT CASE WHEN NOT pg_catalog.bool_or(l.oid IN (SELECT b.oid FROM busy AS b))
                                  THEN pg_catalog.sum(CASE WHEN l.oid NOT IN (SELECT b.oid FROM busy AS b)
                                                THEN pg_catalog.pg_total_relation_size(l.oid)
                                            END)::bigint
                              END
                        FROM leaves AS l
                       WHERE l.root = o.oid)
                WHEN o.relkind = 'schema'
                THEN (SELECT pg_catalog.sum(CASE WHEN c.oid NOT IN (SELECT b.oid FROM busy AS b)
                                      THEN pg_catalog.pg_total_relation_size(c.oid)
                                  END)::bigint
                        FROM pg_catalog.pg_class AS c
                       WHERE c.relnamespace = o.oid
                         AND c.relkind IN ('r', 'm'))
            END) AS size,
       o.comment
  FROM objects AS o
 CROSS JOIN asked
 WHERE o.kind = ANY (asked.kinds)
   AND (asked.pattern IS NULL
        OR o.name ILIKE asked.pattern
        OR o.schema || '.' || o.name ILIKE asked.pattern)
 ORDER BY o.schema, o.place, o.name, o.shown, o.kind
