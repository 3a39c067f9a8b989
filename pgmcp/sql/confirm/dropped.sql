-- Purpose: everything that DROP … CASCADE takes along with an object, through whatever lies between.   Needs: nothing.   Since: 15.
-- Parameters: $1 its catalog ('pg_class', 'pg_proc', 'pg_type', 'pg_namespace'), $2 its oid, $3 a column's number or 0 for all.
-- What is a part of something that goes (indexes, defaults, row types, partitions) is left out, as
-- PostgreSQL's own notices leave it out. A function's text is known to PostgreSQL only where it is
-- written in the SQL-standard form (BEGIN ATOMIC); others that use the object stay, and break.
WITH RECURSIVE gone AS (
    SELECT ('pg_catalog.' || $1::text)::regclass::oid AS classid, $2::oid AS objid,
           $3::integer AS objsubid, false AS is_part
     UNION
    SELECT further.classid, further.objid, further.objsubid, further.is_part
      FROM gone AS g
     CROSS JOIN LATERAL (
           SELECT d.classid, d.objid, d.objsubid,
                  d.objsubid = 0 AND d.deptype IN ('a', 'i', 'P', 'S') AS is_part
             FROM pg_catalog.pg_depend AS d
            WHERE d.refclassid = g.classid
              AND d.refobjid = g.objid
              AND g.objsubid IN (0, d.refobjsubid)
            UNION ALL
           -- A view's rule, or an extension's member, does not go without the whole.
           SELECT d.refclassid, d.refobjid, d.refobjsubid, false
             FROM pg_catalog.pg_depend AS d
            WHERE d.classid = g.classid
              AND d.objid = g.objid
              AND d.objsubid = g.objsubid
              AND d.deptype IN ('i', 'e')) AS further
), each AS (
    SELECT g.classid, g.objid, g.objsubid, pg_catalog.bool_or(g.is_part) AS is_part,
           pg_catalog.min(g.objsubid) OVER (PARTITION BY g.classid, g.objid) AS first_subid
      FROM gone AS g
     GROUP BY g.classid, g.objid, g.objsubid
)
SELECT CASE WHEN k.contype = 'f' THEN 'foreign key' ELSE o.type END AS kind, o.identity AS name
  FROM each AS g
  LEFT JOIN pg_catalog.pg_constraint AS k
    ON g.classid = 'pg_catalog.pg_constraint'::regclass::oid
   AND k.oid = g.objid
 CROSS JOIN LATERAL pg_catalog.pg_identify_object(g.classid, g.objid, g.objsubid) AS o
 WHERE NOT g.is_part
   AND (g.objsubid = 0 OR g.first_subid <> 0)
   AND NOT (g.classid = ('pg_catalog.' || $1::text)::regclass::oid
            AND g.objid = $2::oid
            AND $3::integer IN (0, g.objsubid))
   AND o.identity IS NOT NULL
 ORDER BY kind, name;
