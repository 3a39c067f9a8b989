-- Purpose: the columns of a relation, in their order.   Needs: nothing.   Since: 15.
-- Parameters: $1 the relation's oid, $2 whether it is locked: reading an expression would wait.
SELECT a.attname AS name,
       nullif(pg_catalog.quote_ident(a.attname), a.attname) AS quoted,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       a.attnotnull AS not_null,
       CASE WHEN nn.oid IS NOT NULL THEN true END AS not_null_unproved,
       CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS identity,
       CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' END AS generated,
       CASE WHEN d.adbin IS NULL THEN NULL
            WHEN $2::boolean THEN '(not readable while locked)'
            ELSE pg_catalog.pg_get_expr(d.adbin, d.adrelid, true)
        END AS "default",
       CASE WHEN a.attcollation <> t.typcollation
            THEN pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname)
        END AS collation,
       CASE WHEN a.attinhcount > 0 AND NOT a.attislocal AND NOT c.relispartition THEN true END AS inherited,
       pg_catalog.col_description(a.attrelid, a.attnum) AS comment
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c
    ON c.oid = a.attrelid
  JOIN pg_catalog.pg_type AS t
    ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_attrdef AS d
    ON d.adrelid = a.attrelid
   AND d.adnum = a.attnum
  LEFT JOIN pg_catalog.pg_collation AS co
    ON co.oid = a.attcollation
  LEFT JOIN pg_catalog.pg_namespace AS cn
    ON cn.oid = co.collnamespace
  LEFT JOIN pg_catalog.pg_constraint AS nn
    ON nn.conrelid = a.attrelid
   AND nn.contype = 'n'
   AND nn.conkey OPERATOR(pg_catalog.=) ARRAY[a.attnum]
   AND NOT nn.convalidated
 WHERE a.attrelid = $1::oid
   AND a.attnum > 0
   AND NOT a.attisdropped
 ORDER BY a.attnum
