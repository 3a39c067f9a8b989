-- Purpose: what an extension is, in one row.   Needs: nothing.   Since: 15.
-- Parameters: $1 its oid.
SELECT 'extension' AS kind,
       e.extname AS name,
       pg_catalog.quote_ident(e.extname) AS shown,
       pg_catalog.pg_get_userbyid(e.extowner) AS owner,
       pg_catalog.obj_description(e.oid, 'pg_extension') AS comment,
       e.extversion AS version,
       (SELECT a.default_version
          FROM pg_catalog.pg_available_extensions AS a
         WHERE a.name = e.extname) AS default_version,
       n.nspname AS in_schema,
       e.extrelocatable AS relocatable,
       (SELECT pg_catalog.json_agg(o.type || ' ' || o.identity ORDER BY o.type, o.identity)
          FROM pg_catalog.pg_depend AS d
         CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) AS o
         WHERE d.refclassid = 'pg_catalog.pg_extension'::regclass::oid
           AND d.refobjid = e.oid
           AND d.deptype = 'e') AS members
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_namespace AS n
    ON n.oid = e.extnamespace
 WHERE e.oid = $1::oid
