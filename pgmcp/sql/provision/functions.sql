-- Purpose: which of the functions for administrators one role may call here.
-- Needs: nothing.   Since: 15.
-- Parameters: $1 the role, $2 names in pg_catalog, $3 names that an extension may have brought.
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname) || '('
         || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' AS function,
       EXISTS (SELECT FROM pg_catalog.aclexplode(
                        coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) AS a
                 LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
                WHERE a.grantee = 0::oid OR r.rolname = $1) AS may_call,
       pg_catalog.pg_has_role(p.proowner, 'USAGE') AS may_act
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
 WHERE (n.nspname = 'pg_catalog' AND p.proname = ANY ($2::pg_catalog.text[]))
    OR (p.proname = ANY ($3::pg_catalog.text[])
        AND EXISTS (SELECT FROM pg_catalog.pg_depend AS e
                     WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
                       AND e.objid = p.oid AND e.deptype = 'e'))
 ORDER BY 1;
