-- Purpose: the user-defined types that a relation's columns use, with what one must know to write values.
-- Needs: nothing.   Since: 15.   Parameters: $1 the relation's oid.
WITH RECURSIVE used AS (
    SELECT a.atttypid AS oid
      FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = $1::oid
       AND a.attnum > 0
       AND NOT a.attisdropped
     UNION
    SELECT step.oid
      FROM used AS u
      JOIN pg_catalog.pg_type AS t
        ON t.oid = u.oid
     CROSS JOIN LATERAL (
           SELECT t.typelem
            WHERE t.typelem <> 0::oid
            UNION ALL
           SELECT t.typbasetype
            WHERE t.typbasetype <> 0::oid
            UNION ALL
           SELECT m.atttypid
             FROM pg_catalog.pg_attribute AS m
            WHERE t.typtype = 'c'
              AND m.attrelid = t.typrelid
              AND m.attnum > 0
              AND NOT m.attisdropped) AS step(oid)
)
SELECT pg_catalog.format_type(t.oid, NULL) AS name,
       CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite'
            WHEN 'r' THEN 'range' ELSE 'multirange'
        END AS kind,
       CASE t.typtype
            WHEN 'e' THEN (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                             FROM pg_catalog.pg_enum AS e
                            WHERE e.enumtypid = t.oid)
            WHEN 'd' THEN pg_catalog.concat_ws(' ', 'over',
                          pg_catalog.format_type(t.typbasetype, t.typtypmod),
                          CASE WHEN t.typnotnull THEN 'not null' END,
                          'default ' || t.typdefault,
                          (SELECT pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(k.oid, true), ' ' ORDER BY k.conname)
                             FROM pg_catalog.pg_constraint AS k
                            WHERE k.contypid = t.oid
                              AND k.contype = 'c'))
            WHEN 'c' THEN '(' || (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(m.attname) || ' '
                                                    || pg_catalog.format_type(m.atttypid, m.atttypmod), ', ' ORDER BY m.attnum)
                                    FROM pg_catalog.pg_attribute AS m
                                   WHERE m.attrelid = t.typrelid
                                     AND m.attnum > 0
                                     AND NOT m.attisdropped) || ')'
            ELSE (SELECT 'of ' || pg_catalog.format_type(r.rngsubtype, NULL)
                    FROM pg_catalog.pg_range AS r
                   WHERE t.oid IN (r.rngtypid, r.rngmultitypid))
        END AS definition,
       pg_catalog.obj_description(t.oid, 'pg_type') AS comment
  FROM used AS u
  JOIN pg_catalog.pg_type AS t
    ON t.oid = u.oid
 WHERE t.typtype IN ('e', 'd', 'c', 'r', 'm')
   AND t.typnamespace <> 'pg_catalog'::regnamespace::oid
 ORDER BY 1
