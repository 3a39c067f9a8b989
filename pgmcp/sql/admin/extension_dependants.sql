-- Purpose: what DROP EXTENSION … CASCADE would take beside the extension itself.   Needs: nothing.
-- Parameter: $1 the extension's name.   Since: 15.
-- The entries of operator families are left out: they come with the extension's own.
-- An object inside another one (a column, a default, a rule of a view) stands for itself here.
WITH RECURSIVE extension AS (
  SELECT e.oid FROM pg_catalog.pg_extension AS e WHERE e.extname = $1
), member AS (
  SELECT d.classid, d.objid
    FROM pg_catalog.pg_depend AS d
    JOIN extension AS e ON d.refobjid = e.oid
   WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
     AND d.deptype = 'e'
), reached(classid, objid, objsubid, deptype) AS (
  SELECT m.classid, m.objid, 0, 'e'::pg_catalog."char" FROM member AS m
   UNION
  SELECT 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid, e.oid, 0, 'e'::pg_catalog."char"
    FROM extension AS e
   UNION
  SELECT d.classid, d.objid, d.objsubid, d.deptype
    FROM reached AS r
    JOIN pg_catalog.pg_depend AS d
      ON d.refclassid = r.classid AND d.refobjid = r.objid
     AND (r.objsubid = 0 OR d.refobjsubid = r.objsubid)
   WHERE d.deptype IN ('n', 'a', 'i')
), shown AS (
  SELECT DISTINCT CASE WHEN r.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass::pg_catalog.oid
                       THEN pg_catalog.pg_describe_object(
                              'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, w.ev_class, 0)
                       ELSE pg_catalog.pg_describe_object(r.classid, r.objid, r.objsubid)
                  END AS object
    FROM reached AS r
    LEFT JOIN pg_catalog.pg_rewrite AS w
      ON r.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass::pg_catalog.oid AND w.oid = r.objid
   WHERE r.deptype IN ('n', 'a')
     AND r.classid NOT IN ('pg_catalog.pg_amop'::pg_catalog.regclass::pg_catalog.oid,
                           'pg_catalog.pg_amproc'::pg_catalog.regclass::pg_catalog.oid)
     AND NOT EXISTS (SELECT 1 FROM member AS m
                      WHERE m.classid = r.classid AND m.objid = r.objid)
     AND NOT (r.classid = 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
              AND r.objid IN (SELECT e.oid FROM extension AS e))
)
SELECT s.object
  FROM shown AS s
 WHERE s.object IS NOT NULL
 ORDER BY s.object;
