-- Purpose: who may create something here, and what the login roles will hold on it.
-- Needs: nothing.   Since: 15.
-- Parameter: $1 the login roles. held is role:object type:PRIVILEGE by commas. Who may create only
-- because PUBLIC may is left out: default privileges keep a role from being dropped.
WITH makers(oid) AS (
  SELECT d.datdba
    FROM pg_catalog.pg_database AS d
   WHERE d.datname = pg_catalog.current_database()
   UNION
  SELECT a.grantee
    FROM pg_catalog.pg_database AS d
   CROSS JOIN LATERAL pg_catalog.aclexplode(d.datacl) AS a
   WHERE d.datname = pg_catalog.current_database() AND a.privilege_type = 'CREATE'
   UNION
  SELECT n.nspowner
    FROM pg_catalog.pg_namespace AS n
   WHERE n.nspname !~ '^pg_'::text AND n.nspname <> 'information_schema'
   UNION
  SELECT a.grantee
    FROM pg_catalog.pg_namespace AS n
   CROSS JOIN LATERAL pg_catalog.aclexplode(n.nspacl) AS a
   WHERE n.nspname !~ '^pg_'::text AND n.nspname <> 'information_schema'
     AND a.privilege_type = 'CREATE'
   UNION
  SELECT c.relowner
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   WHERE n.nspname !~ '^pg_'::text AND n.nspname <> 'information_schema'
)
SELECT r.rolname AS creator,
       (SELECT pg_catalog.string_agg(
                 DISTINCT g.rolname::text || ':' || f.defaclobjtype::pg_catalog.text || ':' || a.privilege_type, ',')
          FROM pg_catalog.pg_default_acl AS f
         CROSS JOIN LATERAL pg_catalog.aclexplode(f.defaclacl) AS a
          JOIN pg_catalog.pg_roles AS g ON g.oid = a.grantee
         WHERE f.defaclrole = r.oid AND f.defaclnamespace = 0::oid
           AND g.rolname = ANY ($1::pg_catalog.text[])) AS held,
       pg_catalog.pg_has_role(r.oid, 'USAGE') AS may_act
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname NOT LIKE 'pg\_%'::text
   AND (r.rolsuper
        OR EXISTS (SELECT FROM makers AS m
                    WHERE m.oid <> 0::oid AND pg_catalog.pg_has_role(r.oid, m.oid, 'USAGE')))
 ORDER BY r.rolname;
