-- Purpose: which settings one role may change for the whole server.   Needs: nothing.   Since: 15.
-- Parameters: $1 the role, $2 names of settings; those that the server does not know are left out.
SELECT s.name,
       EXISTS (SELECT FROM pg_catalog.aclexplode(p.paracl) AS a
                 JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
                WHERE r.rolname = $1 AND a.privilege_type = 'ALTER SYSTEM')
       AND EXISTS (SELECT FROM pg_catalog.aclexplode(p.paracl) AS a
                     JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
                    WHERE r.rolname = $1 AND a.privilege_type = 'SET') AS may_change
  FROM pg_catalog.pg_settings AS s
  LEFT JOIN pg_catalog.pg_parameter_acl AS p ON p.parname = pg_catalog.lower(s.name)
 WHERE s.name = ANY ($2::pg_catalog.text[])
 ORDER BY s.name;
