-- Purpose: what would break, or go along by CASCADE, without an object.   Needs: nothing.   Since: 15.
-- Parameters: $1 its catalog ('pg_class', 'pg_proc', 'pg_type'), $2 its oid, $3 a column's number or 0 for all.
-- A relation's own defaults, constraints, indexes and policies, its partitions and heirs, and foreign keys
-- that point at it, a domain's checks and a range's constructors are told elsewhere and left out. A function's text is known to PostgreSQL only where
-- it is written in the SQL-standard form (BEGIN ATOMIC); others that use the object are not found.
WITH users AS (
    SELECT DISTINCT
           CASE d.classid WHEN 'pg_catalog.pg_rewrite'::regclass::oid THEN 'pg_catalog.pg_class'::regclass::oid
                WHEN 'pg_catalog.pg_attrdef'::regclass::oid THEN 'pg_catalog.pg_class'::regclass::oid
                ELSE d.classid
            END AS classid,
           coalesce(r.ev_class, a.adrelid, d.objid) AS objid,
           coalesce(a.adnum::integer, d.objsubid) AS objsubid,
           coalesce(r.ev_class, a.adrelid, p.polrelid, g.tgrelid, k.conrelid, x.indrelid, e.stxrelid,
                    0) AS owner
      FROM pg_catalog.pg_depend AS d
      LEFT JOIN pg_catalog.pg_rewrite AS r
        ON d.classid = 'pg_catalog.pg_rewrite'::regclass::oid
       AND r.oid = d.objid
      LEFT JOIN pg_catalog.pg_attrdef AS a
        ON d.classid = 'pg_catalog.pg_attrdef'::regclass::oid
       AND a.oid = d.objid
      LEFT JOIN pg_catalog.pg_policy AS p
        ON d.classid = 'pg_catalog.pg_policy'::regclass::oid
       AND p.oid = d.objid
      LEFT JOIN pg_catalog.pg_trigger AS g
        ON d.classid = 'pg_catalog.pg_trigger'::regclass::oid
       AND g.oid = d.objid
      LEFT JOIN pg_catalog.pg_constraint AS k
        ON d.classid = 'pg_catalog.pg_constraint'::regclass::oid
       AND k.oid = d.objid
      LEFT JOIN pg_catalog.pg_index AS x
        ON d.classid = 'pg_catalog.pg_class'::regclass::oid
       AND x.indexrelid = d.objid
      LEFT JOIN pg_catalog.pg_statistic_ext AS e
        ON d.classid = 'pg_catalog.pg_statistic_ext'::regclass::oid
       AND e.oid = d.objid
     WHERE d.refclassid = ('pg_catalog.' || $1::text)::regclass::oid
       AND d.refobjid = $2::oid
       AND $3::integer IN (0, d.refobjsubid)
       AND d.deptype IN ('n', 'a')
       AND k.contype IS DISTINCT FROM 'f'
       AND NOT (k.contypid = d.refobjid AND d.refclassid = 'pg_catalog.pg_type'::regclass::oid) IS TRUE
       AND NOT EXISTS (
           SELECT
             FROM pg_catalog.pg_depend AS made
            WHERE d.classid = 'pg_catalog.pg_proc'::regclass::oid
              AND made.classid = d.classid
              AND made.objid = d.objid
              AND made.refclassid = 'pg_catalog.pg_type'::regclass::oid
              AND made.deptype = 'i')
       AND NOT EXISTS (
           SELECT
             FROM pg_catalog.pg_inherits AS h
            WHERE d.classid = 'pg_catalog.pg_class'::regclass::oid
              AND h.inhrelid = d.objid
              AND h.inhparent = d.refobjid)
)
SELECT DISTINCT o.type AS kind, o.identity AS name
  FROM users AS u
 CROSS JOIN LATERAL pg_catalog.pg_identify_object(u.classid, u.objid, u.objsubid) AS o
 WHERE NOT ($1::text = 'pg_class' AND $2::oid IN (u.owner, u.objid))
   AND o.identity IS NOT NULL
   AND NOT ($1::text = 'pg_class' AND u.objsubid = 0 AND u.classid = 'pg_catalog.pg_class'::regclass::oid AND EXISTS (
       SELECT
         FROM pg_catalog.pg_depend AS own
        WHERE own.classid = u.classid
          AND own.objid = u.objid
          AND own.refobjid = $2::oid
          AND own.deptype = 'a'))
 ORDER BY o.type, o.identity
