-- Purpose: what a type or domain is, in one row.   Needs: nothing.   Since: 15.
-- Parameters: $1 its oid.
SELECT CASE t.typtype WHEN 'e' THEN 'enum type' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite type'
            WHEN 'r' THEN 'range type' WHEN 'm' THEN 'multirange type' WHEN 'p' THEN 'pseudo-type'
            ELSE CASE WHEN t.typelem <> 0::oid AND t.typcategory = 'A' THEN 'array type' ELSE 'base type' END
        END AS kind,
       n.nspname AS schema,
       t.typname AS name,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.typname) AS shown,
       pg_catalog.pg_get_userbyid(t.typowner) AS owner,
       pg_catalog.obj_description(t.oid, 'pg_type') AS comment,
       e.extname AS extension,
       CASE WHEN t.typtype = 'e'
            THEN ARRAY(SELECT l.enumlabel
                         FROM pg_catalog.pg_enum AS l
                        WHERE l.enumtypid = t.oid
                        ORDER BY l.enumsortorder)
        END AS labels,
       CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END AS base_type,
       CASE WHEN t.typtype = 'd' THEN t.typnotnull END AS not_null,
       t.typdefault AS "default",
       CASE WHEN t.typtype = 'c'
            THEN (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname,
                                                    'quoted', nullif(pg_catalog.quote_ident(a.attname), a.attname),
                                                    'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
                                                    'comment', pg_catalog.col_description(a.attrelid, a.attnum))
                                  ORDER BY a.attnum)
                    FROM pg_catalog.pg_attribute AS a
                   WHERE a.attrelid = t.typrelid
                     AND a.attnum > 0
                     AND NOT a.attisdropped)
        END AS attributes,
       CASE WHEN t.typtype = 'd'
            THEN (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', k.conname,
                                                    'definition', pg_catalog.pg_get_constraintdef(k.oid, true))
                                  ORDER BY k.conname)
                    FROM pg_catalog.pg_constraint AS k
                   WHERE k.contypid = t.oid
                     AND k.contype = 'c')
        END AS checks,
       (SELECT pg_catalog.format_type(r.rngsubtype, NULL)
          FROM pg_catalog.pg_range AS r
         WHERE t.oid IN (r.rngtypid, r.rngmultitypid)) AS range_of,
       coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner)) AS acl
  FROM pg_catalog.pg_type AS t
  JOIN pg_catalog.pg_namespace AS n
    ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_depend AS d
    ON d.classid = 'pg_catalog.pg_type'::regclass::oid
   AND d.objid = t.oid
   AND d.deptype = 'e'
  LEFT JOIN pg_catalog.pg_extension AS e
    ON e.oid = d.refobjid
 WHERE t.oid = $1::oid
