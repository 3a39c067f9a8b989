-- Purpose: what keeps a role from being dropped, in every database.   Needs: nothing.   Since: 15.
-- Parameter: $1 the role's oid. Objects have names only in the database this runs in and in the
-- part that all databases share; elsewhere object is NULL and the rows are counted.
SELECT CASE s.deptype WHEN 'o' THEN 'owner of'
                      WHEN 'r' THEN 'named in a policy on'
                      ELSE 'privileges on' END AS relation,
       CASE WHEN s.dbid = 0::oid THEN NULL ELSE coalesce(d.datname, s.dbid::text) END AS database,
       CASE WHEN s.dbid = 0::oid OR d.datname = pg_catalog.current_database()
            THEN pg_catalog.pg_describe_object(s.classid, s.objid, s.objsubid) END AS object,
       pg_catalog.count(*) AS objects
  FROM pg_catalog.pg_shdepend AS s
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid
 WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid
   AND s.refobjid = $1::pg_catalog.oid
 GROUP BY 1, 2, 3
 ORDER BY 1, 2 NULLS FIRST, 3;
