-- Purpose: who may do what, a row a grantee.   Needs: nothing.   Since: 15.
-- Parameters: $1 an access list as text, $2 the owner, who is left out: an owner may do everything.
SELECT CASE WHEN a.grantee = 0::oid THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END AS grantee,
       pg_catalog.array_agg(DISTINCT pg_catalog.lower(a.privilege_type) || CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END) AS privileges
  FROM pg_catalog.aclexplode($1::aclitem[]) AS a
 WHERE a.grantee = 0::oid
    OR pg_catalog.pg_get_userbyid(a.grantee) <> $2::name
 GROUP BY 1
 ORDER BY 1
