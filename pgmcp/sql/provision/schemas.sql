-- Purpose: the schemas, and what the login roles hold on each.   Needs: nothing.   Since: 15.
-- Parameter: $1 the login roles. An extension's own schema is left as its author opened it.
SELECT n.nspname AS schema,
       (SELECT pg_catalog.string_agg(DISTINCT r.rolname::text || ':' || a.privilege_type, ',')
          FROM pg_catalog.aclexplode(n.nspacl) AS a
          JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
         WHERE r.rolname = ANY ($1::pg_catalog.text[])) AS held,
       EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl) AS a
                WHERE a.grantee = 0::oid AND a.privilege_type = 'CREATE') AS anyone_creates,
       pg_catalog.pg_has_role(n.nspowner, 'USAGE') AS may_act
  FROM pg_catalog.pg_namespace AS n
 WHERE n.nspname !~ '^pg_'::text AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid
                      AND e.objid = n.oid AND e.deptype = 'e')
 ORDER BY n.nspname;
